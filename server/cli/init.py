"""`madoguchi init`: make a folder with keys, settings, database and a first administrator."""

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path

import click

from security.crypto.keys import KeyEncryptionKey
from security.errors import Conflict, Unavailable
from security.ids import new_id
from security.officers import Appointment
from security.people import LinkPurpose, Municipality, Person, Role
from security.secret_file import write_secret
from server.audit_signing import AuditSigning
from server.cli.house import House, make_house
from server.cli.municipality import HOURS, TELEPHONE
from server.cli.options import HOST, LINE, LOGIN, NAME, SLUG
from server.cli.person import print_link
from server.clock import utc_now
from server.db.policies import SqlPolicies
from server.relay import PORTS, RelayUse, new_secret
from server.settings import Settings
from server.settings_text import settings_text

CONFIG_NAME = "madoguchi.toml"
_PARTS = ("data", "keys")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--municipality",
    "slug",
    type=SLUG,
    prompt="自治体の略称（英小文字） / short name of the municipality",
    help="Short name of the first municipality, as kasaoka.",
)
@click.option(
    "--name",
    type=NAME,
    prompt="自治体の名称 / name of the municipality",
    help="Its name, as 笠岡市.",
)
@click.option("--hours", type=LINE, default="", help=HOURS)
@click.option("--telephone", type=LINE, default="", help=TELEPHONE)
@click.option(
    "--administrator",
    "login",
    type=LOGIN,
    prompt="管理者のログイン名 / sign-in name of the administrator",
    help="Sign-in name of the first administrator.",
)
@click.option(
    "--administrator-name",
    "person_name",
    type=NAME,
    prompt="管理者の氏名 / name of the administrator",
    help="The administrator's name.",
)
@click.option(
    "--officer",
    "officers",
    type=(LOGIN, NAME),
    multiple=True,
    metavar="LOGIN NAME",
    help="A security officer, appointed at once; name two, so that each approves the other's.",
)
@click.option(
    "--public-url", help="How browsers reach the service, as https://madoguchi.example.jp."
)
@click.option(
    "--relay",
    "relay_host",
    type=HOST,
    help="Host of a TURN relay (coturn); `madoguchi relay` then prints its turnserver.conf.",
)
def init(
    folder: Path,
    slug: str,
    name: str,
    hours: str,
    telephone: str,
    login: str,
    person_name: str,
    officers: tuple[tuple[str, str], ...],
    public_url: str | None,
    relay_host: str | None,
) -> None:
    """Make DIR with keys (mode 0600), settings, database and the first administrator.

    Prints the one-time link by which the administrator sets a password, and one for each officer.
    Officers named here are appointed without any administrator; later ones need two.
    """
    home = Municipality(new_id(), slug, name, hours, telephone)
    administrator = Person(
        new_id(), home.id, login, person_name, Role.ADMINISTRATOR, None, None, None
    )
    appointed = [
        Person(new_id(), home.id, login, name, Role.OFFICER, None, None, None)
        for login, name in officers
    ]
    _make_folder(folder)
    try:
        settings = _make_files(folder, _chosen(public_url, relay_host))
        asyncio.run(_make_data(settings, home, administrator, appointed))
    except BaseException:
        # Half a service is worse than none: the folder was empty before.
        for part in _PARTS:
            shutil.rmtree(folder / part, ignore_errors=True)
        (folder / CONFIG_NAME).unlink(missing_ok=True)
        raise


def _make_folder(folder: Path) -> None:
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise Conflict(f"{folder} is there already and not empty; nothing was changed")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise Unavailable(f"{folder} cannot be made: {error.strerror}") from error


def _chosen(public_url: str | None, relay_host: str | None) -> dict[str, object]:
    """Return the settings that are not left at their defaults, by dotted name."""
    chosen: dict[str, object] = {"server.public_url": public_url} if public_url else {}
    if relay_host:
        plain = f"turn:{relay_host}:{PORTS['turn']}?transport="
        secure = f"turns:{relay_host}:{PORTS['turns']}"
        chosen["relay.urls"] = [f"{plain}udp", f"{plain}tcp", secure]
        chosen["relay.use"] = RelayUse.FALLBACK.value
    return chosen


def _make_files(folder: Path, chosen: Mapping[str, object]) -> Settings:
    try:
        for part in _PARTS:
            (folder / part).mkdir(mode=0o700)
        config = folder / CONFIG_NAME
        config.touch(mode=0o600)
        config.write_text(settings_text(Settings, chosen), "utf-8")
    except OSError as error:
        raise Unavailable(f"{folder} cannot be filled: {error.strerror}") from error
    settings = Settings.load(config)
    KeyEncryptionKey.generate().write_file(settings.keys.kek_file)
    if settings.relay.urls:
        write_secret(settings.relay.secret_file, new_secret())
    return settings


async def _make_data(
    settings: Settings, home: Municipality, administrator: Person, officers: list[Person]
) -> None:
    house = make_house(settings)
    try:
        await house.database.migrate()
        await house.people.add_municipality(home)
        await house.people.add_person(administrator)
        await house.note(home.id, "municipality:add", home.id, {})
        await house.note(home.id, "person:add", administrator.id, {"role": "administrator"})
        for officer in officers:
            await _appoint(house, officer)
        await house.database.checkpoint()
        await _say(house, settings, home, administrator)
        for officer in officers:
            click.echo(f"セキュリティ責任者 / security officer: {officer.login}")
            await print_link(house, officer, LinkPurpose.PASSWORD)
    finally:
        await house.database.engine.dispose()


async def _appoint(house: House, officer: Person) -> None:
    """Add a person as an officer whom no administrator has proposed."""
    now = utc_now()
    await house.people.add_person(officer)
    made = Appointment(officer.municipality_id, officer.id, None, now, None, now)
    await SqlPolicies(house.database).put_appointment(made)
    await house.note(officer.municipality_id, "person:add", officer.id, {"role": "officer"})
    await house.note(officer.municipality_id, "officer:init", officer.id, {})


async def _say(house: House, settings: Settings, home: Municipality, administrator: Person) -> None:
    folder = settings.data.folder.parent
    click.echo(f"作成しました / made: {folder}")
    click.echo(f"設定 / settings: {folder / CONFIG_NAME}")
    click.echo(
        f"鍵（必ず別の場所にも保管） / key (keep a copy elsewhere): {settings.keys.kek_file}"
    )
    public = (await AuditSigning(house.people, house.audit).public_key(home.id)).hex()
    click.echo(
        f"監査ログの公開鍵（紙にも控える） / audit log's public key (note it down): {public}"
    )
    if settings.relay.urls:
        config = folder / CONFIG_NAME
        click.echo(f"中継の設定 / turnserver.conf: madoguchi relay --config {config}")
    await print_link(house, administrator, LinkPurpose.PASSWORD)
    click.echo(f"起動 / start: madoguchi serve --config {folder / CONFIG_NAME}")
