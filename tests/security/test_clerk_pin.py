"""PINs of clerks: the rule, the pauses, the first PIN, device and PIN."""

from dataclasses import replace
from datetime import timedelta

import pytest

from security.clerk_sign_in import ClerkSignIn
from security.errors import Conflict, ProtocolError, TooMuch
from security.passwords import Passwords
from security.people import SessionKind, Tablet
from security.pin_rule import LOCKED_AFTER, check_pin, is_trivial, normal_pin, pause_after
from tests.security.conftest import FAST, House, code_of

PIN, OTHER = "730184", "59172640"


def reasons_of(pin: str, login: str = "clerk", before: str | None = None) -> set[str]:
    """Return the codes of what stands against a PIN."""
    try:
        check_pin(normal_pin(pin), login, before=before)
    except ProtocolError as weak:
        return {reason.code for reason in weak.reasons} | ({weak.code} - {"weak_pin"})
    return set()


@pytest.mark.parametrize("pin", [PIN, OTHER, "730184592716", "７３０１８４", "7301 84", " 730184 "])
def test_six_to_twelve_digits_are_a_pin(pin: str) -> None:
    assert reasons_of(pin) == set()


@pytest.mark.parametrize(
    ("pin", "code"),
    [
        ("73018", "pin_length"),
        ("7301845927163", "pin_length"),
        ("", "pin_length"),
        ("73o184", "pin_digits"),
        ("٧٣٠١٨٤", "pin_digits"),
        ("000000", "pin_trivial"),
        ("123456", "pin_trivial"),
        ("654321", "pin_trivial"),
        ("789012", "pin_trivial"),
        ("135791", "pin_trivial"),
        ("121212", "pin_trivial"),
        ("112112", "pin_trivial"),
        ("123123", "pin_trivial"),
        ("73017301", "pin_trivial"),
        ("112233", "pin_trivial"),
    ],
)
def test_what_anybody_would_try_first_is_no_pin(pin: str, code: str) -> None:
    assert code in reasons_of(pin)


def test_every_reason_is_said_at_once() -> None:
    assert reasons_of("111", "111", "111") == {
        "pin_length",
        "pin_trivial",
        "pin_is_login",
        "pin_same",
    }


def test_pauses_grow_and_end_at_a_quarter_of_an_hour() -> None:
    seconds = [int(pause_after(n).total_seconds()) for n in range(13)]
    assert seconds == [0, 0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert pause_after(10_000) == timedelta(minutes=15)


@pytest.fixture
def clerks(house: House) -> ClerkSignIn:
    """The service over the house's stores."""
    return ClerkSignIn(
        house.people,
        house.sessions,
        house.sign_in,
        clock=house.clock,
        passwords=Passwords(FAST),
        notes=house.notes,
    )


async def at_counter(house: House, clerks: ClerkSignIn) -> Tablet:
    """Return an enrolled tablet whose clerk has a PIN."""
    _, tablet = await house.tablet()
    person = await house.people.person("m", "clerk")
    assert person is not None
    first = await clerks.first_pin(person)
    await clerks.sign_in(tablet, "clerk", first, new_pin=PIN)
    return tablet


async def seconds_to_wait(clerks: ClerkSignIn, tablet: Tablet, pin: str) -> int:
    """Return how long a try says that one has to wait."""
    with pytest.raises(TooMuch) as caught:
        await clerks.sign_in(tablet, "clerk", pin)
    assert (caught.value.code, caught.value.unit) == ("pin_wait", "seconds")
    return caught.value.limit


async def test_a_first_pin_opens_nothing_but_the_choice_of_the_own(
    house: House, clerks: ClerkSignIn
) -> None:
    _, tablet = await house.tablet()
    person = await house.people.person("m", "clerk")
    assert person is not None
    first = await clerks.first_pin(person)
    assert len(first) == 8
    assert not is_trivial(first)
    assert await code_of(clerks.sign_in(tablet, "clerk", first)) == "pin_change"
    for weak in ("123456", first):
        with pytest.raises(ProtocolError):
            await clerks.sign_in(tablet, "clerk", first, new_pin=weak)
    begun, _ = await clerks.sign_in(tablet, "clerk", first, new_pin="７３０１８４")
    assert begun.session.kind is SessionKind.CLERK
    assert await code_of(clerks.sign_in(tablet, "clerk", first)) == "bad_pin"
    await clerks.sign_in(tablet, "clerk", PIN)
    assert {"sign-in:clerk:pin", "sign-in:clerk:begin"} <= set(house.notes.tags)


async def test_a_first_pin_ends_after_a_day_and_by_the_next(
    house: House, clerks: ClerkSignIn
) -> None:
    _, tablet = await house.tablet()
    person = await house.people.person("m", "clerk")
    assert person is not None
    old = await clerks.first_pin(person)
    new = await clerks.first_pin(person)
    assert await code_of(clerks.sign_in(tablet, "clerk", old, new_pin=PIN)) == "bad_pin"
    house.clock.forward(hours=24)
    assert await code_of(clerks.sign_in(tablet, "clerk", new, new_pin=PIN)) == "pin_expired"


async def test_wrong_pins_make_the_tablet_wait_longer_each_time_and_a_right_one_ends_it(
    house: House, clerks: ClerkSignIn
) -> None:
    tablet = await at_counter(house, clerks)
    for _ in range(2):
        assert await code_of(clerks.sign_in(tablet, "clerk", OTHER)) == "bad_pin"
    assert await seconds_to_wait(clerks, tablet, OTHER) == 5
    assert await seconds_to_wait(clerks, tablet, PIN) == 5, "not even the right one"
    house.clock.forward(seconds=4.2)
    assert await seconds_to_wait(clerks, tablet, PIN) == 1
    house.clock.forward(seconds=1)
    assert await seconds_to_wait(clerks, tablet, OTHER) == 10
    house.clock.forward(seconds=-3600)
    assert await seconds_to_wait(clerks, tablet, PIN) == 10, "a clock set back: no longer"
    house.clock.forward(seconds=3610)
    await clerks.sign_in(tablet, "clerk", PIN)
    for _ in range(2):
        assert await code_of(clerks.sign_in(tablet, "clerk", OTHER)) == "bad_pin"


async def test_five_wrong_pins_stand_in_the_log_and_a_new_first_pin_begins_anew(
    house: House, clerks: ClerkSignIn
) -> None:
    tablet = await at_counter(house, clerks)
    for _ in range(5):
        await code_of(clerks.sign_in(tablet, "clerk", OTHER))
        house.clock.forward(minutes=15)
    assert house.notes.tags.count("sign-in:clerk:wrong-pin") == 1
    person = await house.people.person("m", "clerk")
    assert person is not None
    await code_of(clerks.sign_in(tablet, "clerk", OTHER))
    first = await clerks.first_pin(person)
    assert await code_of(clerks.sign_in(tablet, "clerk", first)) == "pin_change"


async def test_after_thirty_wrong_pins_none_counts_on_the_tablet_until_a_new_one_is_given(
    house: House, clerks: ClerkSignIn
) -> None:
    tablet = await at_counter(house, clerks)
    said = []
    for _ in range(LOCKED_AFTER):
        house.clock.forward(minutes=15)
        said.append(await code_of(clerks.sign_in(tablet, "clerk", OTHER)))
    assert [said.index("pin_locked"), said.count("pin_locked")] == [LOCKED_AFTER - 1, 1]
    for minutes in (0, 15):
        house.clock.forward(minutes=minutes)
        assert await code_of(clerks.sign_in(tablet, "clerk", PIN)) == "pin_locked"
    assert house.notes.tags.count("sign-in:clerk:pin-locked") == 1
    person = await house.people.person("m", "clerk")
    assert person is not None
    first = await clerks.first_pin(person)
    await clerks.sign_in(tablet, "clerk", first, new_pin=PIN)


async def test_only_a_clerk_of_the_office_with_a_pin_stands_at_its_tablet(
    house: House, clerks: ClerkSignIn
) -> None:
    tablet = await at_counter(house, clerks)
    assert [one.id for one in await clerks.clerks(tablet)] == ["clerk"]
    for other in ("other-clerk", "verifier", "n-verifier", "nobody", "x" * 256):
        assert await code_of(clerks.sign_in(tablet, other, PIN)) == "bad_pin"
    revoked = replace(tablet, revoked_at=house.clock())
    assert await code_of(clerks.sign_in(revoked, "clerk", PIN)) == "bad_pin"
    verifier = await house.people.person("m", "verifier")
    assert verifier is not None
    with pytest.raises(Conflict):
        await clerks.first_pin(verifier)


async def test_a_clerk_without_a_pin_cannot_sign_in_by_the_old_password(
    house: House, clerks: ClerkSignIn
) -> None:
    _, tablet = await house.tablet()
    assert await code_of(clerks.sign_in(tablet, "clerk", "correct horse battery staple")) == (
        "bad_pin"
    )


async def test_the_next_clerk_takes_the_place_of_the_one_before(
    house: House, clerks: ClerkSignIn
) -> None:
    tablet = await at_counter(house, clerks)
    first, _ = await clerks.sign_in(tablet, "clerk", PIN)
    again, _ = await clerks.sign_in(tablet, "clerk", PIN)
    assert await code_of(house.sign_in.authenticate(first.token, SessionKind.CLERK)) == "signed_out"
    await house.sign_in.authenticate(again.token, SessionKind.CLERK)
