"""The short form of `make soak`: calls come and go, and the server keeps none of them."""

import json
import subprocess
import sys
from pathlib import Path

from tests.bench.soak import judge

ROOT = Path(__file__).resolve().parents[2]


def test_calls_that_come_and_go_leave_nothing_open() -> None:
    limits = ["--calls", "2", "--seconds", "5", "--window-seconds", "2", "--call-seconds", "1"]
    command = [sys.executable, "-m", "tests.bench.soak", *limits, "--seed", "3"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=90, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    report = json.loads(done.stdout)
    assert report["rounds"] >= 2
    assert report["last"]["calls"] == 0
    assert report["last"]["tasks"] > 0
    assert report["last"]["sockets"] > 4, "four pages stay open"


def test_growth_over_two_percent_is_told_and_less_is_not() -> None:
    def rounds(growth: float, *, sockets: float = 0.0) -> list[tuple[float, dict[str, float]]]:
        return [
            (
                minute * 60.0,
                {
                    "rss_mib": 200 * (1 + growth * minute / 120),
                    "tasks": 60,
                    "sockets": 30 + int(sockets * minute / 60),
                    "calls": 0,
                },
            )
            for minute in range(120)
        ]

    assert judge(rounds(0.01), 600.0)["grew"] == []
    assert judge(rounds(0.04), 600.0)["grew"] == ["rss_mib"]
    assert judge(rounds(0.0, sockets=3), 600.0)["grew"] == ["sockets"]
    left = rounds(0.0)
    left[-1][1]["calls"] = 3
    for _, figures in left[-10:]:
        figures["calls"] = 3
    assert judge(left, 600.0)["grew"] == ["calls"]


def test_the_warm_up_is_not_compared_with() -> None:
    figures = {"tasks": 60.0, "sockets": 30.0, "calls": 0.0}
    rounds = [(600.0 * n, {"rss_mib": 100.0 if n == 0 else 200.0, **figures}) for n in range(6)]
    report = judge(rounds, 600.0)
    assert report["grew"] == []
    assert report["growth_percent"]["rss_mib"] == [-50.0, 0.0, 0.0, 0.0, 0.0, 0.0]
