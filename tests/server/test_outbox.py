"""Facts for other systems: written with what they tell of, told in order, none lost."""

import asyncio
import os
import signal
import sqlite3
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from security.errors import Conflict, NotFound
from security.ids import new_id
from server.calls.call import Call, Outcome, State
from server.db import outbox
from server.db.engine import Database, open_database
from server.db.outbox import Delivery, SqlOutbox, Told
from server.hooks.fact import Fact, call_closed

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


async def stored_call(world: Any, *, training: bool = False) -> Call:
    """Return a call of the town that was answered, as it stands in the database."""
    parts, town = world.service.parts, world.town
    call_id = new_id()

    def make(count: int) -> tuple[Call, bytes]:
        call = Call(
            call_id,
            f"K-261123-{count:04d}",
            town.municipality.id,
            town.office.id,
            town.tablet.id,
            town.clerk.id,
            "new-issue",
            training,
            "1",
            parts.clock(),
            State.TALKING,
            desk_id=town.verifiers[0].id,
            answered_at=parts.clock(),
        )
        return call, parts.keys.fresh_call(call_id)

    call: Call = await parts.calls.insert_numbered(town.municipality.id, "K-261123", make)
    return call


def over(call: Call, at: datetime) -> Call:
    """Return the call closed with its outcome."""
    return replace(
        call, state=State.CLOSED, outcome=Outcome.VERIFIED, closed_at=at, version=call.version + 1
    )


def facts_of(world: Any) -> list[tuple[Any, ...]]:
    """Return type, subject and data of the outbox, as another program reads them."""
    file = world.service.parts.settings.data.folder / "madoguchi.sqlite"
    database = sqlite3.connect(file)
    try:
        return list(database.execute("SELECT type, subject, data FROM outbox ORDER BY position"))
    finally:
        database.close()


async def test_a_call_that_is_over_stands_in_the_outbox_with_ids_alone(world: Any) -> None:
    call = await stored_call(world)
    assert facts_of(world) == []
    await world.service.parts.calls.save(over(call, NOW))
    ((kind, subject, data),) = facts_of(world)
    assert (kind, subject) == ("call.closed", call.id)
    said = data.decode()
    assert '"outcome":"verified"' in said
    assert world.town.clerk.name not in said
    assert world.town.office.name not in said


async def test_a_call_that_could_not_be_written_is_told_nobody(world: Any) -> None:
    call = await stored_call(world)
    stale = replace(over(call, NOW), version=9)
    with pytest.raises(Exception, match="changed by somebody"):
        await world.service.parts.calls.save(stale)
    assert facts_of(world) == []


async def test_a_call_closed_by_its_desk_is_told_once(world: Any) -> None:
    counter, desk, call = await world.talking()
    await desk.do("call.close", outcome="aborted", reason="線が切れました")
    await counter.until_state("closed")
    facts = facts_of(world)
    assert [(kind, subject) for kind, subject, _ in facts] == [
        ("call.closed", call["id"]),
        ("record.closed", call["id"]),
    ]
    assert all("線が切れました" not in data.decode() for _, _, data in facts)


async def test_a_call_that_nobody_answered_is_no_fact(world: Any) -> None:
    counter = await world.counter()
    await counter.connect()
    placed = {"procedure": "new-issue"}
    consent = {"video": True, "text_version": "1", "language": "ja"}
    await counter.do("call.place", **placed, consent=consent)
    await counter.do("call.withdraw")
    await counter.until_state("closed")
    assert facts_of(world) == []


def fact(subject: str, number: int = 0) -> Fact:
    return Fact("m", "call.closed", subject, NOW, {"n": number})


def test_a_fact_of_no_known_type_or_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="no type"):
        Fact("m", "call.deleted", "a", NOW, {})
    with pytest.raises(ValueError, match="at most"):
        Fact("m", "call.closed", "a", NOW, {"text": "x" * 9000})
    assert call_closed(Call("c", "K", "m", "o", "t", "p", "x", False, "1", NOW)) is None


@pytest.fixture
async def store(tmp_path: Path) -> Any:
    """Return an outbox on a fresh database that has one municipality, and its database."""
    database = open_database(tmp_path)
    await database.migrate()
    async with database.writing() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO municipality (id, slug, name, key_wrapped) VALUES ('m', 's', 'n', x'00')"
        )
    yield SqlOutbox(database), database
    await database.close()


async def put(store: SqlOutbox, database: Database, *facts: Fact, to: str = "webhook:a") -> None:
    """Write facts and address them."""
    async with database.writing() as connection:
        for one in facts:
            await outbox.add(connection, one)
    await store.spread([(at, one, [to]) for at, one in await store.unspread(100)], NOW)


def numbers(found: list[Delivery]) -> list[int]:
    return [one.fact.data["n"] for one in found]


async def tell(store: SqlOutbox, one: Delivery, state: str, **more: Any) -> None:
    await store.settle([Told(one, state, NOW, **more)])


async def test_facts_of_one_call_are_told_in_order_and_those_of_others_meanwhile(
    store: Any,
) -> None:
    box, database = store
    await put(box, database, fact("a", 1), fact("a", 2), fact("b", 3))
    first = await box.due("webhook:a", NOW, 10)
    assert numbers(first) == [1, 3]
    await tell(box, first[0], "waiting", next_at=NOW + timedelta(hours=1), problem="500")
    assert numbers(await box.due("webhook:a", NOW, 10)) == [3]
    later = NOW + timedelta(hours=2)
    again = await box.due("webhook:a", later, 10)
    assert numbers(again) == [1, 3]
    await tell(box, again[0], "done")
    assert numbers(await box.due("webhook:a", later, 10)) == [2, 3]


async def test_a_dead_letter_holds_what_follows_until_it_is_retried_or_given_up(
    store: Any,
) -> None:
    box, database = store
    await put(box, database, fact("a", 1), fact("a", 2))
    (first,) = await box.due("webhook:a", NOW, 10)
    await tell(box, first, "dead", problem="410")
    assert await box.due("webhook:a", NOW, 10) == []
    (dead,) = await box.troubled("m")
    assert (dead.state, dead.problem, dead.held) == ("dead", "410", 1)
    await box.retry("m", dead.position, "webhook:a", NOW)
    assert numbers(await box.due("webhook:a", NOW, 10)) == [1]
    await tell(box, first, "dead")
    await box.give_up("m", dead.position, "webhook:a")
    assert numbers(await box.due("webhook:a", NOW, 10)) == [2]
    for home, position in (("other", dead.position), ("m", 99)):
        with pytest.raises(NotFound):
            await box.retry(home, position, "webhook:a", NOW)
    # It is over, and the next was told meanwhile: telling it now would be out of order.
    with pytest.raises(Conflict, match="over"):
        await box.retry("m", dead.position, "webhook:a", NOW)
    with pytest.raises(Conflict, match="over"):
        await box.give_up("m", dead.position, "webhook:a")


async def test_what_was_told_everywhere_is_forgotten_and_the_rest_kept(store: Any) -> None:
    box, database = store
    await put(box, database, fact("a", 1), fact("b", 2))
    await tell(box, (await box.due("webhook:a", NOW, 10))[0], "done")
    assert await box.sweep(NOW + timedelta(days=1)) == 1
    assert await box.figures() == {"webhook:a": {"waiting": 1}}
    await put(box, database, fact("c", 3))
    assert numbers(await box.due("webhook:a", NOW, 10)) == [2, 3]


KILLED = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from server.db import outbox
from server.db.engine import open_database
from server.hooks.fact import Fact

async def main():
    database = open_database(Path(sys.argv[1]))
    async with database.writing() as connection:
        at = datetime(2026, 11, 23, tzinfo=UTC)
        await outbox.add(connection, Fact("m", "call.closed", "a", at, {"n": 1}))
        if sys.argv[2] == "before":
            os.kill(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.mark.parametrize(("when", "left"), [("before", []), ("after", ["a"])])
async def test_a_fact_is_there_after_a_kill_exactly_if_it_was_committed(
    store: Any, tmp_path: Path, when: str, left: list[str]
) -> None:
    box, _ = store
    command = (sys.executable, "-c", KILLED, str(tmp_path), when)
    process = await asyncio.create_subprocess_exec(*command, env=os.environ)
    assert await process.wait() == -signal.SIGKILL
    assert [one.subject for _, one in await box.unspread(10)] == left
