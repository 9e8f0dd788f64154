"""`madoguchi policy`: read, check, compare and try policies. No server is needed."""

import asyncio
import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import click

from security.people import Municipality, Office, OfficeKind, Role
from security.policy.baseline import BASELINE
from security.policy.compare import Change, Standing, changes, unexplained
from security.policy.decide import decide
from security.policy.model import BASELINE_POLICY, SETTINGS, Policy
from security.values import plain_address
from server.cli.house import open_house
from server.cli.options import json_option
from server.cli.rescue import rescue_policy
from server.clock import utc_now
from server.db.policies import SqlPolicies
from server.db.prechecks import SqlPrechecks
from server.db.procedures import SqlProcedures
from server.policies import ZONE, PolicyBook
from server.policy_question import Question, action_of, not_looked_up, terms_of
from server.policy_text import policy_text, schema_of_policy, words
from server.procedure_grounds import Found, ProcedureGrounds
from server.procedures.book import ProcedureBook
from server.procedures.catalog import shipped
from server.settings_file import SettingsError, read_settings
from server.toml_positions import find_positions

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
STANDING = {
    Standing.LOOSER: "緩くなる / looser",
    Standing.STRICTER: "厳しくなる / stricter",
    Standing.DIFFERENT: "変わる / different",
    Standing.TO_SET: "未設定になる / no longer set",
    Standing.SAME: "同じ / same",
}


@click.group()
def policy() -> None:
    """方針: what a municipality's security officer signs for."""


policy.add_command(rescue_policy)


@policy.command()
@click.argument("file", type=FILE)
def check(file: Path) -> None:
    """Check a policy file; every error at once, exit 1 when there is one."""
    try:
        read = read_settings(Policy, file)
    except SettingsError as error:
        for problem in error.problems:
            what = f"found {problem.found}, allowed {problem.allowed}"
            click.echo(f"{file}:{problem.line}: {problem.key}: {what}")
        raise click.exceptions.Exit(1) from error
    lines = find_positions(file.read_bytes())
    warnings = dict.fromkeys(read.unset(), "要設定 / to be set before real calls")
    looser = "基準より緩い / looser than the baseline; [looser] needs its reason and until when"
    for key, what in {**warnings, **dict.fromkeys(unexplained(read), looser)}.items():
        line = lines.line_of(tuple(key.split(".")))
        click.echo(f"{file}:{line}: warning: {key}: {what}", err=True)


@policy.command()
@click.argument("file", type=FILE, required=False)
def show(file: Path | None) -> None:
    """Print a policy as commented TOML; without FILE what the program ships."""
    click.echo(policy_text(read_settings(Policy, file) if file else BASELINE_POLICY), nl=False)


@policy.command()
def schema() -> None:
    """Print the JSON Schema of a policy."""
    click.echo(json.dumps(schema_of_policy(), ensure_ascii=False, indent=2))


@policy.command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
def diff(before: Path, after: Path) -> None:
    """Say in words what changes from BEFORE to AFTER."""
    found = changes(read_settings(Policy, before), read_settings(Policy, after))
    for change in found:
        click.echo(sentence(change))
    if not found:
        click.echo("違いはありません / no difference")


def sentence(change: Change) -> str:
    """Return one change in words, both languages."""
    about = SETTINGS[change.key].about
    name = " / ".join(about.name)
    before, after = words(about, change.before), words(about, change.after)
    return f"{change.key} ({name}): {before} → {after}  [{STANDING[change.standing]}]"


@policy.command()
@click.option("--action", required=True, help="As start-call, or a name of the gate's: call.place.")
@click.option("--policy", "file", type=FILE, help="Policy file; else what is in force or shipped.")
@click.option("--config", type=FILE, help="Settings of a service: looks up what is entered there.")
@click.option("--municipality", "slug", help="Its short name, when the data hold several.")
@click.option("--office", help="Name or id of the office.")
@click.option("--kind", type=click.Choice([k.value for k in OfficeKind]), default="direct")
@click.option("--procedure", help="Id from the list of procedures.")
@click.option("--role", type=click.Choice([r.value for r in Role]), help="Of whoever asks.")
@click.option("--from", "address", help="Network address of whoever asks.")
@click.option("--tls", type=click.Choice(["1.2", "1.3", "proxy", "none"]), default="1.3")
@click.option("--at", help="When, as 2027-01-05T10:00+09:00; else now.")
@click.option("--trained-on", help="Date of the training of whoever asks, as 2026-04-01.")
@click.option("--second-factor", is_flag=True, help="Whoever asks has given a second factor.")
@click.option(
    "--real/--training", default=True, help="本番 (a real call, the default) or 研修モード."
)
@json_option
def explain(
    action: str, file: Path | None, config: Path | None, slug: str | None, office: str | None,
    kind: str, procedure: str | None, role: str | None, address: str | None, tls: str,
    at: str | None, trained_on: str | None, *, second_factor: bool, real: bool, as_json: bool,
) -> None:  # fmt: skip
    """Say whether an action would be allowed, with every unmet term; exit 1 when it would not."""
    moment = _moment(at)
    looked_up = (
        asyncio.run(_look_up(config, slug, office, procedure, moment, real=real))
        if config
        else None
    )
    shipped_open = procedure is None or shipped().is_open(procedure)
    in_force = looked_up.policy if looked_up else BASELINE_POLICY
    question = Question(
        action=action_of(action, BASELINE),
        policy=read_settings(Policy, file) if file else in_force,
        at=moment,
        office=looked_up.office.id if looked_up and looked_up.office else office,
        office_kind=looked_up.office.kind if looked_up and looked_up.office else OfficeKind(kind),
        procedure_open=looked_up.found.open if looked_up else shipped_open,
        role=Role(role) if role else None,
        address=_address(address),
        tls=None if tls == "none" else tls,
        trained_on=_day(trained_on),
        second_factor=second_factor,
        real=real,
        grounds=looked_up.found.grounds if looked_up else None,
    )
    tell(question, as_json=as_json)


def tell(question: Question, *, as_json: bool) -> None:
    """Print the decision; exit 1 when it is no."""
    decision = decide(BASELINE, question.action, question.facts())
    terms, unknown = terms_of(question, BASELINE), not_looked_up(question, BASELINE)
    if as_json:
        reasons = [
            {"code": r.code, "message": r.message, "clause": r.clause} for r in decision.reasons
        ]
        answer = {
            "action": decision.action,
            "real": question.real,
            "allowed": decision.allowed,
            "reasons": reasons,
            "not_looked_up": sorted(unknown),
        }
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        mode = "本番 / real" if question.real else "研修モード / training"
        outcome = "許可 / allowed" if decision.allowed else "拒否 / denied"
        click.echo(f"{decision.action}: {outcome} ({mode})")
        for term, met in terms:
            reason = term.unmet_reason(question.facts())
            clause = f"  ({reason.clause})" if reason.clause else ""
            setting = f"  [{term.setting}]" if term.setting else ""
            sign = "ok      " if met else "unmet   "
            if reason.code in unknown:
                sign, setting = "?       ", f"{setting}  確認していません / not looked up"
            click.echo(f"  {sign}{reason.code}: {reason.message}{clause}{setting}")
    if not decision.allowed:
        raise click.exceptions.Exit(1)


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What the data of a service say of the question."""

    municipality: Municipality
    office: Office | None
    policy: Policy
    found: Found


async def _look_up(
    config: Path,
    slug: str | None,
    office: str | None,
    procedure: str | None,
    at: datetime,
    *,
    real: bool,
) -> LookedUp:
    """Return the municipality, the office, and the policy and openings at that moment."""
    async with open_house(config) as house:
        home = await house.municipality(slug)
        book = PolicyBook(lambda: at)
        for version in await SqlPolicies(house.database).versions(home.id):
            if version.approved_at is not None and version.approved_at <= at:
                book.put(version)
        found = await house.office(home, office) if office else None
        store, templates = SqlProcedures(house.database), ProcedureBook()
        for one in await store.versions(home.id):
            if one.starts_at is not None:
                templates.put(one)
        entered = ProcedureGrounds(templates, store, SqlPrechecks(house.database))
        stands = await entered.at(home.id, found, procedure, at, real=real)
        return LookedUp(home, found, book.of(home.id).policy, stands)


def _moment(text: str | None) -> datetime:
    if text is None:
        return utc_now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{text} is no time, as 2027-01-05T10:00+09:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZONE)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise click.UsageError(f"{text} is no date, as 2026-04-01") from None


def _address(text: str | None) -> str | None:
    if text is not None and plain_address(text) is None:
        raise click.UsageError(f"{text} is no network address")
    return text
