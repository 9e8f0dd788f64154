"""Runs the service for a driver in another process; speaks JSON lines.

    python -m tools.browsers.serve '{"data": {"folder": …}, "server": {"port": 0}, …}'

Prints `{"base_url", "port", "media_port"}` once it listens. A line `{"town": "name"}` on standard
input makes a municipality with an office, two tablets with clerks, two desks and a senior's, two
appointed officers and an administrator; with `"real": true` everything holds there that a real
call wants. A line `{"links": town}` makes one-time links for a town that was made before. Both are
answered by `{"town", "counters": [token, …], "desks": […], "officers": […], "passwords": […],
"administrators": […]}`; by `passwords` a desk sets one. It ends with its standard input.
"""

import asyncio
import json
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from security.ids import new_id
from security.officers import Appointment
from security.passwords import Passwords
from security.people import LinkPurpose, Municipality, Office, OfficeKind, Person, Role, Tablet
from security.policy.model import BASELINE_POLICY
from security.policy.versions import Version
from server.app import Service, running_service
from server.db.prechecks import Precheck
from server.policies import ZONE
from server.policy_text import edited
from server.precheck.rules import Grade
from server.settings import Settings

Json = dict[str, Any]
SEATS = 2
PIN = "730184"  # of every clerk
FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
CLERKS = ("見本 いちか", "見本 ふたば")
DESKS = ("架空 一郎", "架空 次子")
SENIOR = "監督 三保"
OFFICERS = ("統制 まもる", "確認 みどり")
ADMINISTRATOR = "管理 しずか"


KEPT = ("records", "chat", "files", "stills", "recordings", "audit")


async def make_town(service: Service, slug: str, *, real: bool = False) -> Json:
    """Add a municipality and return the ids of its people and tablets.

    `real`: from its first counter real calls may be placed.
    """
    people = service.parts.people
    home = Municipality(new_id(), slug, "架空市", "平日 9:00～17:00", "000-0000-0000")
    await people.add_municipality(home)
    office = Office(new_id(), home.id, "架空中央郵便局", OfficeKind.DIRECT)
    await people.add_office(office)

    async def person(login: str, name: str, role: Role, office_id: str | None) -> str:
        made = Person(new_id(), home.id, login, name, role, office_id, None, None)
        await people.add_person(made)
        return made.id

    async def officer(login: str, name: str) -> str:
        made = await person(login, name, Role.OFFICER, None)
        now = service.parts.clock()
        appointed = Appointment(home.id, made, None, now, None, now)
        await service.parts.policy_store.put_appointment(appointed)
        return made

    tablets = [Tablet(new_id(), home.id, office.id, f"{n}番窓口", None, None) for n in "１２"]
    for tablet in tablets:
        await people.add_tablet(tablet)
    clerks = [await person(f"clerk{n}", CLERKS[n], Role.CLERK, office.id) for n in range(SEATS)]
    hashed = await Passwords(FAST).hash(PIN)
    for clerk in clerks:
        now = service.parts.clock()
        await people.set_pin(home.id, clerk, hashed, first_until=None, end_sessions_at=now)
    if real:
        await _be_ready(service, office, tablets[0], clerks[0])
    return {
        "municipality": home.id,
        "slug": slug,
        "tablets": [tablet.id for tablet in tablets],
        "clerks": clerks,
        "desks": [
            *[await person(f"desk{n}", DESKS[n], Role.VERIFIER, None) for n in range(SEATS)],
            await person("senior", SENIOR, Role.SENIOR, None),
        ],
        "officers": [await officer(f"officer{n}", OFFICERS[n]) for n in range(SEATS)],
        "administrators": [await person("admin", ADMINISTRATOR, Role.ADMINISTRATOR, None)],
    }


async def _be_ready(service: Service, office: Office, tablet: Tablet, clerk: str) -> None:
    """Let every term of a real call hold from now on."""
    parts, home, now = service.parts, office.municipality_id, service.parts.clock()
    day = now.astimezone(ZONE).date()
    await parts.people.set_office(
        replace(
            office,
            designated_on=day,
            resolved_on=day,
            resolution_ref="議案第1号",
            contract_ref="契約第1号",
        )
    )
    await parts.people.set_tablet_real(home, tablet.id, real=True)
    days: Json = {f"retention.{name}_days": 365 for name in KEPT}
    text = edited(BASELINE_POLICY, {**days, "people.second_factor_roles": []}, {}, {})
    parts.policies.put(Version(home, 1, 0, text, clerk, now, "", clerk, now, now))
    ids = (new_id(), home, office.id, tablet.id, clerk)
    await parts.precheck_store.add(Precheck(*ids, now, Grade.GOOD, ()))


async def links(service: Service, town: Json) -> Json:
    """Return one-time tokens for every seat of a town."""
    make = service.parts.sign_in.make_link
    home = town["municipality"]
    counters = [
        await make(LinkPurpose.SIGN_IN, home, person_id=clerk, tablet_id=tablet)
        for clerk, tablet in zip(town["clerks"], town["tablets"], strict=True)
    ]
    desks = [await make(LinkPurpose.SIGN_IN, home, person_id=desk) for desk in town["desks"]]
    officers = [await make(LinkPurpose.SIGN_IN, home, person_id=one) for one in town["officers"]]
    houses = [await make(LinkPurpose.SIGN_IN, home, person_id=x) for x in town["administrators"]]
    passwords = [await make(LinkPurpose.PASSWORD, home, person_id=desk) for desk in town["desks"]]
    return {
        "town": town,
        "counters": counters,
        "desks": desks,
        "officers": officers,
        "passwords": passwords,
        "administrators": houses,
    }


async def serve(settings: Settings) -> None:
    """Run until standard input ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with running_service(settings) as service:
        port = int(service.base_url.rsplit(":", 1)[1])
        _say(
            {"base_url": service.base_url, "port": port, "media_port": service.parts.media.ports[0]}
        )
        while line := await reader.readline():
            asked = json.loads(line)
            town = asked.get("links") or await make_town(
                service, asked["town"], real=asked.get("real", False)
            )
            _say(await links(service, town))


def _say(answer: Json) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    given = json.loads(sys.argv[1])
    given["data"]["folder"] = Path(given["data"]["folder"])
    given["keys"]["kek_file"] = Path(given["keys"]["kek_file"])
    asyncio.run(serve(Settings.model_validate(given)))
