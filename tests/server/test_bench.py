"""The short form of `madoguchi bench calls`, over the real service and the native load."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from security.errors import Unavailable
from server.bench.clip import audio, packets_per_second, video
from server.bench.load import Load

PROGRAM = "from server.cli import main; main()"
CALLS, SECONDS, TRIES = 2, 3, 3


def measure() -> dict[str, Any]:
    """Return the report of one run."""
    command = ["bench", "calls", "--calls", str(CALLS), "--seconds", str(SECONDS), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *command],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout))


def test_two_calls_pass_whole_and_both_sides_count_the_same() -> None:
    # A machine that does much else keeps packets until they are too old to be carried.
    reports = (measure() for _ in range(TRIES))
    report = next((x for x in reports if x["loss_percent"] == 0), None)
    assert report is not None, f"packets were lost {TRIES} times"
    generator = report["generator"]
    assert report["packet_path"] in ("python", "native")
    assert report["calls"] == CALLS
    assert report["server"]["packets_forwarded_total"] == generator["received_total"]
    assert (generator["strange"], generator["forged"], generator["dropped"]) == (0, 0, 0)
    expected = 2 * CALLS * SECONDS * packets_per_second()
    assert report["packets_forwarded"] == pytest.approx(expected, rel=0.1)
    assert 0 < report["latency_ms"]["p50"] <= report["latency_ms"]["p99"]
    assert report["server_cpu"] > 0
    assert report["us_per_packet"] == pytest.approx(
        1e6 * report["server_cpu"] * report["seconds"] / report["packets_forwarded"], rel=0.02
    )
    assert report["first_packet_ms"]["median"] > 0
    assert report["rss_mib_per_call"] >= 0


def test_the_load_is_720p_pictures_that_begin_with_a_keyframe_and_sound() -> None:
    assert video().keys[0]
    first = video().frames[0][0]
    assert first[0] & 0x10, "the first packet of a frame"
    begin = first[4:]
    assert begin[3:6] == b"\x9d\x01\x2a"  # RFC 6386 section 9.1
    sizes = [int.from_bytes(begin[at : at + 2], "little") & 0x3FFF for at in (6, 8)]
    assert sizes == [1280, 720]
    assert max(len(part) for frame in video().frames for part in frame) <= 1176
    assert len(audio().frames) == 200
    assert packets_per_second() == pytest.approx(209, abs=5)


def test_without_a_compiler_one_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="install a compiler"):
        Load(audio(), video())
