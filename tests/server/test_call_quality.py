"""The quality of one running call: whose word counts for what, and what is kept."""

from dataclasses import replace

import pytest

from media.quality import Cause, Level, MinimumPicture, Place
from media.quality_lines import Received, Report, Sent
from media.settings import PartyStats
from server.calls.quality import CallQuality, Shown

MINIMUM = MinimumPicture(360, 5, 20)
FINE = Report(3.0, 40, Received(30, 1280, 720, 0.0, 5, 0, 0), Sent(30, 1280, 720, "none"))
START = PartyStats(
    up=True,
    packets_received=0,
    bytes_received=0,
    packets_forwarded=0,
    bytes_forwarded=0,
    lost=0,
    rtt_seconds=0.04,
    loss_fraction=0.0,
    jitter_seconds=0.004,
    remb_bps=None,
    cap_bps=None,
)


class Story:
    """A call that is looked at every three seconds."""

    def __init__(self) -> None:
        self.quality = CallQuality()
        self.now = 1000.0
        self.stats = {"counter": START, "desk": START}

    def pass_on(
        self,
        *,
        looks: int = 1,
        picture: bool = True,
        lost: int = 0,
        counter: Report | None = FINE,
        desk: Report | None = FINE,
    ) -> Shown:
        """Let looks pass in which both parties send and get 600 packets; return the last."""
        for _ in range(looks):
            self.now += 3.0
            for party, report in (("counter", counter), ("desk", desk)):
                if report is not None:
                    self.quality.report(party, report, self.now - 0.5)
                before = self.stats[party]
                self.stats[party] = replace(
                    before,
                    packets_received=before.packets_received + 600,
                    bytes_received=before.bytes_received + 600_000,
                    packets_forwarded=before.packets_forwarded + 600,
                    bytes_forwarded=before.bytes_forwarded + 600_000,
                    lost=before.lost + (lost if party == "counter" else 0),
                )
            shown = self.quality.look(self.stats, self.now, picture=picture, minimum=MINIMUM)
        return shown


@pytest.fixture
def story() -> Story:
    made = Story()
    made.pass_on(looks=2)
    return made


def test_a_good_call_is_called_good_at_its_first_measured_look() -> None:
    story = Story()
    assert story.pass_on().desk.level is Level.GOOD
    assert story.pass_on().counter.level is Level.GOOD


def test_loss_on_the_counters_line_is_told_to_both_ends(story: Story) -> None:
    shown = story.pass_on(looks=2, lost=120)
    assert (shown.desk.cause, shown.desk.place) == (Cause.LOSS, Place.COUNTER)
    assert shown.counter.level is Level.POOR


def test_what_a_counter_reports_is_never_taken_for_what_the_desk_sees(story: Story) -> None:
    tiny = replace(FINE, received=replace(FINE.received, width=80, height=60, fps=1.0))
    shown = story.pass_on(looks=20, counter=tiny)
    assert not shown.abort_offered
    assert shown.lines["desk"].receives.width == 1280


def test_a_counter_that_claims_a_fine_picture_does_not_take_the_offer_away(story: Story) -> None:
    little = replace(FINE, received=replace(FINE.received, fps=1.0))
    assert story.pass_on(looks=8, desk=little).abort_offered


def test_a_page_that_reports_nothing_is_not_below_the_minimum(story: Story) -> None:
    shown = story.pass_on(looks=20, desk=None)
    assert not shown.abort_offered
    assert shown.desk.level is Level.GOOD
    assert shown.lines["desk"].receives.fps is None


def test_a_veiled_picture_is_not_judged(story: Story) -> None:
    black = replace(FINE, received=replace(FINE.received, fps=0.0), sent=Sent(0.0, 1280, 720))
    shown = story.pass_on(looks=20, picture=False, counter=black, desk=black)
    assert shown.desk.level is Level.GOOD
    assert not shown.abort_offered


def test_freezes_are_counted_once_however_often_they_are_looked_at(story: Story) -> None:
    frozen = replace(FINE, received=replace(FINE.received, freezes=2, frozen_ms=600))
    story.pass_on(desk=frozen)
    story.pass_on(looks=2, desk=None)
    kept = story.quality.summaries["desk", "receives"]
    assert (kept.freezes, kept.frozen_ms) == (2, 600)


def test_two_reports_between_two_looks_both_count(story: Story) -> None:
    frozen = replace(FINE, received=replace(FINE.received, freezes=2, frozen_ms=600))
    story.quality.report("desk", frozen, story.now)
    story.pass_on(desk=frozen)
    assert story.quality.summaries["desk", "receives"].freezes == 4


def test_the_summary_weighs_every_direction_by_time(story: Story) -> None:
    story.pass_on(looks=5, lost=120)
    kept = story.quality.summaries["counter", "sends"]
    assert set(story.quality.summaries) == {
        (party, way) for party in ("counter", "desk") for way in ("sends", "receives")
    }
    assert (kept.seconds, kept.poor_seconds, kept.lost) == (18, 15, 600)
    assert kept.loss == pytest.approx(600 / (6 * 600 + 600))
    assert kept.kbps == 1600


def test_a_party_without_a_connection_has_no_lines(story: Story) -> None:
    del story.stats["desk"]
    story.now += 3
    shown = story.quality.look(story.stats, story.now, picture=True, minimum=MINIMUM)
    assert set(shown.lines) == {"counter"}
