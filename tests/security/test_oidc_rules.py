"""What makes an ID token count, and whom a directory makes whom."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from security.errors import Denied
from security.oidc.flow import Try, new_try, try_of, way_to
from security.oidc.roles import (
    RoleName,
    groups_in,
    link_key,
    login_in,
    name_in,
    require_given,
    role_of,
    second_factor_in,
)
from security.oidc.token import Expected, UnknownKey, claims_of
from security.people import Person, Role

NOW = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
ISSUER = "https://login.example.lg.jp"
EXPECTED = Expected(ISSUER, "madoguchi", "the-nonce")
KEY = ECKey.generate_key("P-256", {"kid": "one"})
OTHER = ECKey.generate_key("P-256", {"kid": "one"})
KEYS = KeySet([ECKey.import_key(KEY.as_dict(private=False))])
TABLE: dict[str, RoleName] = {"v": "verifier", "s": "senior", "a": "auditor"}


def claims(**changes: Any) -> dict[str, Any]:
    at = int(NOW.timestamp())
    base = {"iss": ISSUER, "sub": "7", "aud": "madoguchi", "nonce": "the-nonce"}
    base |= {"iat": at - 1, "exp": at + 300} | changes
    return {name: value for name, value in base.items() if value is not None}


def token(said: dict[str, Any], key: Any = KEY, **header: Any) -> str:
    header = {"alg": "ES256", "kid": "one"} | header
    return jwt.encode({k: v for k, v in header.items() if v}, said, key, algorithms=[header["alg"]])


def test_a_token_that_is_ours_says_who_it_is() -> None:
    assert claims_of(token(claims()), KEYS, EXPECTED, now=NOW)["sub"] == "7"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["madoguchi"]},
        {"aud": ["madoguchi", "b"], "azp": "madoguchi"},
        {"exp": int(NOW.timestamp()) - 59},  # clocks may differ by a minute
        {"iat": int(NOW.timestamp()) + 59},
        {"nbf": int(NOW.timestamp()) + 59},
    ],
)
def test_what_the_standard_allows_counts(changes: Any) -> None:
    claims_of(token(claims(**changes)), KEYS, EXPECTED, now=NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.example"},
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"aud": "another-service"},
        {"aud": ["another-service"]},
        {"aud": ["madoguchi", "b"]},
        {"aud": None},
        {"azp": "another-service"},
        {"nonce": "of-another-try"},
        {"nonce": None},
        {"nonce": 7},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"exp": int(NOW.timestamp()) - 60},
        {"exp": None},
        {"exp": "later"},
        {"exp": True},
        {"iat": None},
        {"iat": int(NOW.timestamp()) + 61},
        {"iat": int((NOW - timedelta(minutes=11)).timestamp())},
        {"nbf": int(NOW.timestamp()) + 61},
    ],
    ids=str,
)
def test_a_token_with_one_fault_is_refused(changes: Any) -> None:
    with pytest.raises(Denied) as caught:
        claims_of(token(claims(**changes)), KEYS, EXPECTED, now=NOW)
    assert caught.value.code == "oidc_refused"


def unsigned(said: dict[str, Any]) -> str:
    whole = token(said).split(".")
    head = base64.urlsafe_b64encode(b'{"alg":"none","kid":"one"}').rstrip(b"=").decode()
    return f"{head}.{whole[1]}."


def with_public_key_as_secret(said: dict[str, Any]) -> str:
    """The old trick: what everybody knows taken as the secret of an HMAC."""
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=")
    signed = head + b"." + token(said).split(".")[1].encode()
    mac = hmac.new(KEY.as_pem(private=False), signed, hashlib.sha256).digest()
    return (signed + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


@pytest.mark.parametrize(
    "forged",
    [
        token(claims(), OTHER),
        token(claims())[:-4] + "AAAA",
        token(claims(sub="8")).split(".")[0] + "." + token(claims()).split(".", 1)[1][::-1],
        unsigned(claims()),
        with_public_key_as_secret(claims()),
        "",
        "a.b",
        "a.b.c.d.e",
        "é.é.é",
        "x" * 70_000,
    ],
    ids=range(10),
)
def test_a_token_that_the_directory_has_not_signed_is_refused(forged: str) -> None:
    with pytest.raises(Denied) as caught:
        claims_of(forged, KEYS, EXPECTED, now=NOW)
    assert caught.value.code == "oidc_refused"


def test_a_key_that_is_not_known_is_told_apart() -> None:
    with pytest.raises(UnknownKey):
        claims_of(token(claims(), kid="two"), KEYS, EXPECTED, now=NOW)


def test_a_shared_secret_among_the_keys_verifies_nothing() -> None:
    secret = OctKey.generate_key(256, {"kid": "one"})
    with pytest.raises(UnknownKey):
        claims_of(token(claims(), secret, alg="HS256"), KeySet([secret]), EXPECTED, now=NOW)


def test_a_token_without_a_key_id_needs_a_single_key() -> None:
    assert claims_of(token(claims(), kid=None), KEYS, EXPECTED, now=NOW)
    two = KeySet([*KEYS.keys, RSAKey.generate_key(2048, {"kid": "rsa"})])
    with pytest.raises(Denied):
        claims_of(token(claims(), kid=None), two, EXPECTED, now=NOW)


def test_state_nonce_and_verifier_differ_and_belong_to_one_municipality() -> None:
    attempt = new_try("kasaoka")
    elsewhere = Try("okayama", attempt.secret)
    derived = [attempt.state, attempt.nonce, attempt.verifier]
    derived += [elsewhere.state, elsewhere.nonce, elsewhere.verifier, attempt.secret]
    assert len(set(derived)) == 7
    assert attempt.is_answered_by("kasaoka", attempt.state)
    assert not attempt.is_answered_by("okayama", attempt.state)
    assert not attempt.is_answered_by("kasaoka", elsewhere.state)
    assert not attempt.is_answered_by("kasaoka", "\ud800")
    assert attempt.secret not in repr(attempt)


def test_the_challenge_is_the_verifiers_sha256() -> None:
    attempt = new_try("kasaoka")
    raw = base64.urlsafe_b64decode(attempt.challenge + "=")
    assert raw == hashlib.sha256(attempt.verifier.encode()).digest()


def test_a_try_comes_back_out_of_its_cookie() -> None:
    attempt = new_try("kasaoka")
    assert try_of(attempt.cookie()) == attempt
    for broken in (None, "", "kasaoka", "kasaoka.short", "BAD SLUG." + "a" * 43, attempt.secret):
        assert try_of(broken) is None


def test_the_way_holds_no_secret_and_keeps_what_the_endpoint_says() -> None:
    attempt = new_try("kasaoka")
    way = way_to(
        "https://login.example/auth?tenant=7",
        attempt,
        client_id="a&b",
        scopes=("profile", "openid"),
        redirect_uri="https://x.example/signed-in/kasaoka",
    )
    query = parse_qs(urlsplit(way).query)
    assert query["tenant"] == ["7"]
    assert query["client_id"] == ["a&b"]
    assert query["scope"] == ["openid profile"]
    assert attempt.verifier not in way


@pytest.mark.parametrize(
    ("groups", "role"),
    [(["v"], Role.VERIFIER), (["x", "s"], Role.SENIOR), (["a", "a"], Role.AUDITOR)],
)
def test_groups_give_their_role(groups: list[str], role: Role) -> None:
    assert role_of(groups, TABLE) is role


@pytest.mark.parametrize(
    ("groups", "code"),
    [([], "oidc_no_role"), (["V"], "oidc_no_role"), (["v", "a"], "oidc_many_roles")],
)
def test_no_role_or_several_are_refused(groups: list[str], code: str) -> None:
    with pytest.raises(Denied) as caught:
        role_of(groups, TABLE)
    assert caught.value.code == code


@pytest.mark.parametrize("role", [Role.OFFICER, Role.ADMINISTRATOR, Role.CLERK])
def test_a_group_makes_no_officer_whatever_the_table_says(role: Role) -> None:
    table: Any = {"g": role.value}
    with pytest.raises(Denied) as caught:
        role_of(["g"], table)
    assert caught.value.code == "oidc_no_role"
    person = Person("p", "m", "login", "name", role, None, None, None)
    with pytest.raises(Denied) as caught:
        require_given(person)
    assert caught.value.code == "oidc_not_for_role"


@pytest.mark.parametrize(
    ("said", "groups"),
    [
        ({}, None),
        ({"groups": "v"}, ("v",)),
        ({"groups": ["v", 7, None, "s"]}, ("v", "s")),
        ({"groups": {"v": 1}}, ()),
        ({"groups": ["v"] * 5001}, ()),
    ],
)
def test_groups_are_read_from_their_claim(said: Any, groups: Any) -> None:
    assert groups_in(said, "groups") == groups


@pytest.mark.parametrize(
    ("said", "vouched"),
    [
        ({"amr": ["pwd", "otp"]}, True),
        ({"amr": ["pwd"]}, False),
        ({"amr": "otp"}, False),
        ({"amr": [["otp"], 7]}, False),
        ({"acr": "gold"}, True),
        ({"acr": ["gold"]}, False),
        ({}, False),
    ],
)
def test_a_second_factor_counts_in_the_words_of_the_settings_alone(
    said: Any, vouched: bool
) -> None:
    assert second_factor_in(said, amr=("otp",), acr=("gold",)) is vouched
    assert second_factor_in(said, amr=(), acr=()) is False


def test_names_that_cannot_be_shown_are_left_out() -> None:
    assert name_in({"name": " 架空\n 花子 "}) == "架空 花子"
    assert name_in({"name": "a\u202eb"}) == ""
    assert len(name_in({"name": "x" * 500})) == 200
    assert login_in({"preferred_username": "Hanako@Example.JP"}) == "hanako@example.jp"
    assert login_in({"preferred_username": "花子"}) == ""


def test_the_same_subject_elsewhere_is_somebody_else() -> None:
    keys = {link_key(m, i, s) for m in "ab" for i in ("x", "y") for s in ("1", "2")}
    assert len(keys) == 8
