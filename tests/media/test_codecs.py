"""Which H.264 is taken, and which codec a call's pictures have."""

import itertools
from pathlib import Path

import pytest

from media.codecs import H264, VP8, choose, h264_profile
from media.sdp import parse_offer

CHROMIUM = (Path(__file__).parent / "offers" / "chromium.sdp").read_bytes().decode()


@pytest.mark.parametrize(
    ("profile", "mode", "taken"),
    [
        ("42e01f", 1, True),
        ("42C01F", "1", True),
        ("42e034", 1, True),
        ("4d801f", 1, True),
        ("58c01f", 1, True),
        ("42001f", 1, False),  # baseline with what nobody in hardware has
        ("4d001f", 1, False),  # main
        ("640c1f", 1, False),  # high
        ("42e00d", 1, False),  # too small for 720p
        ("42e01f", 0, False),
        ("42e01f", None, False),
        ("42e01", 1, False),
        ("42e01f00", 1, False),
        ("zzzzzz", 1, False),
        (None, 1, False),
    ],
)
def test_h264_is_taken_in_constrained_baseline_with_room_for_720p_only(
    profile: str | None, mode: object, taken: bool
) -> None:
    parameters = {"profile-level-id": profile, "packetization-mode": mode}
    assert (h264_profile({k: v for k, v in parameters.items() if v is not None}) is not None) is (
        taken
    )


def test_an_offer_keeps_the_one_h264_of_many_that_is_ours() -> None:
    video = parse_offer(CHROMIUM).line("video")
    assert video.names == (VP8, H264)
    h264 = video.codec(H264)
    assert h264 is not None
    assert (h264.payload_type, h264.rtx_type, h264.profile) == (108, 109, "42e01f")
    assert "nack pli" in h264.feedback


def test_the_order_of_the_m_line_is_the_wish_of_the_offerer() -> None:
    wishes = CHROMIUM.replace("SAVPF 96 97", "SAVPF 108 96 97").replace(" 107 108 109", " 107 109")
    assert parse_offer(wishes).line("video").names == (H264, VP8)


def test_a_call_is_in_h264_when_one_wants_it_and_all_have_it() -> None:
    none, has, wants = (VP8,), (VP8, H264), (H264, VP8)
    for parties in itertools.product((none, has, wants), repeat=3):
        expected = H264 if wants in parties and none not in parties else VP8
        assert choose(parties) == expected, parties
    assert choose(()) == VP8
