"""Sessions: how they end, by time and by hand."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from security.errors import NotFound
from security.people import LinkPurpose, SessionKind
from tests.security.conftest import GOOD, START, House, code_of


async def test_the_token_itself_is_never_stored(house: House) -> None:
    begun = await house.at_desk()
    await house.database.checkpoint()
    file = Path(str(house.database.engine.url.database))
    content = file.read_bytes()
    assert begun.session.token_hash.encode() in content
    assert begun.token.encode() not in content


async def test_an_untouched_session_ends_after_a_quarter_of_an_hour(house: House) -> None:
    begun = await house.at_desk()
    house.clock.forward(minutes=14)
    await house.sign_in.authenticate(begun.token, SessionKind.DESK)
    house.clock.forward(minutes=14)
    await house.sign_in.authenticate(begun.token, SessionKind.DESK)
    house.clock.forward(minutes=15)
    refused = house.sign_in.authenticate(begun.token, SessionKind.DESK)
    assert await code_of(refused) == "signed_out"


async def test_an_idle_lock_never_ends_a_running_call(house: House) -> None:
    begun = await house.at_desk()
    house.clock.forward(hours=2)
    assert await house.sign_in.live_sessions([begun.session.token_hash])
    await house.sign_in.authenticate(begun.token, SessionKind.DESK, busy=lambda _: True)
    house.clock.forward(minutes=14)
    await house.sign_in.authenticate(begun.token, SessionKind.DESK)


async def test_a_session_ends_after_twelve_hours_whatever_is_done(house: House) -> None:
    begun = await house.at_desk()
    for _ in range(71):
        house.clock.forward(minutes=10)
        await house.sign_in.authenticate(begun.token, SessionKind.DESK)
    house.clock.forward(minutes=10)
    refused = house.sign_in.authenticate(begun.token, SessionKind.DESK, busy=lambda _: True)
    assert await code_of(refused) == "signed_out"
    assert await house.sign_in.live_sessions([begun.session.token_hash]) == set()


async def test_a_tablet_stays_enrolled_for_400_days_and_is_never_idle(house: House) -> None:
    token, _ = await house.tablet()
    house.clock.forward(days=399, hours=23)
    await house.sign_in.authenticate(token, SessionKind.TABLET)
    house.clock.forward(hours=1)
    assert await code_of(house.sign_in.authenticate(token, SessionKind.TABLET)) == "not_enrolled"


async def test_touching_is_written_at_most_once_a_minute(house: House) -> None:
    begun = await house.at_desk()
    for seconds, seen in ((59, 0), (1, 60), (59, 60), (1, 120)):
        house.clock.forward(seconds=seconds)
        await house.sign_in.authenticate(begun.token, SessionKind.DESK)
        principal = await house.sessions.principal(begun.session.token_hash, SessionKind.DESK)
        assert principal is not None
        assert principal.session.last_seen_at == START + timedelta(seconds=seen)


async def test_a_cookie_of_one_kind_is_none_of_another(house: House) -> None:
    begun = await house.at_desk()
    token, _ = await house.tablet()
    for kind in (SessionKind.CLERK, SessionKind.TABLET):
        await code_of(house.sign_in.authenticate(begun.token, kind))
    for kind in (SessionKind.CLERK, SessionKind.DESK):
        await code_of(house.sign_in.authenticate(token, kind))


@pytest.mark.parametrize("token", [None, "", "x", "\ud800", "a" * 100_000])
async def test_no_token_and_nonsense_are_nobody(house: House, token: str | None) -> None:
    assert await code_of(house.sign_in.authenticate(token, SessionKind.DESK)) == "signed_out"
    assert await code_of(house.sign_in.authenticate(token, SessionKind.TABLET)) == "not_enrolled"


async def test_signing_out_ends_the_session_and_no_other(house: House) -> None:
    one, two = await house.at_desk(), await house.at_desk()
    await house.sign_in.sign_out(one.token)
    await house.sign_in.sign_out(one.token)
    await house.sign_in.sign_out("never seen")
    assert await code_of(house.sign_in.authenticate(one.token, SessionKind.DESK)) == "signed_out"
    await house.sign_in.authenticate(two.token, SessionKind.DESK)
    hashes = [one.session.token_hash, two.session.token_hash, "unknown"]
    assert await house.sign_in.live_sessions(hashes) == {two.session.token_hash}
    assert await house.sign_in.live_sessions([]) == set()


async def test_disabling_a_person_ends_everything_of_theirs(house: House) -> None:
    begun = await house.at_desk()
    link = await house.sign_in.make_link(LinkPurpose.PASSWORD, "m", person_id="verifier")
    await house.people.disable_person("m", "verifier", house.clock())
    assert await code_of(house.sign_in.authenticate(begun.token, SessionKind.DESK)) == "signed_out"
    assert await house.sign_in.live_sessions([begun.session.token_hash]) == set()
    assert await code_of(house.at_desk()) == "bad_credentials"
    assert await code_of(house.sign_in.set_password(link, GOOD + "!")) == "link_used"


async def test_revoking_a_tablet_ends_it_its_clerk_and_its_codes(house: House) -> None:
    token, tablet = await house.tablet()
    clerk = await house.clerk(tablet)
    code = await house.sign_in.make_link(LinkPurpose.ENROL, "m", tablet_id="t")
    hashes = [clerk.session.token_hash]
    assert await house.sign_in.live_sessions(hashes) == set(hashes)
    await house.sign_in.revoke_tablet("m", "t")
    assert await house.sign_in.live_sessions(hashes) == set()
    assert await code_of(house.sign_in.authenticate_counter(token, clerk.token)) == "not_enrolled"
    assert await code_of(house.sign_in.authenticate(clerk.token, SessionKind.CLERK)) == "signed_out"
    assert await code_of(house.enrol(code)) == "code_unknown"


async def test_a_sign_in_that_was_under_way_does_not_outlive_its_end(house: House) -> None:
    token, tablet = await house.tablet()
    late_clerk, late_desk = await house.clerk(tablet), await house.at_desk()
    await house.sign_in.revoke_tablet("m", "t")
    await house.people.disable_person("m", "verifier", house.clock())
    hashes = []
    for begun in (late_clerk, late_desk):
        late = replace(begun.session, token_hash=f"late-{begun.session.kind}")
        await house.sessions.begin(late, unused_since=START)
        hashes.append(late.token_hash)
    assert await house.sign_in.live_sessions(hashes) == set()
    assert await code_of(house.sign_in.authenticate(token, SessionKind.TABLET)) == "not_enrolled"


async def test_a_tablet_of_another_municipality_cannot_be_revoked(house: House) -> None:
    token, _ = await house.tablet()
    with pytest.raises(NotFound):
        await house.sign_in.revoke_tablet("n", "t")
    await house.sign_in.authenticate(token, SessionKind.TABLET)


async def test_old_sign_ins_are_swept_and_live_ones_stay(house: House) -> None:
    token, _ = await house.tablet()
    await house.at_desk()
    await code_of(house.at_desk(password="wrong" * 4))
    house.clock.forward(days=3)
    await house.sessions.sweep(house.clock())
    async with house.database.reading() as connection:
        counts = [
            (await connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}")).scalar_one()
            for table in ("session", "link", "sign_in_try")
        ]
    assert counts == [1, 0, 0]
    await house.sign_in.authenticate(token, SessionKind.TABLET)


# 受付中 and 離席


async def test_a_desk_left_open_is_away_at_the_next_sign_in(house: House) -> None:
    await house.at_desk()
    await house.people.set_desk_open("m", "verifier", open=True)
    house.clock.forward(hours=15)
    await house.at_desk()
    assert not await house.people.desk_open("m", "verifier")
    assert await house.people.open_desks() == []


@pytest.mark.parametrize("idle_minutes", [0, 14])
async def test_a_second_sign_in_leaves_an_open_desk_open(house: House, idle_minutes: int) -> None:
    await house.at_desk()
    await house.people.set_desk_open("m", "verifier", open=True)
    house.clock.forward(minutes=idle_minutes)
    await house.at_desk()
    assert await house.people.desk_open("m", "verifier")


@pytest.mark.parametrize("ended", ["idle", "signed out"])
async def test_a_session_that_has_ended_keeps_no_desk_open(house: House, ended: str) -> None:
    first = await house.at_desk()
    await house.people.set_desk_open("m", "verifier", open=True)
    if ended == "idle":
        house.clock.forward(minutes=15)
    else:
        await house.sign_in.sign_out(first.token)
    await house.at_desk()
    assert not await house.people.desk_open("m", "verifier")


async def test_signing_in_closes_no_other_desk(house: House) -> None:
    await house.people.set_desk_open("m", "senior", open=True)
    await house.people.set_desk_open("n", "n-verifier", open=True)
    await house.at_desk()
    _, tablet = await house.tablet()
    await house.clerk(tablet)
    assert await house.people.open_desks() == [("m", "senior"), ("n", "n-verifier")]


async def test_a_clock_that_is_set_back_brings_no_sign_in_more_time(house: House) -> None:
    begun = await house.at_desk()
    house.clock.forward(minutes=10)
    await house.sign_in.authenticate(begun.token, SessionKind.DESK)
    house.clock.forward(minutes=-4)
    await house.sign_in.authenticate(begun.token, SessionKind.DESK)
    house.clock.forward(minutes=-2)
    refused = house.sign_in.authenticate(begun.token, SessionKind.DESK)
    assert await code_of(refused) == "signed_out"
