"""The verdict of `demo --check`: well only when everything is."""

from dataclasses import replace

import pytest

from server.demo.report import ENOUGH, Report

WELL = Report(
    first_frame_ms=60,
    video_frames_desk=ENOUGH,
    video_frames_counter=ENOUGH,
    audio_packets_desk=ENOUGH,
    audio_packets_counter=ENOUGH,
    chat_delivered=True,
    chat_after_reconnect=True,
    file_sha256_match=True,
    outcome="verified",
)


def test_all_well_is_well() -> None:
    assert WELL.well


@pytest.mark.parametrize(
    "flaw",
    [
        {"first_frame_ms": -1},
        {"video_frames_desk": ENOUGH - 1},
        {"video_frames_counter": 0},
        {"audio_packets_desk": 0},
        {"audio_packets_counter": ENOUGH - 1},
        {"chat_delivered": False},
        {"chat_after_reconnect": False},
        {"file_sha256_match": False},
        {"outcome": "returned"},
        {"outcome": None},
        {"errors": ["something"]},
    ],
    ids=str,
)
def test_any_single_flaw_is_not_well(flaw: dict[str, object]) -> None:
    report = replace(WELL, **flaw)  # type: ignore[arg-type]
    assert not report.well
    assert report.missing() or report.errors


def test_the_object_has_exactly_the_promised_fields() -> None:
    assert set(WELL.as_json()) == {
        "first_frame_ms",
        "video_frames_desk",
        "video_frames_counter",
        "audio_packets_desk",
        "audio_packets_counter",
        "chat_delivered",
        "chat_after_reconnect",
        "file_sha256_match",
        "outcome",
        "errors",
    }
