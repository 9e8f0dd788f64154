"""Signing in in two halves, enrolling and removing factors, over HTTP."""

import json
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher

from security.factors import Enrolled
from security.ids import new_id
from security.passwords import Passwords
from security.people import Factor, LinkPurpose, Person, Role
from server.clock import utc_now
from tests.support.authenticator import PRESENT, VERIFIED, Authenticator, to_text

Json = dict[str, Any]
PASSWORD = "なつかしい-みなとまち-2026"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HASHED = CHEAP.hash(PASSWORD)
ASKED = {"people.second_factor_roles": ["verifier", "administrator", "officer"]}


async def person_of(world: Any, role: Role = Role.VERIFIER, login: str = "hanako") -> Person:
    """Add a person with the password, which is hashed cheaply: it is not what is tried here."""
    world.service.parts.sign_in._passwords = Passwords(CHEAP)
    home = world.town.municipality.id
    made = Person(new_id(), home, login, "架空 花子", role, None, HASHED, None)
    await world.service.parts.people.add_person(made)
    return made


async def asked(page: Any, method: str, path: str, body: Any = None) -> Any:
    """Return the answer, which must be good; a CSRF token in it is remembered."""
    status, said = await page.request(method, f"/api/v1/{path}", body=body)
    assert status in (200, 204), said
    if isinstance(said, dict) and "csrf" in said:
        page.csrf = said["csrf"]
    return said


async def refused(page: Any, method: str, path: str, body: Any = None) -> str:
    """Return the code of the refusal."""
    status, said = await page.request(method, f"/api/v1/{path}", body=body)
    assert status >= 400, said
    return str(said["error"]["code"])


async def half_in(world: Any, person: Person, page: str = "desk") -> tuple[Any, Json]:
    """Return a page that has given the password, and how it goes on."""
    client = world.stranger(page)
    said = await asked(client, "POST", "sign-in", {"login": person.login, "password": PASSWORD})
    client.page = "sign-in"
    return client, said["half"]


def code_of(secret: str, steps: int = 0) -> str:
    """Return the code of now, or of so many half minutes later."""
    return pyotp.TOTP(secret).at(utc_now() + timedelta(seconds=30 * steps))


async def with_totp(world: Any, person: Person) -> str:
    """Let a person enrol an authenticator app at the first sign-in; return its secret."""
    world.enforce(ASKED)
    page, _ = await half_in(world, person)
    secret = (await asked(page, "POST", "factors/totp", {}))["secret"]
    body = {"code": code_of(secret, -1), "page": "desk"}
    await asked(page, "POST", "factors/totp/confirm", body)
    return str(secret)


async def entries(world: Any) -> list[Json]:
    """Return the audit log of the town."""
    parts, home = world.service.parts, world.town.municipality.id
    found = await parts.audit.since(home, parts.clock().replace(year=2020), limit=1000)
    return [{**json.loads(one.entry), "tag": one.tag} for one in found]


# Codes


async def test_who_needs_a_factor_sets_one_up_at_the_first_sign_in_and_goes_on(world: Any) -> None:
    world.enforce(ASKED)
    person = await person_of(world)
    page, half = await half_in(world, person)
    assert half == {"ways": [], "enrol": True, "recovering": False, "asked": False}
    assert set(page.cookies) == {"__Host-half"}
    offered = await asked(page, "POST", "factors/totp", {})
    assert len({len(row) for row in offered["qr"]}) == 1
    assert pyotp.parse_uri(offered["uri"]).secret == offered["secret"]
    body = {"code": code_of(offered["secret"]), "page": "desk"}
    said = await asked(page, "POST", "factors/totp/confirm", body)
    assert said["you"]["person"]["role"] == "verifier"
    page.page = "desk"
    shown = await asked(page, "GET", "factors")
    assert (shown["used"], shown["required"], shown["passkeys"]) == ("totp", True, [])
    await page.connect()
    begun = [one for one in await entries(world) if one["tag"] == "sign-in:desk:begin"]
    assert begun[-1]["detail"] == {"factor": "totp"}
    gate = [one for one in await entries(world) if one["tag"] == "gate:session:begin"]
    assert gate[-1]["facts"]["actor"]["second_factor"] is True


async def test_the_second_half_asks_for_a_code_that_serves_once(
    world: Any, make_world: Any
) -> None:
    person = await person_of(world)
    secret = await with_totp(world, person)
    world.enforce({}, number=2)  # nobody need have one, but this person has
    first, half = await half_in(world, person)
    assert (half["ways"], half["enrol"]) == (["totp"], False)
    body = {"page": "desk", "code": code_of(secret)}
    assert (await asked(first, "POST", "sign-in/code", body))["you"]["page"] == "desk"
    second, _ = await half_in(world, person)
    assert await refused(second, "POST", "sign-in/code", body) == "bad_code"
    world = await make_world.restart(world)
    third, _ = await half_in(world, person)
    assert await refused(third, "POST", "sign-in/code", body) == "bad_code"
    await asked(third, "POST", "sign-in/code", {**body, "code": code_of(secret, 1)})


async def test_a_clock_set_back_opens_nothing_and_a_code_of_later_does(make_world: Any) -> None:
    world = await make_world()
    person = await person_of(world)
    secret = await with_totp(world, person)
    make_world.clock.advance(minutes=-10)
    page, _ = await half_in(world, person)
    body = {"page": "desk", "code": code_of(secret, -20)}  # never used, and right by that clock
    assert await refused(page, "POST", "sign-in/code", body) == "bad_code"
    make_world.clock.advance(minutes=10)
    page, _ = await half_in(world, person)
    await asked(page, "POST", "sign-in/code", {**body, "code": code_of(secret, 1)})


async def test_ten_wrong_codes_lock_the_second_half_and_not_the_first(world: Any) -> None:
    person = await person_of(world)
    secret = await with_totp(world, person)
    page, _ = await half_in(world, person)
    for _ in range(10):
        body = {"page": "desk", "code": "000000"}
        assert await refused(page, "POST", "sign-in/code", body) == "bad_code"
    body = {"page": "desk", "code": code_of(secret)}
    assert await refused(page, "POST", "sign-in/code", body) == "too_many_tries"
    await half_in(world, person)
    assert "factor:code:last-try" in [one["tag"] for one in await entries(world)]


async def test_half_a_sign_in_opens_nothing_else(world: Any) -> None:
    world.enforce(ASKED)
    page, _ = await half_in(world, await person_of(world, Role.OFFICER), "officer")
    token = page.cookies["__Host-half"]
    for path in ("me", "policy", "audit", "officers", "calls", "recoveries", "factors"):
        for name in ("officer", "desk", "counter"):
            page.page = name
            page.cookies = {"__Host-half": token, "__Host-desk": token}
            status, _ = await page.request("GET", f"/api/v1/{path}")
            assert status == 401, (name, path)
    page.page = "sign-in"
    for path in ("me", "policy", "audit", "officers", "calls", "recoveries"):
        status, _ = await page.request("GET", f"/api/v1/{path}")
        assert status == 400, path
    with pytest.raises(Exception, match="400"):
        await page.open_socket()


async def test_a_password_alone_adds_no_factor_where_there_is_one(world: Any) -> None:
    person = await person_of(world)
    await with_totp(world, person)
    page, _ = await half_in(world, person)
    assert await refused(page, "POST", "factors/totp", {}) == "second_factor"
    assert await refused(page, "POST", "factors/passkeys/options", {}) == "second_factor"
    body = {"factor": new_id(), "password": PASSWORD}
    assert await refused(page, "POST", "factors/remove", body) == "denied"


async def test_a_sign_in_link_stands_for_the_password_alone(world: Any) -> None:
    person = await person_of(world)
    secret = await with_totp(world, person)
    parts, home = world.service.parts, world.town.municipality.id
    token = await parts.sign_in.make_link(LinkPurpose.SIGN_IN, home, person_id=person.id)
    page = world.stranger()
    said = await asked(page, "POST", "links", {"token": token})
    assert said == {"page": "/sign-in?page=desk#half"}
    assert set(page.cookies) == {"__Host-half"}
    page.page = "sign-in"
    said = (await asked(page, "GET", "half"))["person"]
    assert said == {"name": "架空 花子", "role": "verifier"}
    await asked(page, "POST", "sign-in/code", {"page": "desk", "code": code_of(secret)})


async def test_a_first_factor_may_be_for_the_link_of_two_administrators_alone(world: Any) -> None:
    world.enforce({**ASKED, "people.first_factor": "by_link"})
    person = await person_of(world)
    body = {"login": person.login, "password": PASSWORD}
    assert await refused(world.stranger(), "POST", "sign-in", body) == "factor_by_link"


async def test_the_secret_and_the_name_lie_sealed_on_disk(world: Any) -> None:
    person = await person_of(world)
    secret = await with_totp(world, person)
    page = await signed_in_by_code(world, person, secret)
    await add_passkey(page, Authenticator(page.base_url), "個人の電話")
    folder = world.service.parts.settings.data.folder
    raw = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    assert secret.encode() not in raw
    assert "個人の電話".encode() not in raw


async def test_a_sign_in_from_before_the_policy_asked_goes_no_further_without_a_factor(
    world: Any,
) -> None:
    desk = await world.desk()
    admin = await world.signed_in(world.town.administrator)
    admin.page = "officer"
    await asked(admin, "GET", "recoveries")
    world.enforce(ASKED)
    await desk.open_socket()
    assert await desk.until_closed() == 1008
    assert [m["error"]["code"] for m in desk.inbox] == ["second_factor"]
    for path in ("policy", "officers"):
        assert await refused(admin, "GET", path) == "second_factor"
    someone = f"recoveries/{world.town.verifiers[0].id}/start"
    assert await refused(admin, "POST", someone) == "second_factor"


# One's own factors


async def signed_in_by_code(world: Any, person: Person, secret: str) -> Any:
    """Return the desk's page of a person who has signed in by a code."""
    page, _ = await half_in(world, person)
    await asked(page, "POST", "sign-in/code", {"page": "desk", "code": code_of(secret)})
    page.page = "desk"
    return page


async def add_passkey(
    page: Any, key: Authenticator, name: str = "鍵", password: str | None = PASSWORD, **wrong: Any
) -> Any:
    """Enrol a passkey from a page that is signed in (or half)."""
    said = await asked(page, "POST", "factors/passkeys/options", {"password": password})
    made = {"name": name, "credential": key.make(said["options"], **wrong), "page": "desk"}
    return await page.request("POST", "/api/v1/factors/passkeys", body=made)


async def test_changing_factors_asks_for_the_password_again(world: Any) -> None:
    person = await person_of(world)
    page = await signed_in_by_code(world, person, await with_totp(world, person))
    mine = await asked(page, "GET", "factors")
    for path in (
        "factors/totp",
        "factors/passkeys/options",
    ):
        for body in ({"password": "wrong"}, {}):
            assert await refused(page, "POST", path, body) == "bad_credentials"
    body = {"factor": mine["totp"]["id"], "password": "wrong"}
    assert await refused(page, "POST", "factors/remove", body) == "bad_credentials"
    again = await asked(page, "POST", "factors/totp", {"password": PASSWORD})
    assert (await asked(page, "GET", "factors"))["totp"] == mine["totp"]  # until it gives a code
    body = {"code": code_of(again["secret"])}
    assert (await asked(page, "POST", "factors/totp/confirm", body))["totp"] != mine["totp"]


async def whole_in(world: Any, person: Person) -> Any:
    """Return the desk's page of a person who gave the password before a factor was asked for."""
    page = world.stranger()
    await asked(page, "POST", "sign-in", {"login": person.login, "password": PASSWORD})
    return page


async def test_a_whole_sign_in_by_password_alone_touches_no_factor_where_there_is_one(
    world: Any,
) -> None:
    person = await person_of(world)
    page = await whole_in(world, person)
    home, now = person.municipality_id, utc_now()
    mine = Enrolled(
        new_id(), home, person.id, Factor.PASSKEY, "鍵", now, credential_id=b"1", public_key=b"2"
    )
    await world.service.parts.factors.add_factor(mine)
    again = {"password": PASSWORD}
    for path, body in (
        ("totp", again),
        ("totp/confirm", {"code": "000000"}),
        ("passkeys/options", again),
        ("passkeys", {"name": "鍵", "credential": {}}),
        ("remove", {**again, "factor": mine.id}),
    ):
        assert await refused(page, "POST", f"factors/{path}", body) == "second_factor", path
    kept = await world.service.parts.factors.factors(home, person.id)
    assert [one.id for one in kept] == [mine.id]


async def test_a_sign_in_from_before_the_link_was_asked_for_adds_no_first_factor(
    world: Any,
) -> None:
    person = await person_of(world)
    page = await whole_in(world, person)
    world.enforce({**ASKED, "people.first_factor": "by_link"})
    body = {"password": PASSWORD}
    for path in ("totp", "passkeys/options"):
        assert await refused(page, "POST", f"factors/{path}", body) == "factor_by_link"


async def test_a_first_factor_ends_the_persons_other_sign_ins_and_a_further_one_does_not(
    world: Any,
) -> None:
    person = await person_of(world)
    other, page = await whole_in(world, person), await whole_in(world, person)
    secret = (await asked(page, "POST", "factors/totp", {"password": PASSWORD}))["secret"]
    await asked(page, "POST", "factors/totp/confirm", {"code": code_of(secret, -1)})
    assert await refused(other, "GET", "me") == "signed_out"
    assert (await asked(page, "GET", "factors"))["used"] == "totp"
    second = await signed_in_by_code(world, person, secret)
    status, said = await add_passkey(page, Authenticator(page.base_url))
    assert status == 200, said
    await asked(second, "GET", "me")


async def test_a_first_factor_of_half_a_sign_in_ends_the_whole_ones_from_before(
    world: Any,
) -> None:
    person = await person_of(world)
    other = await whole_in(world, person)
    await with_totp(world, person)
    assert await refused(other, "GET", "me") == "signed_out"


async def test_several_passkeys_have_names_and_go_one_by_one(world: Any) -> None:
    person = await person_of(world)
    page = await signed_in_by_code(world, person, await with_totp(world, person))
    for name in ("机の鍵", "電話"):
        status, said = await add_passkey(page, Authenticator(page.base_url), name)
        assert status == 200, said
    assert [one["name"] for one in said["passkeys"]] == ["机の鍵", "電話"]
    path, body = "factors/remove", {"factor": said["passkeys"][0]["id"], "password": PASSWORD}
    said = await asked(page, "POST", path, body)
    assert [one["name"] for one in said["passkeys"]] == ["電話"]
    assert await refused(page, "POST", path, body) == "not_found"
    world.enforce(ASKED)
    await asked(page, "POST", path, {**body, "factor": said["totp"]["id"]})
    last = {**body, "factor": said["passkeys"][0]["id"]}
    assert await refused(page, "POST", path, last) == "last_factor"


async def test_an_eleventh_passkey_is_refused(world: Any) -> None:
    person = await person_of(world)
    page = await signed_in_by_code(world, person, await with_totp(world, person))
    home, now = person.municipality_id, utc_now()
    for n in range(10):
        made = Enrolled(
            f"k{n}", home, person.id, Factor.PASSKEY, "鍵", now, credential_id=b"%d" % n
        )
        await world.service.parts.factors.add_factor(made)
    body = {"password": PASSWORD}
    assert await refused(page, "POST", "factors/passkeys/options", body) == "too_many_passkeys"


WRONG: tuple[Json, ...] = (
    {"origin": "https://evil.example"},
    {"rp_id": "evil.example"},
    {"flags": PRESENT},
    {"flags": VERIFIED},
)


async def test_a_passkey_that_was_not_made_as_asked_is_refused(world: Any) -> None:
    world.enforce(ASKED)
    page, _ = await half_in(world, await person_of(world))
    for wrong in WRONG:
        status, said = await add_passkey(page, Authenticator(page.base_url), password=None, **wrong)
        assert (status, said["error"]["code"]) == (400, "bad_passkey_made"), wrong
    assert "__Host-desk" not in page.cookies


async def test_a_passkey_made_for_somebody_elses_question_is_refused(world: Any) -> None:
    world.enforce(ASKED)
    thief, _ = await half_in(world, await person_of(world, login="thief"))
    victim, _ = await half_in(world, await person_of(world, login="victim"))
    options = (await asked(victim, "POST", "factors/passkeys/options", {}))["options"]
    made = Authenticator(thief.base_url).make(options)
    body = {"name": "鍵", "credential": made, "page": "desk"}
    assert await refused(thief, "POST", "factors/passkeys", body) == "bad_passkey"
    await asked(victim, "POST", "factors/passkeys", body)


# Passkeys


async def with_passkey(world: Any, person: Person, **kind: Any) -> Authenticator:
    """Let a person enrol a passkey at the first sign-in."""
    world.enforce(ASKED)
    page, _ = await half_in(world, person)
    key = Authenticator(page.base_url, **kind)
    status, said = await add_passkey(page, key, password=None)
    assert (status, said.get("you", {}).get("page")) == (200, "desk"), said
    return key


async def options_of(page: Any) -> Json:
    """Return what a browser is asked for."""
    said: Json = (await asked(page, "POST", "sign-in/passkey/options"))["options"]
    assert (said["rpId"], said["userVerification"]) == ("localhost", "required")
    assert said["allowCredentials"] == []
    return said


async def test_a_passkey_alone_signs_in_and_the_same_answer_never_again(world: Any) -> None:
    key = await with_passkey(world, await person_of(world))
    page = world.stranger()
    body = {"credential": key.use(await options_of(page))}
    assert (await asked(page, "POST", "sign-in/passkey", body))["you"]["page"] == "desk"
    assert (await asked(page, "GET", "factors"))["used"] == "passkey"
    assert await refused(world.stranger(), "POST", "sign-in/passkey", body) == "bad_passkey"


async def test_an_assertion_that_is_not_as_asked_opens_nothing(world: Any) -> None:
    key = await with_passkey(world, await person_of(world))
    page = world.stranger()
    for wrong in (*WRONG, {"handle": to_text(b"nobody:nobody")}, {"handle": ""}):
        body = {"credential": key.use(await options_of(page), **wrong)}
        assert await refused(page, "POST", "sign-in/passkey", body) == "bad_passkey", wrong
    for garbage in ({}, {"id": 1}, {"id": "x", "rawId": "x", "response": []}):
        body = {"credential": garbage}
        assert await refused(page, "POST", "sign-in/passkey", body) == "bad_passkey"
    assert page.cookies == {}


async def test_an_answer_that_comes_after_five_minutes_opens_nothing(make_world: Any) -> None:
    world = await make_world()
    key = await with_passkey(world, await person_of(world))
    page = world.stranger()
    body = {"credential": key.use(await options_of(page))}
    for minutes in (5, -5):
        make_world.clock.advance(minutes=minutes)
        assert await refused(page, "POST", "sign-in/passkey", body) == "bad_passkey"


async def test_a_changed_signature_or_challenge_opens_nothing(world: Any) -> None:
    key = await with_passkey(world, await person_of(world))
    page = world.stranger()
    for part in ("signature", "authenticatorData", "clientDataJSON"):
        answer = key.use(await options_of(page))
        answer["response"][part] = answer["response"][part][:-6] + "AAAAAA"
        body = {"credential": answer}
        assert await refused(page, "POST", "sign-in/passkey", body) == "bad_passkey"
    mine = to_text(b"\x00" * 56)
    body = {"credential": key.use({"challenge": mine})}
    assert await refused(page, "POST", "sign-in/passkey", body) == "bad_passkey"


async def test_a_counter_that_goes_back_is_refused_and_stands_in_the_log(world: Any) -> None:
    key = await with_passkey(world, await person_of(world))
    page = world.stranger()
    for count, code in ((7, ""), (7, "bad_passkey"), (3, "bad_passkey"), (0, "bad_passkey")):
        body = {"credential": key.use(await options_of(page), count=count)}
        if code:
            assert await refused(page, "POST", "sign-in/passkey", body) == code
        else:
            await asked(page, "POST", "sign-in/passkey", body)
    copied = [one for one in await entries(world) if one["tag"] == "factor:passkey:copied"]
    assert len(copied) == 3


async def test_an_authenticator_that_does_not_count_signs_in_again_and_again(world: Any) -> None:
    key = await with_passkey(world, await person_of(world), counts=False)
    for _ in range(2):
        page = world.stranger()
        body = {"credential": key.use(await options_of(page))}
        await asked(page, "POST", "sign-in/passkey", body)


async def test_a_passkey_opens_the_pages_of_its_role_alone(world: Any) -> None:
    key = await with_passkey(world, await person_of(world))
    page = world.stranger("officer")
    body = {"credential": key.use(await options_of(page))}
    assert await refused(page, "POST", "sign-in/passkey", body) == "bad_passkey"
    page.page = "counter"
    assert await refused(page, "POST", "sign-in/passkey", body) == "protocol"


async def test_a_passkey_of_a_disabled_person_opens_nothing(world: Any) -> None:
    person = await person_of(world)
    key = await with_passkey(world, person)
    parts = world.service.parts
    await parts.people.disable_person(person.municipality_id, person.id, parts.clock())
    page = world.stranger()
    body = {"credential": key.use(await options_of(page))}
    assert await refused(page, "POST", "sign-in/passkey", body) == "bad_passkey"


async def test_an_address_without_a_domain_name_says_why_it_has_no_passkeys(
    make_world: Any,
) -> None:
    url = "https://192.0.2.7:8443"
    world = await make_world(server={"host": "127.0.0.1", "port": 0, "public_url": url})
    page = world.stranger()
    at_ip = {"Host": "192.0.2.7:8443", "Origin": url}
    status, said = await page.request("GET", "/api/v1/municipalities", headers=at_ip)
    assert said["passkeys"] == {"possible": False, "why": "no_domain"}
    path = "/api/v1/sign-in/passkey/options"
    status, said = await page.request("POST", path, headers=at_ip)
    assert (status, said["error"]["code"]) == (409, "no_passkeys_here")
