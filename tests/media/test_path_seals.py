"""No number of a stream seals two plaintexts, whatever is done in whatever order (rule 25)."""

import random

import pytest

from media.path import NOBODY, Agreed, Flow
from tests.media.path_world import DELTA, KEY, RTX_TYPE, VIDEO_TYPE, World

SENT = ("newest", "newest", "late", "late", "rtx", "rtx", "nack") * 5
RARE = ("jump", "veil", "full", "deaf", "flow", "flow", "replace", "agree", "tick")
HEALED = ("heal",) * 6
NO_PORT = ("127.0.0.1", 0)


class Sealed:
    """Remembers what left under which number."""

    def __init__(self, world: World, draw: random.Random, *, rtx: int) -> None:
        self.world, self.draw, self.rtx = world, draw, rtx
        self.sender, self.listener = world.end(1000), world.end(2000)
        self.sink = self.listener.hears(self.sender.video, rtx=rtx, stamps=rtx != NOBODY, mid=b"m")
        self.head, self.step = 65530, 0
        self.seen: dict[tuple[int, bytes], set[bytes]] = {}

    async def look(self) -> None:
        """Take what has come; the sockets are read as they are, as a stranger would."""
        await self.world.settle()
        for sock in self.listener.sockets:
            while True:
                try:
                    data = sock.recv(4096)
                except BlockingIOError:
                    break
                self.seen.setdefault((int.from_bytes(data[2:4], "big"), data[8:12]), set()).add(
                    data
                )

    def _payload(self) -> bytes:
        self.step += 1
        begins = KEY if self.draw.random() < 0.3 else DELTA
        layer = self.draw.choice((b"", b"\x80\x20\x00", b"\x80\x20\x60"))
        if layer:
            begins = bytes((layer[0] | begins[0],)) + layer[1:] + begins[1:]
        return begins + self.step.to_bytes(2, "big")

    def heal(self) -> None:
        """Let everything pass again."""
        path = self.world.path
        path.set_open(self.sender.video, is_open=True)
        for end in (self.sender, self.listener):
            path.allow(end.leg, end.address, self.world.clock() + 30)
        path.use(self.listener.leg, self.listener.address)
        path.set_flow(self.sink, Flow.ALL)

    def act(self, what: str) -> None:
        """Do one thing that a sender, a line, an officer or a listener may do."""
        path, sender, step = self.world.path, self.sender, self.draw.randint(1, 3)
        match what:
            case "newest":  # with a gap before it, from which the late ones are
                self.head += step
                sender.shows(self.head, self._payload(), time=self.head // 3)
            case "late":
                sender.shows(self.head - step, self._payload(), time=(self.head - step) // 3)
            case "rtx":
                time = (self.head - step) // 3
                sender.repeats(self.head - step, self._payload(), time=time)
            case "jump":
                self.head += 9000
            case "veil":
                path.set_open(sender.video, is_open=False)
            case "full":  # a port that cannot be sent to
                path.allow(self.listener.leg, NO_PORT, self.world.clock() + 30)
                path.use(self.listener.leg, NO_PORT)
            case "deaf":  # consent has ended
                path.allow(self.listener.leg, self.listener.address, self.world.clock() - 1)
            case "flow":
                path.set_flow(self.sink, self.draw.choice((Flow.BASE, Flow.KEYS, Flow.NONE)))
            case "heal":
                self.heal()
            case "replace":
                path.replace(sender.video)
            case "agree":
                mid = self.draw.choice((b"m", b"n"))
                agreed = Agreed(VIDEO_TYPE, self.rtx, b"", self.rtx != NOBODY, False, mid)
                path.agree(self.sink, agreed)
            case "tick":
                self.world.advance(1.1)
            case "nack":
                path.resend(self.sink, [number for number, _ in self.seen], 500)


@pytest.mark.parametrize("rtx", [NOBODY, RTX_TYPE])
@pytest.mark.parametrize("seed", range(8))
async def test_whatever_comes_in_whatever_order_one_number_seals_one_text(
    world: World, seed: int, rtx: int
) -> None:
    sealed = Sealed(world, random.Random(seed), rtx=rtx)
    sealed.act("newest")
    for _ in range(800):
        sealed.act(sealed.draw.choice(SENT + RARE + HEALED))
        await sealed.look()
    assert all(len(texts) == 1 for texts in sealed.seen.values())
    assert len(sealed.seen) > 30
