"""Over simulated lines the listener's rate keeps its promises (tests/bench/LINKS.md)."""

import pytest

from tests.bench.line import LineKind, Loss
from tests.bench.links import Figures, run

BURSTS = Loss(0.03, 6)
KINDS = {
    "narrow and far": LineKind(300_000, 0.1),
    "half, lossy": LineKind(500_000, 0.0, BURSTS),
    "one, deep queue": LineKind(1e6, 0.05, queue=4.0),
    "two, shallow queue": LineKind(2e6, 0.02, queue=0.2),
}


@pytest.mark.parametrize("seed", [31, 32])
@pytest.mark.parametrize("name", KINDS)
def test_a_line_is_used_without_a_standing_queue_and_sound_goes_on(name: str, seed: int) -> None:
    kind = KINDS[name]
    found: Figures = run(kind, "cc", seed, seconds=35.0)
    assert found.queue_seconds <= 3.0
    assert found.use >= 0.6
    assert found.audio_gap_ms < 500
    assert found.audio_lost < 6 + 100 * kind.loss.share
    assert found.pictures >= 4


def test_without_a_rule_the_same_line_drowns() -> None:
    drowned = run(KINDS["narrow and far"], "none", 31, seconds=8.0)
    assert drowned.queue_seconds > 7
    assert drowned.audio_lost > 50


def test_counting_arrivals_beats_the_watchers_own_estimate() -> None:
    kind = LineKind(500_000, 0.0)
    told, counted = (run(kind, rule, 31, seconds=20.0) for rule in ("remb", "cc"))
    assert counted.queue_seconds < told.queue_seconds
    assert counted.audio_lost < told.audio_lost
