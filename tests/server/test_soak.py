"""The short form of `make soak`: calls come and go, and the server keeps none of them."""

import json
import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).resolve().parents[1] / "bench" / "soak.py"


def test_calls_that_come_and_go_leave_nothing_open() -> None:
    command = [sys.executable, str(SOAK), "--calls", "2", "--seconds", "6", "--call-seconds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    report = json.loads(done.stdout)
    assert report["rounds"] >= 2
    assert report["last"]["calls"] == 0
