"""Codes once each, challenges once each, addresses that can have passkeys."""

from datetime import timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.challenges import LIFETIME, RANDOM_BYTES, Challenges
from security.errors import Denied, ProtocolError
from security.factors import factor_name, new_secret, secret_uri, step_of_code
from security.passkeys import Place, counter_goes_on, place_of, why_no_passkeys
from tests.security.conftest import START

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
HALF_A_MINUTE = timedelta(seconds=30)
RANDOM = bytes(RANDOM_BYTES)


def code_at(steps: int = 0) -> str:
    return pyotp.TOTP(SECRET).at(START + steps * HALF_A_MINUTE)


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_code_of_a_clock_half_a_minute_off_is_taken(off: int) -> None:
    now = pyotp.TOTP(SECRET).timecode(START)
    assert step_of_code(SECRET, code_at(off), after=-1, now=START) == now + off


@pytest.mark.parametrize("off", [-3, -2, 2, 3])
def test_a_code_of_another_time_is_not(off: int) -> None:
    with pytest.raises(Denied, match="wrong or was used"):
        step_of_code(SECRET, code_at(off), after=-1, now=START)


def test_a_code_serves_once_and_so_do_those_before_it() -> None:
    used = step_of_code(SECRET, code_at(), after=-1, now=START)
    for steps in (0, -1):
        with pytest.raises(Denied):
            step_of_code(SECRET, code_at(steps), after=used, now=START)
    assert step_of_code(SECRET, code_at(1), after=used, now=START) == used + 1


def test_a_clock_set_back_opens_nothing() -> None:
    used = step_of_code(SECRET, code_at(), after=-1, now=START)
    yesterday = START - timedelta(days=1)
    with pytest.raises(Denied):
        step_of_code(SECRET, pyotp.TOTP(SECRET).at(yesterday), after=used, now=yesterday)


@given(st.text(max_size=12))
def test_any_text_is_a_code_or_is_refused(text: str) -> None:
    if "".join(text.split()) in [code_at(off) for off in (-1, 0, 1)]:
        return
    with pytest.raises(Denied):
        step_of_code(SECRET, text, after=-1, now=START)


def test_a_code_may_be_typed_with_a_gap() -> None:
    typed = f" {code_at()[:3]} {code_at()[3:]}"
    assert step_of_code(SECRET, typed, after=-1, now=START)


def test_an_authenticator_app_reads_secret_name_and_service() -> None:
    secret = new_secret()
    read = pyotp.parse_uri(secret_uri(secret, login="yamada", issuer="madoguchi kasaoka"))
    assert (read.secret, read.name, read.issuer) == (secret, "yamada", "madoguchi kasaoka")
    assert len(secret) == 32
    assert new_secret() != secret


@pytest.mark.parametrize("name", ["", "  ", "a" * 41, "a\x00b", "a‮b"])
def test_a_passkey_has_a_name_that_can_be_shown(name: str) -> None:
    with pytest.raises(ProtocolError):
        factor_name(name)


# Challenges


def test_a_challenge_is_taken_once() -> None:
    made = (challenges := Challenges(bytes(32))).make("use", "", RANDOM, now=START)
    challenges.take(made, "use", "", now=START)
    with pytest.raises(Denied):
        challenges.take(made, "use", "", now=START)


@pytest.mark.parametrize(
    ("purpose", "holder"),
    [
        ("make", "p"),
        ("use", "q"),
        ("make", "q"),
    ],
)
def test_a_challenge_is_for_one_purpose_and_one_holder(purpose: str, holder: str) -> None:
    challenges = Challenges(bytes(32))
    made = challenges.make("use", "p", RANDOM, now=START)
    with pytest.raises(Denied):
        challenges.take(made, purpose, holder, now=START)
    challenges.take(made, "use", "p", now=START)


def test_a_challenge_lives_five_minutes_even_when_the_clock_is_set_back() -> None:
    challenges = Challenges(bytes(32))
    made = challenges.make("use", "", RANDOM, now=START)
    for at in (LIFETIME, -LIFETIME, timedelta(0)):
        with pytest.raises(Denied):
            challenges.take(made, "use", "", now=START + at)
    again = challenges.make("use", "", RANDOM, now=START)
    challenges.take(again, "use", "", now=START)


def test_a_challenge_of_another_run_of_the_server_is_not_taken() -> None:
    made = Challenges(bytes(32)).make("use", "", RANDOM, now=START)
    with pytest.raises(Denied):
        Challenges(b"\x01" * 32).take(made, "use", "", now=START)


@given(st.binary(max_size=80))
def test_what_is_no_challenge_of_ours_is_not_taken(raw: bytes) -> None:
    with pytest.raises(Denied):
        Challenges(b"\x02" * 32).take(raw, "use", "", now=START)


def test_a_used_challenge_stays_used_until_it_would_have_expired() -> None:
    challenges = Challenges(bytes(32))
    first = challenges.make("use", "", RANDOM, now=START)
    challenges.take(first, "use", "", now=START)
    for minute in range(1, 20):
        at = START + timedelta(minutes=minute)
        challenges.take(challenges.make("use", "", RANDOM, now=at), "use", "", now=at)
        with pytest.raises(Denied):
            challenges.take(first, "use", "", now=at)
    with pytest.raises(Denied):
        challenges.take(first, "use", "", now=START)  # the clock was set back


# Addresses


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (None, "no_address"),
        ("https://192.0.2.7:8443", "no_domain"),
        ("https://[2001:db8::7]", "no_domain"),
        ("http://127.0.0.1:8443", "no_domain"),
        ("http://madoguchi.example.lg.jp", "no_https"),
        ("https://madoguchi.example.lg.jp", None),
        ("http://localhost:8443", None),
    ],
)
def test_a_passkey_needs_a_domain_name_and_https(url: str | None, why: str | None) -> None:
    assert why_no_passkeys(url) == why


PUBLIC = "https://madoguchi.example.lg.jp"


@pytest.mark.parametrize(
    ("origin", "public", "place"),
    [
        (PUBLIC, PUBLIC, Place(PUBLIC, "madoguchi.example.lg.jp")),
        ("https://desk.madoguchi.example.lg.jp", PUBLIC, "madoguchi.example.lg.jp"),
        ("https://other.example.lg.jp", PUBLIC, "other_address"),
        ("https://evilmadoguchi.example.lg.jp", PUBLIC, "other_address"),
        ("https://192.0.2.7", PUBLIC, "other_address"),
        ("https://192.0.2.7", "https://192.0.2.7", "no_domain"),
        ("http://localhost:80", None, "localhost"),
        ("http://127.0.0.1:80", None, "no_address"),
    ],
)
def test_a_page_has_the_passkeys_of_its_own_domain_alone(
    origin: str, public: str | None, place: Place | str
) -> None:
    found = place_of(origin, public, (origin,) if public else ())
    assert place in (found, found.rp_id if isinstance(found, Place) else None)


@pytest.mark.parametrize(
    ("before", "now", "good"),
    [(0, 0, True), (0, 1, True), (5, 6, True), (5, 5, False), (5, 0, False)],
)
def test_a_signature_counter_never_stands_still_or_goes_back(
    before: int, now: int, good: bool
) -> None:
    assert counter_goes_on(before, now) is good
