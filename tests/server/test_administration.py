"""The routes of the administration page: offices, openings, tablets, people, templates."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from security.factors import Enrolled
from security.ids import new_id
from security.people import Factor, LinkPurpose, Person, Role
from server.procedures.catalog import shipped_text

DAYS = {"designated_on": None, "resolved_on": None, "resolution_ref": "", "contract_ref": ""}
TEMPLATE = shipped_text("new-issue")


class Desk:
    """An administrator's page."""

    def __init__(self, world: Any, page: Any) -> None:
        self.world, self.page = world, page

    async def get(self, path: str = "administration") -> dict[str, Any]:
        status, said = await self.page.request("GET", f"/api/v1/{path}")
        assert status == 200, said
        return dict(said)

    async def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        status, said = await self.page.request("POST", f"/api/v1/{path}", body=body or {})
        assert status < 300, said
        return dict(said) if isinstance(said, dict) else {}

    async def refused(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
        status, said = await self.page.request("POST", f"/api/v1/{path}", body=body or {})
        assert status >= 400, said
        return status, str(said["error"]["code"])

    async def logged(self, tag: str) -> list[dict[str, Any]]:
        """Return what the audit log says under a tag, without who did it."""
        home, log = self.world.town.municipality.id, self.world.service.parts.audit
        entries = await log.since(home, datetime(2000, 1, 1, tzinfo=UTC), limit=10_000)
        found = [json.loads(one.entry)["detail"] for one in entries if one.tag == tag]
        assert all(one["by"] == self.world.town.administrator.id for one in found)
        return [{k: v for k, v in one.items() if k != "by"} for one in found]


@pytest.fixture
async def desk(world: Any) -> Desk:
    return Desk(world, await world.signed_in(world.town.administrator))


async def second(world: Any) -> Desk:
    """Return the page of another administrator."""
    home = world.town.municipality.id
    person = Person(new_id(), home, "second", "次の 管理者", Role.ADMINISTRATOR, None, None, None)
    await world.service.parts.people.add_person(person)
    return Desk(world, await world.signed_in(person))


async def test_an_office_is_registered_given_its_days_and_a_simple_one_is_refused(
    desk: Desk,
) -> None:
    made = await desk.post("offices", {"name": "北郵便局"})
    for body in ({"name": "山の郵便局", "kind": "simple"}, {"name": "山の簡易郵便局"}):
        assert await desk.refused("offices", body) == (409, "office_not_direct")
    assert await desk.refused("offices", {"name": "北郵便局"}) == (409, "conflict")
    for name in ("", " ", "a\nb", "長" * 201):
        assert (await desk.refused("offices", {"name": name}))[0] == 400
    days = DAYS | {"designated_on": "2026-04-01", "resolution_ref": "議案第7号"}
    await desk.post(f"offices/{made['id']}", days)
    await desk.post(f"offices/{made['id']}", days)
    house = await desk.get()
    (office,) = [one for one in house["offices"] if one["id"] == made["id"]]
    assert (office["designated_on"], office["resolved_on"]) == ("2026-04-01", None)
    said = [{"designated_on": "2026-04-01", "resolution_ref": "entered"}]
    assert await desk.logged("administration:office:edit") == said


async def test_a_procedure_is_opened_by_date_and_document_and_taken_back_before_it_begins(
    desk: Desk,
) -> None:
    office, today = desk.world.town.office.id, desk.world.service.parts.administration.today()
    later = (today + timedelta(days=30)).isoformat()
    entry = {"procedure": "loss-report", "opens": True, "from_on": later, "basis": "告示第9号"}
    path = f"offices/{office}/openings"
    assert await desk.refused(path, entry | {"basis": "  "}) == (400, "basis_required")
    assert await desk.refused(path, entry | {"from_on": "2999-01-01"}) == (400, "bad_day")
    assert await desk.refused(path, entry | {"from_on": "tomorrow"}) == (400, "protocol")
    assert await desk.refused(path, entry | {"procedure": "nosuch"}) == (404, "not_found")
    made = await desk.post(path, entry)
    said = {"procedure": "loss-report", "from_on": later, "opening": made["id"]}
    assert await desk.logged("administration:procedure:open") == [said]
    standing = {one["id"]: one for one in (await desk.get())["offices"][0]["procedures"]}
    assert standing["loss-report"]["opens_on"] == later
    await desk.post(f"openings/{made['id']}/withdraw")
    assert await desk.refused(f"openings/{made['id']}/withdraw") == (409, "has_begun")
    (kept,) = (await desk.get())["offices"][0]["openings"]
    assert kept["withdrawn_at"] is not None
    begun = await desk.post(path, entry | {"from_on": today.isoformat(), "opens": False})
    assert await desk.refused(f"openings/{begun['id']}/withdraw") == (409, "has_begun")
    assert len(await desk.logged("administration:procedure:close")) == 1


async def test_a_tablet_that_is_switched_is_told_at_once(desk: Desk) -> None:
    town = desk.world.town
    counter = await desk.world.counter()
    await counter.connect()
    await desk.post(f"tablets/{town.tablet.id}/mode", {"real": True})
    told = await counter.until("you")
    assert told["you"]["mode"] == "real"
    assert told["you"]["clerk"]["name"] == town.clerk.name
    assert await desk.logged("administration:tablet:mode") == [{"real": True}]


async def test_a_new_tablet_is_enrolled_by_the_code_that_the_page_shows(desk: Desk) -> None:
    office = desk.world.town.office.id
    made = await desk.post(f"offices/{office}/tablets", {"name": "３番窓口"})
    assert made["link"].endswith(f"/enrol#{made['code']}")
    again = await desk.post(f"tablets/{made['tablet']['id']}/code")
    assert again["code"] != made["code"]
    tablet = desk.world.stranger("counter")
    body = {"code": again["code"], **tablet.key.claim(again["code"])}
    status, said = await tablet.request("POST", "/api/v1/enrol", body=body)
    assert (status, said["you"]["mode"]) == (200, "training")


async def test_people_are_added_with_what_they_are_handed_and_end(desk: Desk) -> None:
    town = desk.world.town
    body = {"login": "sato", "name": "架空 佐藤", "role": "verifier"}
    made = await desk.post("people", body)
    assert "/password#" in made["link"]
    assert await desk.refused("people", body) == (409, "conflict")
    clerk = {"login": "kyoku", "name": "架空 局員", "role": "clerk", "office": town.office.id}
    handed = await desk.post("people", clerk)
    assert len(handed["pin"]) == 8
    assert (await desk.refused("people", clerk | {"login": "x", "office": None}))[0] == 400
    assert (await desk.refused("people", clerk | {"login": "x", "office": "nosuch"}))[0] == 404
    assert (await desk.refused("people", body | {"login": "Big Name"}))[0] == 400
    person = made["person"]["id"]
    today = desk.world.service.parts.administration.today()
    tomorrow = (today + timedelta(days=1)).isoformat()
    path = f"people/{person}/training"
    assert await desk.refused(path, {"on": tomorrow}) == (400, "bad_day")
    trained = await desk.post(path, {"on": today.isoformat()})
    assert trained["trained_on"] == today.isoformat()
    assert (await desk.post(f"people/{person}/entrance"))["link"] != made["link"]
    await desk.post(f"people/{person}/end")
    assert await desk.refused(f"people/{person}/entrance") == (409, "has_begun")
    told = {one["login"]: one for one in (await desk.get())["people"]}
    assert told["sato"]["ended_at"] is not None
    assert "架空" not in json.dumps(await desk.logged("administration:person:add"))


async def test_one_administrator_makes_no_other_and_ends_not_the_own_work(desk: Desk) -> None:
    body = {"login": "twin", "name": "双子", "role": "administrator"}
    assert await desk.refused("people", body) == (403, "second_administrator")
    me = desk.world.town.administrator.id
    for what in ("entrance", "end"):
        assert await desk.refused(f"people/{me}/{what}") == (403, "second_administrator")


async def test_one_administrator_gets_no_link_of_an_officer_who_is_proposed_or_appointed(
    world: Any,
) -> None:
    one, other = Desk(world, await world.signed_in(world.town.administrator)), await second(world)
    home, parts = world.town.municipality.id, world.service.parts
    person = Person(new_id(), home, "officer", "責任者", Role.OFFICER, None, "hash", None)
    await parts.people.add_person(person)
    entrance, appoint = f"people/{person.id}/entrance", f"officers/{person.id}/appoint"
    kept = (await one.post(entrance))["link"].partition("#")[2]
    for proposing in (one, other):
        await proposing.post(appoint)
        for administrator in (one, other):
            assert await administrator.refused(entrance) == (403, "officer_entrance")
    body = {"token": kept, "password": "a long enough password"}
    status, said = await world.stranger("officer").request("POST", "/api/v1/password", body=body)
    assert (status, said["error"]["code"]) == (401, "link_used")
    log = parts.audit.since(home, datetime(2000, 1, 1, tzinfo=UTC), limit=10_000)
    refused = [entry for entry in await log if entry.tag == "administration:person:link-refused"]
    assert len(refused) == 4


async def opened(world: Any, token: str) -> tuple[int, Any]:
    """Open a link for a password."""
    body = {"token": token, "password": "a long enough password"}
    answer = await world.stranger("officer").request("POST", "/api/v1/password", body=body)
    return answer[0], answer[1]


@pytest.mark.parametrize("when", ["before the appointment", "after it"])
async def test_the_first_link_of_a_new_officer_signs_no_policies(world: Any, when: str) -> None:
    one, other = Desk(world, await world.signed_in(world.town.administrator)), await second(world)
    body = {"login": "officer", "name": "責任者", "role": "officer"}
    made = await one.post("people", body)
    token, person = made["link"].partition("#")[2], made["person"]["id"]
    home, parts = world.town.municipality.id, world.service.parts
    page = None
    if when == "before the appointment":
        assert (await opened(world, token))[0] < 300
        page = await world.signed_in(await parts.people.person(home, person))
        factor = Enrolled(new_id(), home, person, Factor.TOTP, "", parts.clock(), None, secret="x")
        await parts.factors.add_factor(factor)
    for administrator in (one, other):
        await administrator.post(f"officers/{person}/appoint")
    if page is None:
        status, said = await opened(world, token)
        assert (status, said["error"]["code"]) == (401, "link_used")
    else:
        status, said = await page.request("GET", "/api/v1/policy")
        assert (status, said["error"]["code"]) == (401, "signed_out")
    after = await parts.people.person(home, person)
    assert after.password_hash is None
    assert not await parts.factors.has_factor(home, person)
    make = parts.sign_in.make_link  # as the host's command does
    assert (await opened(world, await make(LinkPurpose.PASSWORD, home, person_id=person)))[0] < 300


async def test_a_new_link_for_a_password_voids_the_one_before(desk: Desk) -> None:
    body = {"login": "sato", "name": "架空 佐藤", "role": "verifier"}
    made = await desk.post("people", body)
    again = await desk.post(f"people/{made['person']['id']}/entrance")
    page, answers = desk.world.stranger("desk"), []
    for link in (made["link"], again["link"]):
        said = {"token": link.partition("#")[2], "password": "short"}
        _, answer = await page.request("POST", "/api/v1/password", body=said)
        answers.append(answer["error"]["code"])
    assert answers == ["link_used", "weak_password"]


async def test_a_template_is_drawn_up_by_one_and_approved_by_another(world: Any) -> None:
    one, other = Desk(world, await world.signed_in(world.town.administrator)), await second(world)
    text = TEMPLATE.replace("draw = 2", "draw = 3").replace('id = "purpose"', 'id = "aim"')
    made = await one.post("procedures/versions", {"text": text, "note": "三つ引く"})
    number = made["number"]
    assert await one.refused(f"procedures/versions/{number}/approve") == (403, "own_draft")
    seen = await other.get(f"procedures/versions/{number}")
    assert (seen["state"], seen["mine"]) == ("draft", False)
    told = [words["en"] for words in seen["changes"]]
    assert any("removed" in words for words in told)
    assert any("gains: prompts" in words for words in told)
    past = {"starts_at": "2020-01-01T00:00:00+09:00"}
    assert await other.refused(f"procedures/versions/{number}/approve", past) == (400, "bad_start")
    counter = await world.counter()
    await counter.connect()
    consent = {"video": True, "text_version": "1", "language": "ja"}
    placed = await counter.do("call.place", procedure="new-issue", consent=consent)
    world.clock.advance(seconds=1)
    await other.post(f"procedures/versions/{number}/approve", {})
    call = world.service.parts.registry.get(placed["call"]["id"])
    book = world.service.parts.procedures
    assert book.version_of(call) == 0, "a running call keeps its template"
    now = book.template(world.town.municipality.id, "new-issue", world.clock())
    assert [step.id for step in now.steps][1] == "aim"
    assert (await one.get(f"procedures/versions/{number}"))["state"] == "in_force"
    withdrawn = await one.refused(f"procedures/versions/{number}/withdraw")
    assert withdrawn == (409, "not_a_draft")
    assert (await one.get("procedures/texts"))["texts"]["new-issue"] == text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "code"', 'kind = "dance"', ": steps[2].needs[0].kind: "),
        ('id = "purpose"', 'id = "purpose"\nafter = ["face"]', ": steps: "),
        ('["verified", "returned", "refused", "aborted"]', "[]", ": outcomes: "),
        ('id = "new-issue"', 'id = "my-own"', "2: id: "),
        ('status = "open"', 'status = "preparing"\nreason = { ja = "あ", en = "a" }', ": status: "),
        ('resolution = "required"', 'resolution = "not_required"', ": resolution: "),
    ],
)
async def test_a_bad_template_is_refused_with_line_and_key(
    desk: Desk, old: str, new: str, said: str
) -> None:
    body = {"text": TEMPLATE.replace(old, new, 1), "note": ""}
    status, answer = await desk.page.request("POST", "/api/v1/procedures/versions", body=body)
    assert (status, answer["error"]["code"]) == (400, "bad_template")
    assert any(said in reason["message"] for reason in answer["error"]["reasons"]), answer
