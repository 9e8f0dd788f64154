"""Runs the quick measurements one after another and prints the table of goals with what came out.

    make bench      or      .venv/bin/python -m tests.bench.goals [--runs 3] [--seconds 10]

About ten minutes with three runs of Janus. A row whose program cannot run here says why. The soak
is not among them: `make soak`.
"""

import argparse
import json
import subprocess
import sys
from typing import Any

from server.bench.processes import load_average

Json = dict[str, Any]
NATIVE_CALLS, PYTHON_CALLS = 80, 30
MOST_LATENCY_MS = 20.0
MOST_RATIO = {"native": 0.35, "python": 0.75}
COMMAND_SECONDS = 1800


def main() -> int:
    """Print one line for each goal; exit 1 when one that could be measured was missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="of each comparison with Janus, 1 to 9")
    parser.add_argument("--seconds", type=float, default=10, help="of each run of calls, 1 to 60")
    options = parser.parse_args()
    seconds = ["--seconds", str(options.seconds)]
    rows = [
        *_janus(_run("-m", "tests.bench.janus", "--runs", str(options.runs), *seconds)),
        *_calls(seconds),
        *_frames(_run("-m", "tests.bench.first_frame", "--runs", "5")),
    ]
    width = max(len(row[0]) for row in rows)
    for what, figure, met in rows:
        verdict = {True: "met", False: "MISSED", None: "-"}[met]
        print(f"{what:<{width}}  {verdict:<6}  {figure}")
    print(f"machine load {load_average():.1f}")
    return 1 if any(met is False for *_, met in rows) else 0


Row = tuple[str, str, bool | None]


def _run(*arguments: str) -> Json:
    """Return what a program printed, or why it could not."""
    done = subprocess.run(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    if done.returncode:
        return {"failed": f"{' '.join(arguments)} ended with {done.returncode}: see above"}
    return dict(json.loads(done.stdout))


def _janus(report: Json) -> list[Row]:
    if "failed" in report:
        return [("CPU per packet / Janus", report["failed"], None)]
    path = next((x["packet_path"] for x in report["runs"] if "packet_path" in x), "python")
    limit, rows = MOST_RATIO[path], list[Row]()
    for one in report["ratios"]:
        ratio, ours, theirs = one["us_per_packet_ratio"], one["ours"], one["janus"]
        figure = f"{ratio} (goal {limit}; {ours['us_per_packet']} / {theirs['us_per_packet']} us)"
        met = None if ratio is None else ratio <= limit
        rows.append((f"CPU per packet / Janus, {one['calls']} calls, {path}", figure, met))
    return rows


def _calls(seconds: list[str]) -> list[Row]:
    """Run as many calls as the packet path in use should carry on one core."""
    program = "from server.cli import main; main()"
    first = _run("-c", program, "bench", "calls", "--calls", "1", "--seconds", "1", "--json")
    if "failed" in first:
        return [("calls on one core", first["failed"], None)]
    calls = NATIVE_CALLS if first["packet_path"] == "native" else PYTHON_CALLS
    what = f"{calls} calls on one core, {first['packet_path']}"
    report = _run("-c", program, "bench", "calls", "--calls", str(calls), *seconds, "--json")
    if "failed" in report:
        return [(what, report["failed"], False)]
    lost, late = report["loss_percent"], report["latency_ms"]["p99"]
    figure = f"{lost} % lost, p99 {late} ms, {report['server_cpu']} cores"
    return [
        (what, figure, lost == 0 and late <= MOST_LATENCY_MS),
        _row("RSS per call, MiB", report["rss_mib_per_call"], 2.0),
    ]


def _frames(report: Json) -> list[Row]:
    if "failed" in report:
        return [("first frame after 応対する", report["failed"], None)]
    first, full = report["desk"]["first_ms"], report["desk"]["full_ms"]
    return [
        _row("first frame at the desk, median ms", first["median"], 150),
        _row("first frame at the desk, most ms", first["max"], 400),
        _row("1280x720 at the desk, most ms", full["max"], 1000),
    ]


def _row(what: str, figure: float, limit: float) -> Row:
    return what, f"{figure} (goal {limit:g})", figure <= limit


if __name__ == "__main__":
    sys.exit(main())
