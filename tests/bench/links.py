"""Compare the rules for a listener's rate over simulated lines: python -m tests.bench.links

A model of a browser sends 720p and sound over a clean uplink; the engine's own pure rules decide;
a model of a browser watches behind the line. Rules: `none` (nothing is limited), `remb` (a falling
estimate of the watcher, or loss: media/feedback.py), `cc` (the estimator that counts arrivals:
media/estimator.py). Whole frames are left out by media/thinning.py under `remb` and `cc`.

Columns: `use` is what arrives from second 10 on, as a share of the line or of the 2.5 Mbit/s a
camera sends at most, whichever is less; `queue` the longest time in seconds that packets waited
over 500 ms without a break; `kbit/s` and `pictures` per second from second 10 on; `still` the times
that the picture stood for over 500 ms from second 5 on; `lost` and `gap` what of the sound never
came, in percent, and the longest silence in it, in ms.
"""

import argparse
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from media.bucket import Bucket
from media.path import Flow
from media.steering import Steering
from tests.bench.line import Clock, Line, LineKind, Loss
from tests.bench.models import CEILING_BPS, Camera, Packet, Viewer

SECONDS = 40.0
UPLINK_SECONDS = 0.02
RATES = (0.3, 0.5, 1.0, 2.0, 20.0)
DELAYS = (0.0, 0.1)
LOSSES = (Loss(), Loss(0.03, 6))
RULES = ("none", "remb", "cc")
SEEDS = (1, 2)


@dataclass(frozen=True)
class Figures:
    """What one run showed; the columns of the table."""

    use: float
    queue_seconds: float
    kbps: float
    pictures: float
    still: int
    audio_lost: float
    audio_gap_ms: float


class Server:
    """The engine between camera and viewer: its rules, and nothing of its packets' bytes."""

    def __init__(self, clock: Clock, line: Line, rule: str, rtt: float) -> None:
        self._clock, self._line, self.rule = clock, line, rule
        self.steering = Steering()
        self._repairs = Bucket(200, 400)
        self._kept: dict[int, Packet] = {}
        self._number = self._wide = 0
        self._dropped_frame = -1
        self._attached = False
        self._octets = [0, 0]  # of video and audio
        self._reported = 0  # of both, when the viewer last reported
        self._told: int | None = None
        self._told_at = 0.0
        self.audio_sent = 0
        self.rtt = rtt
        self.queue_now = self.queue_longest = 0.0
        self.camera: Camera
        self.viewer: Viewer
        clock.every(0.1, self._judge)
        clock.every(0.02, self._watch_queue)
        clock.every(0.1, self._hear)
        clock.every(0.4, self._report)

    def take(self, packet: Packet) -> None:
        """Take what the camera sent: leave out frames as the flow says, number the rest."""
        self._octets[packet.frame < 0] += packet.size
        if packet.frame < 0:
            self.audio_sent += 1
            self._send(packet)
            return
        if packet.index == 0:
            self._dropped_frame = packet.frame if self._leaves_out(packet) else -1
        if packet.frame != self._dropped_frame and self._attached:
            packet.number = self._number
            self._number += 1
            self._kept[packet.number] = packet
            self._kept.pop(packet.number - 512, None)
            self._send(packet)

    def _leaves_out(self, packet: Packet) -> bool:
        flow = self.steering.flow if self.rule != "none" else Flow.ALL
        if flow == Flow.NONE:
            self._attached = False
            return True
        if not self._attached:
            self._attached = packet.keyframe
            self._kept.clear()
            if not packet.keyframe:
                self.wish()
        return not self._attached or (flow == Flow.BASE and packet.layer > 0)

    def _send(self, packet: Packet) -> None:
        now = self._clock.now
        sent = replace(packet, sent_at=now, wide=self._wide)
        self.steering.sent([(self._wide, now, packet.size)])
        self._wide = (self._wide + 1) & 0xFFFF
        self._line.send(packet.size, lambda: self.viewer.arrive(sent))

    def resend(self, number: int) -> None:
        def run() -> None:
            packet = self._kept.get(number)
            if packet is not None and self._attached and self._repairs.take(self._clock.now):
                self._send(packet)

        self._clock.at(self._clock.now + self.rtt / 2, run)

    def wish(self) -> None:
        self._clock.at(self._clock.now + UPLINK_SECONDS, self.camera.want_keyframe)

    def _hear(self) -> None:
        """Let the viewer's feedback of each 100 ms come back."""
        feedback = self.viewer.feedback()
        if feedback is not None and self.rule == "cc":
            self._clock.at(
                self._clock.now + self.rtt / 2,
                lambda: self.steering.feedback(feedback, self._clock.now),
            )

    def _judge(self) -> None:
        now = self._clock.now
        self.steering.judge(self._octets[0], self._octets[1], now)
        limit = self.steering.limit(now) if self.rule != "none" else None
        repairs = self.steering.repairs_per_second(self._clock.now)
        self._repairs.refit(repairs / 2, repairs)
        fell = limit is not None and (self._told is None or limit < 0.97 * self._told)
        if fell or (self._told is not None and self._clock.now - self._told_at > 0.4):
            self._told, self._told_at = limit, self._clock.now
            self._clock.at(
                self._clock.now + UPLINK_SECONDS, lambda: setattr(self.camera, "cap_bps", limit)
            )

    def _report(self) -> None:
        """Take a receiver report and what REMB says: once a second, or at once when it falls."""
        now, viewer, cap = self._clock.now, self.viewer, self.steering.cap
        rate = int((sum(self._octets) - self._reported) * 20)
        self._reported = sum(self._octets)
        if viewer.block[0] >= 50:
            cap.loss(viewer.block[1] / viewer.block[0], rate, now)
            viewer.block = [0, 0]
        bps = viewer.estimate.bps
        if bps is not None and (viewer.estimate.fell or int(now) != int(now - 0.4)):
            viewer.estimate.fell = False
            cap.estimate(bps, rate, now)

    def _watch_queue(self) -> None:
        self.queue_now = self.queue_now + 0.02 if self._line.waiting_seconds > 0.5 else 0.0
        self.queue_longest = max(self.queue_longest, self.queue_now)


def run(kind: LineKind, rule: str, seed: int, seconds: float = SECONDS) -> Figures:
    """Simulate one call and return its figures."""
    clock = Clock()
    line = Line(clock, kind, seed)
    server = Server(clock, line, rule, 2 * kind.delay + 0.004)
    server.viewer = Viewer(clock, server.resend, server.wish)
    server.viewer.rtt = server.rtt
    server.camera = Camera(
        clock, seed + 1000, lambda p: clock.at(clock.now + UPLINK_SECONDS, lambda: server.take(p))
    )
    clock.run(seconds)
    return _figures(kind, server, seconds)


def _figures(kind: LineKind, server: Server, seconds: float) -> Figures:
    viewer, after = server.viewer, 10.0
    octets = sum(size for second, size in viewer.bytes_after.items() if second >= after)
    bps = octets * 8 / (seconds - after)
    shown = [x for x in viewer.shown_at if x >= 5.0]
    stills = sum(b - a > 0.5 for a, b in itertools.pairwise([5.0, *shown, seconds]))
    heard = [0.0, *viewer.heard_at, seconds]
    lost = 1 - len(viewer.heard_at) / max(1, server.audio_sent)
    return Figures(
        use=bps / min(kind.bps, CEILING_BPS),
        queue_seconds=server.queue_longest,
        kbps=bps / 1000,
        pictures=sum(x >= after for x in shown) / (seconds - after),
        still=stills,
        audio_lost=100 * lost,
        audio_gap_ms=1000 * max(b - a for a, b in itertools.pairwise(heard)),
    )


def table(kinds: Sequence[LineKind], rules: Sequence[str], seeds: Sequence[int]) -> str:
    """Return the table of all runs as Markdown, the worst of the seeds in each cell."""
    head = "| Mbit/s | ms | loss | rule | use | queue | kbit/s | pictures | still | lost | gap |"
    lines = [head, "|---" * 11 + "|"]
    for kind, rule in itertools.product(kinds, rules):
        runs = [run(kind, rule, seed) for seed in seeds]
        cells = (
            f"{kind.bps / 1e6:g}",
            f"{kind.delay * 1000:.0f}",
            f"{100 * kind.loss.share:.0f} %" if kind.loss.share else "–",
            rule,
            f"{min(x.use for x in runs):.2f}",
            f"{max(x.queue_seconds for x in runs):.1f}",
            f"{min(x.kbps for x in runs):.0f}",
            f"{min(x.pictures for x in runs):.1f}",
            f"{max(x.still for x in runs)}",
            f"{max(x.audio_lost for x in runs):.1f}",
            f"{max(x.audio_gap_ms for x in runs):.0f}",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(x) for x in text.split(","))


def main() -> None:
    """Print the table for what the command line asks."""
    asked = argparse.ArgumentParser(description="rules for a listener's rate, compared")
    asked.add_argument("--seeds", type=_numbers, default=SEEDS)
    asked.add_argument("--rates", type=_numbers, default=RATES, help="Mbit/s")
    asked.add_argument("--delays", type=_numbers, default=DELAYS, help="seconds, one way")
    asked.add_argument("--queue", type=float, default=1.5, help="seconds that a line queues")
    asked.add_argument("--rules", type=lambda text: text.split(","), default=RULES)
    given = asked.parse_args()
    kinds = [
        LineKind(rate * 1e6, delay, loss, given.queue)
        for rate, delay, loss in itertools.product(given.rates, given.delays, LOSSES)
    ]
    print(table(kinds, given.rules, [int(x) for x in given.seeds]))


if __name__ == "__main__":
    main()
