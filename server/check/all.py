"""Everything that is looked at, in the order in which an operator mends it."""

from collections.abc import AsyncIterator
from pathlib import Path

from security.errors import MadoguchiError
from security.policy.model import Policy
from server.api.reach import Reach
from server.check import machine, policy, services
from server.check.finding import Finding, fault, ok
from server.cli.house import House, make_house, require_database
from server.clock import utc_now
from server.db.policies import SqlPolicies
from server.policies import PolicyBook
from server.settings import Settings
from server.settings_file import SettingsError


async def findings(config: Path, example: Reach | None = None) -> AsyncIterator[Finding]:
    """Give what is found; without usable settings nothing else can be.

    `example` is a request of which is told where it comes from.
    """
    try:
        settings = Settings.load(config)
    except SettingsError as error:
        for text in error.message.splitlines():
            yield fault("settings", text)
        return
    yield ok("settings", f"{config} can be used")
    for about in (
        machine.listening(settings),
        machine.certificate(settings, utc_now()),
        machine.passkeys(settings),
        machine.folder(settings),
        machine.key(settings),
    ):
        for one in about:
            yield one
    async for one in _over_the_data(settings, example):
        yield one


async def _over_the_data(settings: Settings, example: Reach | None) -> AsyncIterator[Finding]:
    policies: dict[str, Policy] = {}
    slugs: list[str] | None = None
    newest = None
    house: House | None = None
    try:
        require_database(settings.data.folder)
        house = make_house(settings)
        await house.database.require_current()
        await house.people.require_key()
        policies = await _policies(house)
        slugs = list(policies)
        newest = await house.audit.newest()
        yield ok("database", f"of this version; municipalities: {', '.join(slugs) or 'none'}")
        seconds = await house.database.try_write()
        yield ok("database", f"a write is on disk after {round(1000 * seconds)} ms")
    except MadoguchiError as error:
        yield fault("database", error.message)
    finally:
        if house is not None:
            await house.database.engine.dispose()
    for one in (
        *machine.clock(utc_now(), newest),
        *services.addresses(settings, policies, example),
        *policy.tls(settings, policies),
        *policy.undecided(policies),
    ):
        yield one
    for about in (
        services.scanner(settings, policies),
        services.relay(settings),
        services.directories(settings, slugs),
        services.syslog(settings, policies),
    ):
        async for one in about:
            yield one


async def _policies(house: House) -> dict[str, Policy]:
    """Return the policy in force of each municipality, by its slug."""
    book = PolicyBook(utc_now)
    for version in await SqlPolicies(house.database).every_approved():
        book.put(version)
    return {home.slug: book.of(home.id).policy for home in await house.people.municipalities()}
