"""Up to four parties: everybody is shown everybody for whom there is a line, and no one else."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from media.node import MediaNode
from media.sdp import Line, parse_offer
from security.errors import NotFound
from tests.media.basics import CALL, Events
from tests.media.probe import DELTA, KEYFRAME, Probe

Eventually = Callable[..., Awaitable[bool]]


class Guest(Probe):
    """A probe with lines for `places` other parties, and a name that its packets bear."""

    def __init__(self, number: int, places: int) -> None:
        super().__init__(ssrc=1000 * number)
        self.number, self.places = number, places

    def offer(self) -> str:
        text = super().offer()
        head, audio, video = re.split(r"(?=m=(?:audio|video))", text)
        mids = [str(n) for n in range(2 * self.places)]
        lines = [head.replace("BUNDLE 0 1", "BUNDLE " + " ".join(mids)), audio, video]
        for n in range(1, self.places):
            for line, mid in ((audio, 2 * n), (video, 2 * n + 1)):
                more = re.sub(r"a=mid:.*", f"a=mid:{mid}\r", line)
                more = re.sub(r"a=ssrc:.*\n", "", more).replace("a=sendrecv", "a=recvonly")
                lines.append(more)
        return "".join(lines)

    def say(self, seq: int = 1) -> None:
        """Send a picture and a sound that bear the name."""
        self.send_video(seq, (KEYFRAME if seq == 1 else DELTA) + bytes((self.number,)))
        self.send_audio(seq, bytes((self.number,)))

    def heard(self) -> dict[int, tuple[int, int]]:
        """Return by SSRC who was received there, as (payload type, name)."""
        return {x.ssrc: (x.payload_type, x.payload[-1]) for x in self.rtp}

    def by_mid(self) -> dict[str, int]:
        """Return the name of who was received on each line of the answer."""
        heard, found = self.heard(), {}
        for part in re.split(r"(?=m=(?:audio|video))", self.answer)[1:]:
            mid = re.search(r"a=mid:(\S+)", part)
            for ssrc in re.findall(r"a=ssrc:(\d+) cname", part):
                if int(ssrc) in heard and mid is not None:
                    found[mid[1]] = heard[int(ssrc)][1]
        return found


@pytest.fixture
async def make_guest() -> AsyncIterator[Callable[[int, int], Guest]]:
    made: list[Guest] = []

    def make(number: int, places: int) -> Guest:
        made.append(Guest(number, places))
        return made[-1]

    yield make
    for guest in made:
        guest.close()
    assert [trouble for guest in made for trouble in guest.troubles] == []


async def test_four_parties_see_and_hear_one_another(
    node: MediaNode, make_guest: Callable[[int, int], Guest], eventually: Eventually
) -> None:
    guests = {name: make_guest(n, 3) for n, name in enumerate("abcd", 1)}
    for name, guest in guests.items():
        await guest.connect(node, name)
    for guest in guests.values():
        guest.say()
    assert await eventually(lambda: all(len(x.rtp) == 6 for x in guests.values()))
    for name, guest in guests.items():
        names = {other: x.number for other, x in guests.items() if other != name}
        assert sorted(guest.heard().values()) == sorted(
            (kind, number) for number in names.values() for kind in (96, 111)
        )
        shown = node.shown(CALL, name)
        assert guest.by_mid() == {mid: names[other] for mid, other in shown.items()}
        for n in range(3):  # sound and pictures of one party have lines of the same place
            assert shown[str(2 * n)] == shown[str(2 * n + 1)]


async def test_who_leaves_makes_room_and_nobody_else_changes_place(
    node: MediaNode, make_guest: Callable[[int, int], Guest], eventually: Eventually
) -> None:
    guests = {name: make_guest(n, 3) for n, name in enumerate("abcd", 1)}
    for name, guest in guests.items():
        await guest.connect(node, name)
    before = node.shown(CALL, "a")
    assert [before[x] for x in "024"] == ["b", "c", "d"]
    node.leave(CALL, "b")
    assert [node.shown(CALL, "a")[x] for x in "024"] == ["", "c", "d"]
    again = make_guest(5, 1)
    await again.connect(node, "e")
    assert [node.shown(CALL, "a")[x] for x in "024"] == ["e", "c", "d"]
    again.say()
    assert await eventually(lambda: len(guests["a"].rtp) == 2)
    assert guests["a"].by_mid() == {"0": 5, "1": 5}


async def test_who_lacks_lines_is_asked_once_for_an_offer_with_more(
    node: MediaNode,
    make_guest: Callable[[int, int], Guest],
    eventually: Eventually,
    events: Events,
) -> None:
    counter, desk, third = make_guest(1, 1), make_guest(2, 1), make_guest(3, 2)
    await counter.connect(node, "counter")
    await desk.connect(node, "desk")
    assert node.places_wanted(CALL, "desk") == 1
    await third.connect(node, "third")

    def asked() -> list[str]:
        return [party for reason, _, party in events.told if reason == "streams"]

    assert await eventually(lambda: sorted(asked()) == ["counter", "desk"])
    assert node.places_wanted(CALL, "desk") == 2
    third.say()
    counter.say()
    assert await eventually(lambda: len(desk.rtp) == 2)
    assert desk.by_mid() == {"0": 1, "1": 1}  # who was there first stays

    desk.places = 2
    await desk.join(node, "desk")
    assert node.shown(CALL, "desk") == {
        "0": "counter",
        "1": "counter",
        "2": "third",
        "3": "third",
    }
    third.say(2)
    counter.say(2)
    assert await eventually(lambda: len(desk.rtp) == 7)  # with what began before it had a line
    assert desk.by_mid() == {"0": 1, "1": 1, "2": 3, "3": 3}
    assert sorted(asked()) == ["counter", "desk"]
    assert (events.places["counter"], events.places["desk"]) == (2, 2)
    assert events.lines["desk"] == node.shown(CALL, "desk")
    node.leave(CALL, "third")
    assert events.lines["desk"] == {"0": "counter", "1": "counter", "2": "", "3": ""}


async def test_a_veil_hides_the_picture_from_everybody(
    node: MediaNode, make_guest: Callable[[int, int], Guest], eventually: Eventually
) -> None:
    guests = [make_guest(n, 2) for n in (1, 2, 3)]
    for guest, name in zip(guests, ("counter", "desk", "senior"), strict=True):
        await guest.connect(node, name)
    node.set_veil(CALL, "counter", on=True)
    guests[0].say()
    assert await eventually(lambda: all(len(x.sounds()) == 1 for x in guests[1:]))
    assert [len(x.videos()) for x in guests] == [0, 0, 0]
    with pytest.raises(NotFound):
        node.shown("another", "desk")


async def test_the_answer_sends_on_further_lines_and_takes_nothing_there(
    node: MediaNode, make_guest: Callable[[int, int], Guest]
) -> None:
    guest = make_guest(1, 3)
    await guest.join(node, "counter")
    parts = re.split(r"(?=m=(?:audio|video))", guest.answer)[1:]
    directions = [re.findall("a=(sendrecv|sendonly|recvonly|inactive)\r", x) for x in parts]
    assert directions == [["sendrecv"]] * 2 + [["sendonly"]] * 4
    streams = [re.findall("a=msid:(\\S+)", x)[0] for x in parts]
    assert streams == ["madoguchi"] * 2 + ["madoguchi2"] * 2 + ["madoguchi3"] * 2
    ssrcs = [x for part in parts for x in set(re.findall(r"a=ssrc:(\d+) cname", part))]
    assert len(ssrcs) == len(set(ssrcs)) == 9
    before = guest.answer
    await guest.join(node, "counter")  # the same again keeps every number
    assert sorted(re.findall(r"a=ssrc:(\d+)", before)) == sorted(
        re.findall(r"a=ssrc:(\d+)", guest.answer)
    )


def test_lines_beyond_the_third_of_a_kind_are_refused() -> None:
    text = Guest.offer(_Paper())
    lines = parse_offer(text).lines
    taken = [x.kind for x in lines if isinstance(x, Line)]
    assert (len(lines), taken) == (10, ["audio", "video"] * 3)
    assert parse_offer(text).places == 3


class _Paper(Guest):
    """A guest with an offer and no sockets."""

    def __init__(self) -> None:
        self.identity = type("Fingerprint", (), {"fingerprint": ":".join(["AB"] * 32)})()
        self.ufrag, self.video, self.rtx, self.orientation = "ufrag", 96, 97, 13
        self.audio_ssrc, self.video_ssrc, self.rtx_ssrc, self.announces = 1, 2, 3, True
        self.places, self.h264 = 5, None


def test_a_line_that_is_not_needed_may_be_inactive() -> None:
    text = Guest.offer(_Paper()).replace("a=recvonly", "a=inactive")
    assert parse_offer(text).places == 1
