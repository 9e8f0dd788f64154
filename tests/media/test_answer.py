"""What the answer says, line by line, and that another implementation understands it."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from media.answer import Local, write_answer
from media.libs import SessionDescription
from media.sdp import parse_offer

OFFERS = {p.stem: p.read_bytes().decode() for p in (Path(__file__).parent / "offers").glob("*.sdp")}
LOCAL = Local(
    ufrag="abcdefgh",
    password="p" * 24,
    fingerprint=":".join(["AB"] * 32),
    addresses=("192.0.2.7", "2001:db8::7"),
    port=5004,
    streams={"0": (11, 0), "1": (22, 33), "audio": (11, 0), "video": (22, 33)},
    cname="madoguchi",
    session_id=1,
    version=1,
    codec="vp8",
)


def _answer(text: str, codec: str = "vp8") -> str:
    return write_answer(parse_offer(text), replace(LOCAL, codec=codec))


@pytest.mark.parametrize("name", ["chromium", "firefox", "aiortc"])
def test_answer_offers_one_encrypted_bundle_on_an_ice_lite_server(name: str) -> None:
    answer = _answer(OFFERS[name])
    for line in (
        "a=ice-lite",
        "a=group:BUNDLE 0 1",
        "a=setup:passive",
        "a=rtcp-mux",
        "a=candidate:1 1 udp 2130706431 192.0.2.7 5004 typ host",
        "a=candidate:2 1 udp 2130706175 2001:db8::7 5004 typ host",
        "a=ssrc:11 cname:madoguchi",
        "a=ssrc-group:FID 22 33",
        "a=msid:madoguchi video",
    ):
        assert line in answer.split("\r\n")
    assert "x-google-start-bitrate=1500" in answer
    assert "useinbandfec=1" in answer


def test_answer_can_be_parsed_by_another_implementation() -> None:
    parsed: Any = SessionDescription.parse(_answer(OFFERS["chromium"]))
    assert [m.kind for m in parsed.media] == ["audio", "video"]
    assert [len(m.ice_candidates) for m in parsed.media] == [2, 2]
    codecs = ["video/VP8", "video/rtx", "video/H264", "video/rtx"]
    assert [c.mimeType for c in parsed.media[1].rtp.codecs] == codecs


def test_every_address_is_offered_by_udp_and_then_by_tcp() -> None:
    answer = write_answer(parse_offer(OFFERS["chromium"]), replace(LOCAL, tcp=True))
    found = re.findall(r"a=candidate:(\d+) 1 (udp|tcp) (\d+) (\S+) 5004 typ host(.*)\r\n", answer)
    first = found[: len(found) // 2]
    assert [(kind, host, end) for _, kind, _, host, end in first] == [
        ("udp", "192.0.2.7", ""),
        ("udp", "2001:db8::7", ""),
        ("tcp", "192.0.2.7", " tcptype passive"),
        ("tcp", "2001:db8::7", " tcptype passive"),
    ]
    priorities = [int(priority) for _, _, priority, _, _ in first]
    assert priorities == sorted(priorities, reverse=True)
    assert len({foundation for foundation, *_ in first}) == 4
    parsed: Any = SessionDescription.parse(answer)
    assert [x.tcpType for x in parsed.media[0].ice_candidates] == [None, None, *["passive"] * 2]


def test_the_codec_to_be_sent_stands_first_and_the_other_may_still_be_received() -> None:
    assert "m=video 5004 UDP/TLS/RTP/SAVPF 96 97 108 109\r\n" in _answer(OFFERS["chromium"])
    answer = _answer(OFFERS["chromium"], "h264")
    assert "m=video 5004 UDP/TLS/RTP/SAVPF 108 109 96 97\r\n" in answer
    assert (
        "a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
        ";x-google-start-bitrate=1500\r\n" in answer
    )
    assert "a=rtcp-fb:108 nack pli\r\n" in answer


def test_a_listener_without_the_codec_is_answered_in_the_one_that_all_have() -> None:
    assert "m=video 5004 UDP/TLS/RTP/SAVPF 120 124\r\n" in _answer(OFFERS["firefox"], "h264")


def test_reduced_size_rtcp_is_agreed_only_where_it_was_offered() -> None:
    assert _answer(OFFERS["chromium"]).count("a=rtcp-rsize") == 2
    assert "a=rtcp-rsize" not in _answer(OFFERS["aiortc"])


def test_feedback_is_agreed_only_where_it_was_offered() -> None:
    assert "transport-cc" not in _answer(OFFERS["aiortc"])
    for kind in ("nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"):
        assert f"a=rtcp-fb:96 {kind}\r\n" in _answer(OFFERS["chromium"])


def test_sound_that_tells_the_packet_before_again_is_asked_for_first_where_it_was_offered() -> None:
    answer = _answer(OFFERS["chromium"])
    assert "m=audio 5004 UDP/TLS/RTP/SAVPF 63 111\r\n" in answer
    assert "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n" in answer
    assert "red" not in _answer(OFFERS["firefox"])
    for other in ("a=fmtp:63 111/5", "a=fmtp:63 5/5", "a=fmtp:63 a=b", "a=ptime:20"):
        assert "red" not in _answer(OFFERS["chromium"].replace("a=fmtp:63 111/111", other))
    silent = OFFERS["chromium"].replace("a=sendrecv", "a=recvonly")
    assert "m=audio 5004 UDP/TLS/RTP/SAVPF 111\r\n" in _answer(silent)


def test_every_id_and_payload_type_is_the_offers_own() -> None:
    for offer in OFFERS.values():
        for line in _answer(offer).split("\r\n"):
            if line.startswith(("a=extmap:", "a=rtpmap:")):
                assert line in offer.split("\r\n")


def test_direction_of_an_extension_is_turned_around() -> None:
    offer = OFFERS["chromium"].replace("a=extmap:13 urn", "a=extmap:13/sendonly urn")
    assert "a=extmap:13/recvonly urn:3gpp:video-orientation" in _answer(offer)


@pytest.mark.parametrize(
    ("offered", "answered"),
    [
        ("sendrecv", "sendrecv"),
        ("sendonly", "recvonly"),
        ("recvonly", "sendonly"),
        ("inactive", "inactive"),
    ],
)
def test_direction_of_a_line_is_turned_around(offered: str, answered: str) -> None:
    answer = _answer(OFFERS["chromium"].replace("a=sendrecv", f"a={offered}"))
    assert answer.count(f"a={answered}\r\n") == 2
    assert ("a=ssrc:11" in answer) == (offered in ("sendrecv", "recvonly"))


def test_a_refused_line_keeps_its_place_with_port_zero() -> None:
    data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\n"
    answer = _answer(OFFERS["chromium"] + data)
    assert "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n" in answer
    assert "a=group:BUNDLE 0 1\r\n" in answer
