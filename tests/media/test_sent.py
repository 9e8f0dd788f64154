"""What a receiver says of numbered packets is read as it was written, and any bytes are borne."""

import random

import pytest

from media.sent import Feedback, Sent, read_feedback
from media.transport_cc import Arrivals


def _told(pairs: list[tuple[int, float]]) -> list[Feedback]:
    """Return what another end reads of arrivals that ours reports."""
    arrivals = Arrivals()
    for number, at in pairs:
        arrivals.note(number & 0xFFFF, at)
    read = [read_feedback(packet[12:]) for packet in arrivals.report(1, 2)]
    assert None not in read
    return [x for x in read if x is not None]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95])
def test_arrivals_are_read_as_they_were_reported(share: float) -> None:
    draw = random.Random(share)
    pairs = [(65500 + n, 100 + n * 0.004) for n in range(300) if draw.random() >= share]
    read = {
        (feedback.first + step) & 0xFFFF: at
        for feedback in _told(pairs)
        for step, at in enumerate(feedback.arrivals)
        if at is not None
    }
    assert read.keys() == {number & 0xFFFF for number, _ in pairs}
    assert all(abs(read[number & 0xFFFF] - at) < 0.0003 for number, at in pairs)


def test_each_packet_is_accounted_for_once_and_strangers_never() -> None:
    sent = Sent()
    for number in range(65530, 65540):
        sent.note(number & 0xFFFF, number / 100, number - 65000)
    (feedback,) = _told([(n, 5 + n / 100) for n in range(65528, 65540) if n != 65533])
    seen = sent.take(feedback)
    assert [x.size for x in seen] == [n - 65000 for n in range(65530, 65540)]
    assert [x.arrived_at is None for x in seen].index(True) == 3
    delays = [x.arrived_at - x.sent_at for x in seen if x.arrived_at is not None]
    assert max(delays) - min(delays) < 0.001
    assert sent.take(feedback) == []


def test_times_go_on_over_the_end_of_the_reference() -> None:
    end = (1 << 24) * 0.064
    sent = Sent()
    times = []
    for number, at in enumerate((end - 0.05, end + 0.05)):
        sent.note(number, 0.0, 100)
        (feedback,) = _told([(number, at)])
        times += [x.arrived_at for x in sent.take(feedback) if x.arrived_at is not None]
    assert 0.09 < times[1] - times[0] < 0.11


def test_any_bytes_are_feedback_or_none() -> None:
    draw = random.Random(7)
    whole = Arrivals()
    for n in range(100):
        whole.note(n, 1 + n * n * 0.001)
    (packet,) = whole.report(1, 2)
    for _ in range(3000):
        body = bytearray(packet[12 : draw.randrange(12, len(packet) + 1)])
        for _ in range(draw.randrange(4)):
            if body:
                body[draw.randrange(len(body))] = draw.randrange(256)
        read = read_feedback(bytes(body))
        assert read is None or len(read.arrivals) <= 2048
    assert read_feedback(b"\0\0\xff\xff\0\0\0\0" + b"\x1f\xff" * 9) is None
