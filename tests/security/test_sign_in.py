"""Signing in and out, over the real store and a clock that is set by hand."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher

from security.crypto.keys import KeyEncryptionKey
from security.errors import Denied, NotFound, ProtocolError, TooMuch
from security.passwords import Passwords
from security.people import (
    LinkPurpose,
    Municipality,
    Office,
    OfficeKind,
    Person,
    Role,
    SessionKind,
    Tablet,
)
from security.sign_in import NewSession, SignIn
from server.db.engine import Database, open_database
from server.db.people import SqlPeople
from server.db.sessions import SqlSessions
from server.keys import KeyRing

GOOD = "correct horse battery staple"
FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
START = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
LOGINS = {
    "clerk": Role.CLERK,
    "other-clerk": Role.CLERK,
    "verifier": Role.VERIFIER,
    "senior": Role.SENIOR,
    "administrator": Role.ADMINISTRATOR,
    "officer": Role.OFFICER,
    "auditor": Role.AUDITOR,
}


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        """Let time pass."""
        self.now += timedelta(**delta)


class NoteBook:
    """Remembers what would go into the audit log."""

    def __init__(self) -> None:
        self.tags: list[str] = []

    async def note(
        self, municipality_id: str, tag: str, subject: str, detail: dict[str, Any], *, now: datetime
    ) -> None:
        """Take a note."""
        assert municipality_id
        assert subject
        self.tags.append(tag)


@dataclass
class House:
    """A municipality with everybody in it."""

    clock: Clock
    database: Database
    people: SqlPeople
    sessions: SqlSessions
    sign_in: SignIn
    notes: NoteBook

    async def tablet(self, tablet_id: str = "t") -> tuple[str, Tablet]:
        """Enrol a tablet and return its token and itself."""
        code = await self.sign_in.make_link(LinkPurpose.ENROL, "m", tablet_id=tablet_id)
        token = (await self.sign_in.enrol(code)).token
        found = await self.people.tablet("m", tablet_id)
        assert found is not None
        return token, found

    async def at_desk(self, login: str = "verifier", password: str = GOOD) -> NewSession:
        """Sign in at the desk."""
        return await self.sign_in.sign_in("m", login, password, page="desk")

    async def clerk(self, tablet: Tablet, login: str = "clerk") -> NewSession:
        """Sign a clerk in."""
        return await self.sign_in.sign_in(None, login, GOOD, page="counter", tablet=tablet)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Municipalities m and n; two offices, two tablets and everybody in m, one person in n."""
    database = open_database(tmp_path)
    await database.migrate()
    people = SqlPeople(database, KeyRing(KeyEncryptionKey.generate()))
    for name in ("m", "n"):
        await people.add_municipality(Municipality(name, name, name, "", ""))
    for name in ("o", "other-o"):
        await people.add_office(Office(name, "m", name, OfficeKind.DIRECT))
    await people.add_tablet(Tablet("t", "m", "o", "1", None, None))
    await people.add_tablet(Tablet("other-t", "m", "other-o", "1", None, None))
    hashed = FAST.hash(GOOD)
    for login, role in LOGINS.items():
        office = None if role is not Role.CLERK else "other-o" if "other" in login else "o"
        await people.add_person(Person(login, "m", login, login, role, office, hashed, None))
    await people.add_person(
        Person("n-verifier", "n", "verifier", "V", Role.VERIFIER, None, FAST.hash("n" * 20), None)
    )
    clock, notes = Clock(), NoteBook()
    sessions = SqlSessions(database, people)
    sign_in = SignIn(people, sessions, clock=clock, passwords=Passwords(FAST), notes=notes)
    yield House(clock, database, people, sessions, sign_in, notes)
    await database.close()


async def code_of(awaitable: Any) -> str:
    """Return the code of the refusal that must come."""
    with pytest.raises((Denied, TooMuch)) as caught:
        await awaitable
    return str(caught.value.code)


# Who may sign in where


@pytest.mark.parametrize("login", ["verifier", "senior", "administrator"])
async def test_staff_sign_in_at_the_desk(house: House, login: str) -> None:
    begun = await house.at_desk(login)
    principal = await house.sign_in.authenticate(begun.token, SessionKind.DESK)
    assert principal.person is not None
    assert principal.person.login == login
    assert principal.municipality.id == "m"
    assert (principal.tablet, principal.office) == (None, None)


@pytest.mark.parametrize("login", ["clerk", "officer", "auditor"])
async def test_others_do_not_sign_in_at_the_desk(house: House, login: str) -> None:
    assert await code_of(house.at_desk(login)) == "bad_credentials"


async def test_a_clerk_signs_in_on_a_tablet_of_the_own_office(house: House) -> None:
    token, tablet = await house.tablet()
    begun = await house.clerk(tablet)
    assert begun.session.kind is SessionKind.CLERK
    principal = await house.sign_in.authenticate_counter(token, begun.token)
    assert principal.person is not None
    assert principal.tablet is not None
    assert principal.office is not None
    assert (principal.person.id, principal.tablet.id, principal.office.id) == ("clerk", "t", "o")


@pytest.mark.parametrize("login", sorted(set(LOGINS) - {"clerk"}))
async def test_nobody_else_signs_in_on_a_tablet(house: House, login: str) -> None:
    _, tablet = await house.tablet()
    assert await code_of(house.clerk(tablet, login)) == "bad_credentials"


async def test_no_clerk_signs_in_without_a_live_tablet(house: House) -> None:
    attempt = house.sign_in.sign_in("m", "clerk", GOOD, page="counter", tablet=None)
    assert await code_of(attempt) == "not_enrolled"
    _, tablet = await house.tablet()
    for dead in (replace(tablet, enrolled_at=None), replace(tablet, revoked_at=START)):
        assert await code_of(house.clerk(dead)) == "not_enrolled"


async def test_the_next_clerk_on_a_tablet_replaces_the_one_before(house: House) -> None:
    token, tablet = await house.tablet()
    first = await house.clerk(tablet)
    second = await house.clerk(tablet)
    assert (await house.sign_in.authenticate_counter(token, first.token)).person is None
    assert (await house.sign_in.authenticate_counter(token, second.token)).person is not None


async def test_a_clerks_cookie_on_another_tablet_says_nothing(house: House) -> None:
    _, tablet = await house.tablet()
    other_token, _ = await house.tablet("other-t")
    begun = await house.clerk(tablet)
    principal = await house.sign_in.authenticate_counter(other_token, begun.token)
    assert principal.person is None
    assert principal.session.tablet_id == "other-t"


async def test_the_municipality_may_be_left_out_only_when_it_is_clear(house: House) -> None:
    attempt = house.sign_in.sign_in(None, "verifier", GOOD, page="desk")
    assert await code_of(attempt) == "bad_credentials"
    attempt = house.sign_in.sign_in("n", "verifier", GOOD, page="desk")
    assert await code_of(attempt) == "bad_credentials"
    begun = await house.sign_in.sign_in("n", "verifier", "n" * 20, page="desk")
    assert begun.session.municipality_id == "n"


# Wrong passwords


async def test_every_wrong_sign_in_gets_the_same_answer(house: House) -> None:
    async def answer(municipality: str, login: str) -> tuple[str, str, int]:
        with pytest.raises(Denied) as caught:
            await house.sign_in.sign_in(municipality, login, "wrong" * 4, page="desk")
        return caught.value.code, caught.value.message, caught.value.status

    await house.people.disable_person("m", "senior", START)
    cases = [("m", "verifier"), ("m", "nobody"), ("x", "verifier"), ("m", "senior"), ("m", "clerk")]
    assert len({await answer(*case) for case in cases}) == 1


async def test_unknown_names_cost_a_hash_as_known_ones_do(house: House) -> None:
    class Counting(PasswordHasher):
        verified = 0

        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            self.verified += 1
            return super().verify(hash, password)

    counting = Counting(time_cost=1, memory_cost=8, parallelism=1)
    sign_in = SignIn(house.people, house.sessions, clock=house.clock, passwords=Passwords(counting))
    for number, (home, login) in enumerate([("m", "verifier"), ("m", "nobody"), ("x", "y")]):
        await code_of(sign_in.sign_in(home, login, "wrong" * 4, page="desk"))
        assert counting.verified == number + 1


@pytest.mark.parametrize("login", ["verifier", "nobody"])
async def test_ten_failures_lock_a_name_for_a_quarter_of_an_hour(house: House, login: str) -> None:
    for _ in range(10):
        assert await code_of(house.at_desk(login, "wrong" * 4)) == "bad_credentials"
    assert await code_of(house.at_desk(login)) == "too_many_tries"
    house.clock.forward(minutes=14, seconds=59)
    assert await code_of(house.at_desk(login)) == "too_many_tries"
    house.clock.forward(seconds=1)
    if login == "verifier":
        await house.at_desk(login)
    else:
        assert await code_of(house.at_desk(login)) == "bad_credentials"
    assert "sign-in:name:last-try" in house.notes.tags


async def test_a_success_forgets_the_failures(house: House) -> None:
    for _ in range(3):
        for _ in range(9):
            await code_of(house.at_desk(password="wrong" * 4))
        await house.at_desk()


async def test_tries_at_once_are_all_counted(house: House) -> None:
    codes = await asyncio.gather(*(code_of(house.at_desk(password="wrong" * 4)) for _ in range(14)))
    assert codes.count("bad_credentials") == 10
    assert codes.count("too_many_tries") == 4


async def test_one_locked_name_locks_no_other(house: House) -> None:
    for _ in range(11):
        await code_of(house.at_desk(password="wrong" * 4))
    await house.at_desk("senior")
    await house.sign_in.sign_in("n", "verifier", "n" * 20, page="desk")


async def test_typed_forms_of_a_name_are_one_name(house: House) -> None:
    await house.at_desk("  Verifier ")
    for login in ("verifier", "VERIFIER", " verifier"):
        for _ in range(4):
            await code_of(house.at_desk(login, "wrong" * 4))
    assert await code_of(house.at_desk()) == "too_many_tries"


@pytest.mark.parametrize("text", ["\ud800" * 12, "x" * 100_000, "\0" * 20, ""])
async def test_strange_passwords_are_wrong_passwords(house: House, text: str) -> None:
    assert await code_of(house.at_desk(password=text)) == "bad_credentials"
    assert await code_of(house.at_desk(login=text)) == "bad_credentials"


async def test_a_hash_of_older_strength_is_replaced(house: House) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1).hash(GOOD)
    await house.people.set_password("m", "verifier", weak, end_sessions_at=None)
    await house.at_desk()
    person = await house.people.person("m", "verifier")
    assert person is not None
    assert person.password_hash is not None
    assert "m=8," in person.password_hash
    await house.at_desk()


# Sessions


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
    assert await code_of(house.sign_in.enrol(code)) == "code_unknown"


async def test_a_sign_in_that_was_under_way_does_not_outlive_its_end(house: House) -> None:
    token, tablet = await house.tablet()
    late_clerk, late_desk = await house.clerk(tablet), await house.at_desk()
    await house.sign_in.revoke_tablet("m", "t")
    await house.people.disable_person("m", "verifier", house.clock())
    hashes = []
    for begun in (late_clerk, late_desk):
        late = replace(begun.session, token_hash=f"late-{begun.session.kind}")
        await house.sessions.begin(late)
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


# Links and codes


async def test_a_code_enrols_one_tablet_once_however_it_is_typed(house: House) -> None:
    code = await house.sign_in.make_link(LinkPurpose.ENROL, "m", tablet_id="t")
    assert len(code) == 9
    typed = f" {code.lower().replace('-', ' ')} "
    begun = await house.sign_in.enrol(typed)
    assert begun.session.tablet_id == "t"
    assert await code_of(house.sign_in.enrol(code)) == "code_unknown"


async def test_of_many_who_use_a_code_at_once_one_gets_the_tablet(house: House) -> None:
    code = await house.sign_in.make_link(LinkPurpose.ENROL, "m", tablet_id="t")
    results = await asyncio.gather(
        *(house.sign_in.enrol(code) for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(result, NewSession) for result in results) == 1


async def test_a_code_ends_after_ten_minutes_and_by_the_next_code(house: House) -> None:
    old = await house.sign_in.make_link(LinkPurpose.ENROL, "m", tablet_id="t")
    new = await house.sign_in.make_link(LinkPurpose.ENROL, "m", tablet_id="t")
    assert await code_of(house.sign_in.enrol(old)) == "code_unknown"
    house.clock.forward(minutes=10)
    assert await code_of(house.sign_in.enrol(new)) == "code_unknown"


async def test_enrolling_again_ends_the_device_before(house: House) -> None:
    old, _ = await house.tablet()
    new, _ = await house.tablet()
    assert await code_of(house.sign_in.authenticate(old, SessionKind.TABLET)) == "not_enrolled"
    await house.sign_in.authenticate(new, SessionKind.TABLET)


@pytest.mark.parametrize("code", ["", "ABCD-EFGH", "----", "🙂", "\ud800", "x" * 100_000])
async def test_codes_that_were_never_given_enrol_nothing(house: House, code: str) -> None:
    assert await code_of(house.sign_in.enrol(code)) == "code_unknown"


async def test_a_link_signs_in_once_at_the_desk(house: House) -> None:
    link = await house.sign_in.make_link(LinkPurpose.SIGN_IN, "m", person_id="verifier")
    exchanged = await house.sign_in.exchange_link(link)
    (begun,) = exchanged.sessions
    assert (exchanged.page, begun.session.kind) == ("desk", SessionKind.DESK)
    await house.sign_in.authenticate(begun.token, SessionKind.DESK)
    assert await code_of(house.sign_in.exchange_link(link)) == "link_used"


async def test_a_link_with_a_tablet_enrols_it_and_signs_its_clerk_in(house: House) -> None:
    link = await house.sign_in.make_link(LinkPurpose.SIGN_IN, "m", person_id="clerk", tablet_id="t")
    exchanged = await house.sign_in.exchange_link(link)
    assert exchanged.page == "counter"
    tablet, clerk = exchanged.sessions
    principal = await house.sign_in.authenticate_counter(tablet.token, clerk.token)
    assert principal.person is not None


async def test_a_link_ends_after_ten_minutes(house: House) -> None:
    link = await house.sign_in.make_link(LinkPurpose.SIGN_IN, "m", person_id="verifier")
    house.clock.forward(minutes=10)
    assert await code_of(house.sign_in.exchange_link(link)) == "link_used"


async def test_a_link_opens_nothing_but_what_it_is_for(house: House) -> None:
    password = await house.sign_in.make_link(LinkPurpose.PASSWORD, "m", person_id="verifier")
    sign_in = await house.sign_in.make_link(LinkPurpose.SIGN_IN, "m", person_id="verifier")
    enrol = await house.sign_in.make_link(LinkPurpose.ENROL, "m", tablet_id="t")
    assert await code_of(house.sign_in.exchange_link(password)) == "link_used"
    assert await code_of(house.sign_in.exchange_link(enrol)) == "link_used"
    assert await code_of(house.sign_in.set_password(sign_in, GOOD)) == "link_used"
    assert await code_of(house.sign_in.enrol(sign_in)) == "code_unknown"
    await house.sign_in.set_password(password, GOOD + "!")


async def test_a_new_password_ends_the_sessions_under_the_old_one(house: House) -> None:
    begun = await house.at_desk()
    link = await house.sign_in.make_link(LinkPurpose.PASSWORD, "m", person_id="verifier")
    await house.sign_in.set_password(link, "another good password")
    assert await code_of(house.sign_in.authenticate(begun.token, SessionKind.DESK)) == "signed_out"
    assert await code_of(house.at_desk()) == "bad_credentials"
    await house.at_desk(password="another good password")
    assert await code_of(house.sign_in.set_password(link, GOOD)) == "link_used"


async def test_a_new_password_opens_a_locked_name(house: House) -> None:
    for _ in range(11):
        await code_of(house.at_desk(password="wrong" * 4))
    link = await house.sign_in.make_link(LinkPurpose.PASSWORD, "m", person_id="verifier")
    await house.sign_in.set_password(link, "another good password")
    await house.at_desk(password="another good password")


async def test_a_weak_password_leaves_the_link_usable(house: House) -> None:
    link = await house.sign_in.make_link(LinkPurpose.PASSWORD, "m", person_id="verifier")
    with pytest.raises(ProtocolError) as caught:
        await house.sign_in.set_password(link, "short")
    assert caught.value.code == "weak_password"
    await house.sign_in.set_password(link, "ｃｏｒｒｅｃｔ horse battery")
    await house.at_desk(password="correct horse battery")


async def test_what_happened_is_noted(house: House) -> None:
    _, tablet = await house.tablet()
    await house.clerk(tablet)
    await house.at_desk()
    link = await house.sign_in.make_link(LinkPurpose.PASSWORD, "m", person_id="verifier")
    await house.sign_in.set_password(link, "another good password")
    await house.sign_in.revoke_tablet("m", "t")
    assert house.notes.tags == [
        "sign-in:tablet:enrol",
        "sign-in:clerk:begin",
        "sign-in:desk:begin",
        "sign-in:person:password",
        "sign-in:tablet:revoke",
    ]
