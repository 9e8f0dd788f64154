"""`madoguchi policy rescue`: an earlier policy again, when a rule has locked the officers out.

No officer signs it, so it cannot be silent: it stands in the audit log, its version has no
approver, and the officer's page says so until two officers have put another one in force.
"""

from pathlib import Path

import click

from media.control_folder import ControlFolder
from security.errors import Conflict, NotFound
from security.people import Municipality
from security.policy.model import BASELINE_POLICY
from security.policy.versions import Version, in_force, rescue, started
from server.cli.house import House, require_database, run
from server.cli.options import LINE, config_option, municipality_option
from server.clock import utc_now
from server.db.policies import SqlPolicies
from server.policy_text import policy_text
from server.settings import Settings


@click.command("rescue")
@click.option(
    "--version",
    "number",
    type=click.IntRange(min=0),
    help="Which version to put in force again, 0 the baseline; else the one before.",
)
@click.option("--because", type=LINE, required=True, help="Why, for the officers to read.")
@municipality_option
@config_option
def rescue_policy(number: int | None, because: str, slug: str | None, config: Path) -> None:
    """Put an earlier policy in force again, with no officer's approval. Stop the service first.

    For officers whom a rule of their own has locked out. It stands in the audit log and on the
    officer's page until two officers have put another version in force.
    """
    settings = Settings.load(config)
    require_database(settings.data.folder)
    control = ControlFolder(settings.data.folder / "media")
    try:
        control.lock()  # a running service would go on by the policy that it has read

        async def work(house: House) -> None:
            await _rescue(house, await house.municipality(slug), number, because)

        run(config, work)
    finally:
        control.close()


async def _rescue(house: House, home: Municipality, number: int | None, because: str) -> None:
    store, now = SqlPolicies(house.database), utc_now()
    every = await store.versions(home.id)
    current = in_force(every, now)
    if current is None:
        raise Conflict("the baseline is in force; there is nothing to go back from")
    again = _before(every, current) if number is None else number
    made = rescue(current, of=again, text=_text(started(every, now), again), note=because, now=now)
    stored = await store.add_rescue(made)
    detail = {"number": stored.number, "of": again, "instead": current.number}
    await house.note(home.id, "policy:rescue", home.id, detail)
    click.echo(
        f"第{again}版の内容を第{stored.number}版として施行しました"
        f" / version {again} is in force again, as version {stored.number}"
    )
    click.echo(
        "承認した責任者はいません。責任者の画面に出ます / no officer approved; their page says so"
    )


def _before(every: list[Version], current: Version) -> int:
    """Return the number of what was in force before; 0 for the baseline."""
    others = [one for one in every if one.number != current.number]
    previous = in_force(others, current.starts_at) if current.starts_at else None
    return previous.number if previous else 0


def _text(were_in_force: tuple[Version, ...], number: int) -> str:
    if number == 0:
        return policy_text(BASELINE_POLICY)
    found = next((one for one in were_in_force if one.number == number), None)
    if found is None:
        raise NotFound(f"there is no version {number} that was ever in force")
    return found.text
