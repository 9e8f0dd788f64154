"""Runs the service under test; speaks JSON lines on its standard input and output.

    python -m server.bench.serve FOLDER PACKET_PATH

Prints `{"base_url"}` once it listens. `{"seats": n}` makes a town of n tablets and desks and is
answered by their one-time tokens; `{"forwarded": true}` by what the media engine says it has sent
in open calls; `{"packet_path": true}` by the path it uses; `{"tasks": true}` by how many tasks its
loop holds; `{"entries": n, "callers": m}` by how many entries a second the audit log took;
`{"password": text}` by a verifier who has it. It ends with its standard input. It is `madoguchi
serve` in all but the command.
"""

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any

from security.ids import new_id
from security.people import LinkPurpose, Municipality, Office, OfficeKind, Person, Role, Tablet
from server.app import running_service
from server.bench.log_load import entries_per_second
from server.demo.seed import settings_for
from server.parts import Parts

Json = dict[str, Any]
NO_LIMIT = 1000  # what is measured is how many go, not how many are let in


async def make_seats(parts: Parts, count: int) -> list[tuple[str, str]]:
    """Return one-time tokens of so many pairs of counter and desk, in a town of their own."""
    town = Municipality(new_id(), "load", "架空市", "", "")
    await parts.people.add_municipality(town)
    office = Office(new_id(), town.id, "架空郵便局", OfficeKind.DIRECT)
    await parts.people.add_office(office)
    return [await _pair(parts, town, office, number) for number in range(count)]


async def _pair(parts: Parts, town: Municipality, office: Office, number: int) -> tuple[str, str]:
    tablet = Tablet(new_id(), town.id, office.id, f"{number}番窓口", None, None)
    await parts.people.add_tablet(tablet)
    people = []
    for login, role, place in (("c", Role.CLERK, office.id), ("d", Role.VERIFIER, None)):
        person = Person(new_id(), town.id, f"{login}{number}", "架空", role, place, None, None)
        await parts.people.add_person(person)
        people.append(person.id)
    make = parts.sign_in.make_link
    counter = await make(LinkPurpose.SIGN_IN, town.id, person_id=people[0], tablet_id=tablet.id)
    return counter, await make(LinkPurpose.SIGN_IN, town.id, person_id=people[1])


async def write_log(parts: Parts, entries: int, callers: int) -> Json:
    """Write into the town's audit log, whatever calls run meanwhile; verify it at the end."""
    home = (await parts.people.municipalities())[0].id
    rate = await entries_per_second(parts.audit, home, entries, callers)
    verified = (await parts.audit.verify(home)).count
    return {"entries_per_second": round(rate), "verified_entries": verified}


async def make_person(parts: Parts, password: str) -> Json:
    """Add a verifier who signs in with this password."""
    home = (await parts.people.municipalities())[0]
    person = Person(new_id(), home.id, "signs-in", "架空", Role.VERIFIER, None, None, None)
    await parts.people.add_person(person)
    token = await parts.sign_in.make_link(LinkPurpose.PASSWORD, home.id, person_id=person.id)
    await parts.sign_in.set_password(token, password)
    return {"municipality": home.slug, "login": person.login}


async def forwarded(parts: Parts) -> int:
    """Return how many RTP packets the engine has sent to the parties of open calls."""
    calls = [call.id for call in parts.registry.every_open_call()]
    stats = [await parts.media.stats(call) for call in calls]
    return sum(party.packets_forwarded for call in stats for party in call.values())


async def serve(folder: Path, packet_path: str) -> None:
    """Run until standard input ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    settings = settings_for(folder)
    asked_for = {"max_calls": NO_LIMIT, "packet_path": packet_path}
    media = settings.media.model_copy(update=asked_for)
    async with running_service(settings.model_copy(update={"media": media})) as service:
        _say({"base_url": service.base_url})
        while line := await reader.readline():
            asked: Json = json.loads(line)
            if "seats" in asked:
                _say({"seats": await make_seats(service.parts, asked["seats"])})
            elif "packet_path" in asked:
                _say({"packet_path": service.parts.media.packet_path})
            elif "entries" in asked:
                _say(await write_log(service.parts, asked["entries"], asked["callers"]))
            elif "password" in asked:
                _say(await make_person(service.parts, asked["password"]))
            elif "tasks" in asked:
                _say({"tasks": len(asyncio.all_tasks())})
            else:
                _say({"forwarded": await forwarded(service.parts)})


def _say(answer: Json) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2]))
