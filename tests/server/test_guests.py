"""Third parties of a call: asked by the desk, let in, seen and heard by everybody, gone again."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from security.ids import new_id
from security.people import Person, Role
from tests.media.basics import until
from tests.media.clients import Client as MediaClient

EVERYBODY = {"calls.third_parties": ["senior", "interpreter", "representative"]}


async def add(world: Any, login: str, role: Role) -> Person:
    """Add somebody to the town."""
    home = world.town.municipality.id
    person = Person(new_id(), home, login, f"{login} 氏", role, None, None, None)
    await world.service.parts.people.add_person(person)
    return person


async def ready(world: Any, person: Person) -> Any:
    """Return the person's desk page, 受付中."""
    page = await world.signed_in(person)
    await page.connect()
    await page.do("desk.state", state="open")
    return page


async def refused(page: Any, kind: str, **fields: Any) -> str:
    """Return the code with which a command is refused."""
    with pytest.raises(Exception) as error:  # noqa: PT011  # the fixture's own class
        await page.do(kind, **fields)
    return str(error.value)


async def joined(world: Any, desk: Any, person: Person) -> Any:
    """Ask somebody into the desk's call and return their page in it."""
    page = await ready(world, person)
    await desk.do("call.invite", person=person.id, agreed=True)
    asked = await page.until_that(lambda m: m["type"] == "queue" and m["queue"]["invited"])
    answer = await page.do("call.join", call=asked["queue"]["invited"]["call"])
    assert answer["call"]["id"] == asked["queue"]["invited"]["call"]
    page.answer = answer
    return page


async def shown(page: Any, wanted: Callable[[list[Any]], object]) -> Any:
    """Return the call once its guests, as the page was last told, are as wanted."""

    def is_newest(m: Any) -> bool:
        calls = [x for x in page.inbox if x["type"] == "call"]
        return bool(calls) and m is calls[-1]

    found = await page.until_that(lambda m: is_newest(m) and bool(wanted(m["call"]["guests"])))
    return found["call"]


def nobody(guests: list[Any]) -> bool:
    return guests == []


def guests_of(page: Any) -> list[tuple[str, str, bool]]:
    """Return the guests as a page was last told."""
    told = [m["call"] for m in page.inbox if m["type"] == "call"]
    return [(x["party"], x["kind"], x["joined"]) for x in told[-1]["guests"]]


async def test_an_interpreter_is_asked_comes_and_leaves_and_everybody_is_told(world: Any) -> None:
    world.enforce(EVERYBODY)
    interpreter = await add(world, "tsuyaku", Role.INTERPRETER)
    counter, desk, call = await world.talking()
    page = await ready(world, interpreter)
    _, listed = await desk.request("GET", f"/api/v1/calls/{call['id']}/invitable")
    told: Any = {"id": interpreter.id, "name": "tsuyaku 氏", "kind": "interpreter", "state": "free"}
    assert listed["people"] == [told | {"joins": True, "receives": False}]
    await desk.do("call.invite", person=interpreter.id, agreed=True)
    asked = await page.until_that(lambda m: m["type"] == "queue" and m["queue"]["invited"])
    invited = asked["queue"]["invited"]
    assert (invited["call"], invited["kind"]) == (call["id"], "interpreter")
    assert invited["desk"]["name"].startswith("verifier-1")
    assert asked["queue"]["waiting"] == []  # whose calls there are is not an interpreter's to know
    assert await refused(desk, "call.invite", person=interpreter.id, agreed=True) == "not_free"

    answer = await page.do("call.join", call=call["id"])
    assert (answer["chat"], answer["files"]) == ([], [])
    for end in (counter, desk):
        await shown(end, lambda g: len(g) == 1 and g[0]["joined"])
        assert guests_of(end) == [("guest-1", "interpreter", True)]
    assert (await counter.until("call"))["call"]["guests"][0]["name"] == "tsuyaku 氏"

    await page.do("call.leave")
    for end in (counter, desk, page):
        await shown(end, nobody)
    assert (await counter.until("call"))["call"]["state"] == "talking"
    assert await refused(page, "call.devices", camera="on", microphone="on") == "wrong_state"


async def test_a_guest_sees_and_hears_and_does_nothing_else(world: Any) -> None:
    world.enforce(EVERYBODY)
    _, desk, call = await world.talking()
    await desk.do("chat.send", text="前のことば")
    page = await joined(world, desk, await add(world, "tsuyaku", Role.INTERPRETER))
    who = world.town.verifiers[0].id
    for kind, fields in (
        ("chat.send", {"text": "見えません"}),
        ("chat.read", {"number": 1}),
        ("call.decide", {}),
        ("call.close", {"outcome": "aborted", "reason": "x"}),
        ("call.veil", {"on": True}),
        ("call.invite", {"person": who, "agreed": True}),
        ("call.uninvite", {"person": who}),
    ):
        assert await refused(page, kind, **fields) in {
            "not_your_call",
            "counter_cannot_decide",
            "not_found",
            "denied",
        }, kind
    assert (await page.request("GET", f"/api/v1/calls/{call['id']}"))[0] == 200
    status, body = await page.request("GET", f"/api/v1/calls/{call['id']}/invitable")
    assert (status, body["error"]["code"]) == (403, "counter_cannot_decide")
    await desk.do("chat.send", text="後のことば")
    await desk.until("chat")
    assert not [m for m in page.inbox if m["type"] in ("chat", "chat.read", "file")]
    # Nobody else's call is theirs either.
    assert await refused(page, "call.accept", call=None) == "counter_cannot_decide"


async def test_a_senior_is_given_what_was_said_and_says_something(world: Any) -> None:
    counter, desk, _ = await world.talking()
    await desk.do("chat.send", text="前のことば")
    page = await joined(world, desk, await add(world, "joseki", Role.SENIOR))
    assert [x["text"] for x in page.answer["chat"]] == ["前のことば"]
    await page.do("chat.send", text="上席です")
    told = await counter.until_that(
        lambda m: m["type"] == "chat" and m["message"]["text"] == "上席です"
    )
    assert told["message"]["from"] == "guest-1"
    await page.do("call.devices", camera="off", microphone="on")
    await shown(counter, lambda g: len(g) == 1 and g[0]["camera"] == "off")


async def test_a_desk_sees_who_could_go_on_with_its_call(world: Any) -> None:
    senior = await add(world, "joseki", Role.SENIOR)
    _, desk, call = await world.talking()
    path = f"/api/v1/calls/{call['id']}/invitable"

    async def listed() -> list[tuple[str, str, bool, bool]]:
        _, found = await desk.request("GET", path)
        return [(x["id"], x["state"], x["joins"], x["receives"]) for x in found["people"]]

    world.enforce({"calls.third_parties": []})
    assert await listed() == []
    other = world.town.verifiers[1]
    await ready(world, other)
    await ready(world, senior)
    assert await listed() == [(senior.id, "free", False, True), (other.id, "free", False, True)]
    world.enforce({"calls.third_parties": ["senior"], "calls.assignment": "random"}, 2)
    assert await listed() == [(senior.id, "free", True, True)]
    await desk.do("call.hand-over", person=senior.id)


async def test_the_policy_says_who_may_be_asked_and_takes_who_is_in_out_again(world: Any) -> None:
    interpreter = await add(world, "tsuyaku", Role.INTERPRETER)
    clerk = world.town.clerk
    counter, desk, call = await world.talking()
    page = await ready(world, interpreter)
    path = f"/api/v1/calls/{call['id']}/invitable"
    assert (await desk.request("GET", path))[1] == {"people": []}
    assert await refused(desk, "call.invite", person=interpreter.id, agreed=True) == "not_invitable"
    assert await refused(desk, "call.invite", person=clerk.id, agreed=True) == "not_found"
    world.enforce(EVERYBODY)
    assert await refused(desk, "call.invite", person=interpreter.id, agreed=False) == "protocol"
    await desk.do("call.invite", person=interpreter.id, agreed=True)
    await page.until_that(lambda m: m["type"] == "queue" and m["queue"]["invited"])
    await page.do("call.join", call=call["id"])
    world.enforce({"calls.third_parties": ["senior"]}, 2)
    await shown(page, nobody)
    assert (await counter.until("call"))["call"]["state"] == "talking"


async def test_another_municipality_can_neither_be_asked_nor_join(world: Any) -> None:
    other = await world.town_of("ibara")
    _, desk, call = await world.talking()
    assert await refused(desk, "call.invite", person=other.verifiers[0].id, agreed=True) == (
        "not_found"
    )
    stranger = await world.desk(0, other)
    await stranger.connect()
    assert await refused(stranger, "call.join", call=call["id"]) == "call_taken"
    status, _ = await stranger.request("GET", f"/api/v1/calls/{call['id']}/invitable")
    assert status == 404


async def test_who_does_not_answer_or_goes_away_is_asked_no_longer(make_world: Any) -> None:
    world = await make_world(calls={"ring_seconds": 5, "resume_seconds": 120})
    world.service.parts.registry.limits = type(world.service.parts.registry.limits)(120, 0.3)
    senior = await add(world, "joseki", Role.SENIOR)
    _, desk, _ = await world.talking()
    page = await ready(world, senior)
    await desk.do("call.invite", person=senior.id, agreed=True)
    await shown(desk, len)
    await shown(desk, nobody)
    last = [m["queue"] for m in page.inbox if m["type"] == "queue"][-1]
    assert last["invited"] is None

    world.service.parts.registry.limits = type(world.service.parts.registry.limits)(120, 20)
    await desk.do("call.invite", person=senior.id, agreed=True)
    await page.do("call.leave")  # no, thank you
    await shown(desk, nobody)
    await desk.do("call.invite", person=senior.id, agreed=True)
    await shown(desk, len)
    await page.leave()
    await shown(desk, nobody)


async def test_a_guest_who_is_lost_comes_back_to_the_same_seat_while_the_call_goes_on(
    world: Any,
) -> None:
    counter, desk, call = await world.talking()
    page = await joined(world, desk, await add(world, "joseki", Role.SENIOR))
    await page.cut()
    await shown(counter, lambda g: len(g) == 1 and not g[0]["present"])
    assert (await counter.until("call"))["call"]["state"] == "talking"
    welcome = await page.connect()
    assert welcome["state"]["call"]["id"] == call["id"]
    await shown(counter, lambda g: len(g) == 1 and g[0]["present"])
    await desk.do("call.uninvite", person=welcome["you"]["person"]["id"])
    await shown(page, nobody)


async def test_guests_are_lost_with_the_server_and_come_back_after_it(make_world: Any) -> None:
    world = await make_world()
    counter, desk, call = await world.talking()
    page = await joined(world, desk, await add(world, "joseki", Role.SENIOR))
    for client in (counter, desk, page):
        await client.leave()
    await world.service.parts.registry.stop()
    again = await make_world.restart(world)
    for client in (counter, desk, page):
        client.base_url = again.service.base_url
    for client in (counter, desk):
        await client.connect()
    welcome = await page.connect()
    assert welcome["state"]["call"]["id"] == call["id"]
    told = await shown(counter, lambda g: len(g) == 1 and g[0]["present"])
    assert told["guests"][0]["party"] == "guest-1"


async def test_a_call_that_goes_back_to_the_queue_has_no_guests(world: Any) -> None:
    limits = type(world.service.parts.registry.limits)
    world.service.parts.registry.limits = limits(0.3, 20)
    counter, desk, _ = await world.talking()
    page = await joined(world, desk, await add(world, "joseki", Role.SENIOR))
    await desk.leave()
    assert (await counter.until_state("waiting"))["guests"] == []
    await shown(page, nobody)


class Sees(MediaClient):
    """A client that remembers how bright each picture is and which sounds come."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.levels: dict[str, float] = {}
        self.heard: dict[str, int] = {}
        self.count: Counter[int] = Counter()
        self._mark = (0, 0)

    async def _drain(self, track: Any) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if track.kind == "video":
                gray = frame.to_ndarray(format="gray")
                self.levels[track.id] = level = float(np.median(gray))
                self.count[round(level / 40)] += 1
            else:
                self.heard[track.id] = self.heard.get(track.id, 0) + 1

    def more(self, places: int) -> None:
        """Have lines for so many others."""
        while len(self.connection.getTransceivers()) < 2 * places:
            for kind in ("audio", "video"):
                self.connection.addTransceiver(kind, direction="recvonly")

    def still(self, one: int, *, while_moving: int) -> bool:
        """Tell whether a picture stands still for 20 pictures of another."""
        if self.count[one] != self._mark[0]:
            self._mark = (self.count[one], self.count[while_moving])
        return self.count[while_moving] >= self._mark[1] + 20

    def pictures(self) -> list[int]:
        """Return how bright the pictures are, in steps of 40."""
        return sorted(round(level / 40) for level in self.levels.values())


@pytest.fixture
async def eyes() -> AsyncIterator[list[Sees]]:
    made = [Sees(40 * n) for n in range(1, 5)]
    yield made
    await asyncio.gather(*(x.close() for x in made))


async def connect(page: Any, client: Sees, number: int = 1) -> None:
    """Offer by the page's socket, and again with more lines when asked."""
    answer = await page.offer(1, await client.offer(), id=f"offer{number}")
    await client.take(answer["sdp"])


async def follow(page: Any, client: Sees) -> None:
    """Offer again whenever the server asks for it."""
    done = 1
    while True:
        asked = [m for m in page.inbox if m["type"] == "please-offer"]
        if len(asked) < done:
            await asyncio.sleep(0.05)
            continue
        client.more(asked[done - 1]["places"])
        done += 1
        await connect(page, client, done)


async def test_four_parties_see_and_hear_one_another_over_the_real_server(
    world: Any, eyes: list[Sees]
) -> None:
    world.enforce(EVERYBODY)
    counter, desk, _ = await world.talking()
    people = [
        await add(world, "joseki", Role.SENIOR),
        await add(world, "tsuyaku", Role.INTERPRETER),
    ]
    pages = [counter, desk]
    for page, client in zip(pages, eyes, strict=False):
        await connect(page, client)
    for person, client in zip(people, eyes[2:], strict=True):
        page = await ready(world, person)
        await connect(page, client)  # warm, before anybody asks
        await desk.do("call.invite", person=person.id, agreed=True)
        asked = await page.until_that(lambda m: m["type"] == "queue" and m["queue"]["invited"])
        assert client.levels == client.heard == {}
        await page.do("call.join", call=asked["queue"]["invited"]["call"])
        pages.append(page)
    followers = [
        asyncio.create_task(follow(page, client)) for page, client in zip(pages, eyes, strict=True)
    ]
    try:
        everybody = [1, 2, 3, 4]
        assert await until(
            lambda: all(
                client.pictures() == [x for x in everybody if x != own]
                and len([n for n in client.heard.values() if n > 5]) == 3
                for own, client in enumerate(eyes, 1)
            ),
            20,
        ), [(x.levels, x.heard) for x in eyes]
        told = [m["lines"] for m in desk.inbox if m["type"] == "streams"][-1]
        assert set(told.values()) == {"counter", "guest-1", "guest-2"}
        await counter.do("call.veil", on=True)
        assert await until(lambda: all(client.still(1, while_moving=2) for client in eyes[2:]))
        await desk.do("call.uninvite", person=people[0].id)
        await shown(counter, lambda g: len(g) == 1)
        left = await counter.until_that(
            lambda m: m["type"] == "streams" and "guest-1" not in m["lines"].values()
        )
        assert set(left["lines"].values()) == {"desk", "guest-2", ""}
    finally:
        for task in followers:
            task.cancel()
        await asyncio.gather(*followers, return_exceptions=True)
