"""架空市 for the demo: a post office with three tablets and clerks, two desks, an administrator.

Nobody here exists. Done twice on the same folder it finds what it made before.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from security.crypto.keys import ENVIRONMENT_NAME, KeyEncryptionKey
from security.ids import new_id
from security.passwords import Passwords
from security.people import LinkPurpose, Municipality, Office, OfficeKind, Person, Role, Tablet
from server.db.people import SqlPeople
from server.parts import Parts
from server.settings import DataSettings, KeySettings, MediaPort, ServerSettings, Settings

SLUG = "kaku"
DEMO_DIGITS = 8
CITY = "架空市"
OFFICE = "架空中央郵便局"
TABLETS = ("１番窓口", "２番窓口", "３番窓口")
CLERKS = (("clerk1", "見本 いちか"), ("clerk2", "見本 ふたば"), ("clerk3", "見本 みつき"))
DESKS = (("desk1", "架空 一郎"), ("desk2", "架空 次子"))


@dataclass(frozen=True, slots=True)
class Seed:
    """Ids of what was made: the n-th clerk works on the n-th tablet."""

    municipality_id: str
    tablets: tuple[str, ...]
    clerks: tuple[str, ...]
    desks: tuple[str, ...]


def settings_for(
    folder: Path,
    *,
    port: int = 0,
    media_host: str = "127.0.0.1",
    announce: tuple[str, ...] = ("127.0.0.1",),
    origins: tuple[str, ...] = (),
) -> Settings:
    """Return settings that keep everything in `folder`, with a key made there if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    kek = folder / "kek"
    if not kek.exists() and ENVIRONMENT_NAME not in os.environ:
        KeyEncryptionKey.generate().write_file(kek)
    return Settings(
        server=ServerSettings(host="127.0.0.1", port=port, origins=origins),
        data=DataSettings(folder=folder),
        media=MediaPort(host=media_host, port=0, announce=announce),
        keys=KeySettings(kek_file=kek),
    )


async def sow(people: SqlPeople) -> Seed:
    """Store the demo's municipality, office, people and tablets, or find them."""
    found = [city for city in await people.municipalities() if city.slug == SLUG]
    if found:
        return await _find(people, found[0].id)
    city = Municipality(new_id(), SLUG, CITY, hours="平日 9:00～17:00", telephone="000-0000-0000")
    await people.add_municipality(city)
    office = Office(new_id(), city.id, OFFICE, OfficeKind.DIRECT)
    await people.add_office(office)
    for name in TABLETS:
        await people.add_tablet(Tablet(new_id(), city.id, office.id, name, None, None))
    for login, name in CLERKS:
        await people.add_person(_person(city.id, login, name, Role.CLERK, office.id))
    for login, name in DESKS:
        await people.add_person(_person(city.id, login, name, Role.VERIFIER, None))
    await people.add_person(_person(city.id, "admin", "架空 管理", Role.ADMINISTRATOR, None))
    return await _find(people, city.id)


async def give_pins(parts: Parts, seed: Seed) -> str:
    """Give every clerk of the demo one fresh PIN and return it."""
    pin = "".join(secrets.choice("0123456789") for _ in range(DEMO_DIGITS))
    hashed = await Passwords().hash(pin)
    for clerk in seed.clerks:
        await parts.people.set_pin(
            seed.municipality_id, clerk, hashed, first_until=None, end_sessions_at=parts.clock()
        )
    return pin


async def counter_link(parts: Parts, seed: Seed, number: int) -> str:
    """Return a one-time token that enrols the n-th tablet (from 0) and signs its clerk in."""
    return await parts.sign_in.make_link(
        LinkPurpose.SIGN_IN,
        seed.municipality_id,
        person_id=seed.clerks[number],
        tablet_id=seed.tablets[number],
    )


async def desk_link(parts: Parts, seed: Seed, number: int) -> str:
    """Return a one-time token that signs the n-th verifier (from 0) in."""
    return await parts.sign_in.make_link(
        LinkPurpose.SIGN_IN, seed.municipality_id, person_id=seed.desks[number]
    )


async def _find(people: SqlPeople, city_id: str) -> Seed:
    by_login = {person.login: person.id for person in await people.people(city_id)}
    by_name = {tablet.name: tablet.id for tablet in await people.tablets(city_id)}
    return Seed(
        city_id,
        tablets=tuple(by_name[name] for name in TABLETS),
        clerks=tuple(by_login[login] for login, _ in CLERKS),
        desks=tuple(by_login[login] for login, _ in DESKS),
    )


def _person(city_id: str, login: str, name: str, role: Role, office_id: str | None) -> Person:
    return Person(new_id(), city_id, login, name, role, office_id, None, None)
