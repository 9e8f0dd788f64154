"""The commands by name, loaded when they are called, and how their errors are told."""

import importlib
from typing import Any

import click

from security.errors import MadoguchiError
from server.settings_file import SettingsError

_COMMANDS = {
    "init": ("server.cli.init:init", "Make a folder with keys, settings and database."),
    "check": ("server.cli.check:check", "点検: what the service would use, and what is wrong."),
    "serve": ("server.cli.serve:serve", "Run the service."),
    "media": ("server.cli.media:media", "Run one media process by hand; `serve` takes it up."),
    "demo": ("server.demo.command:demo", "Try it: a service that keeps nothing."),
    "municipality": ("server.cli.municipality:municipality", "自治体: municipalities."),
    "office": ("server.cli.office:office", "郵便局: post offices."),
    "person": ("server.cli.person:person", "利用者: clerks and municipal staff."),
    "tablet": ("server.cli.tablet:tablet", "端末: tablets at the counters."),
    "relay": ("server.cli.relay:relay", "中継: print the turnserver.conf of our TURN relay."),
    "bench": ("server.bench.command:bench", "Measure how many calls this machine carries."),
    "policy": ("server.cli.policy:policy", "方針: check, compare and try policies."),
    "procedure": ("server.cli.procedure:procedure", "事務: check and show procedures."),
    "retention": ("server.cli.retention:retention", "保存期間: delete what is due, and prove it."),
    "token": ("server.cli.token:token", "連携用の鍵: tokens of other systems."),
    "hook": ("server.cli.hook:hook", "連携: what other systems are told."),
    "keys": ("server.cli.keys:keys", "鍵: change the key that wraps all others."),
    "record": ("server.cli.record:record", "本人確認記録: verify and export records."),
    "audit": ("server.cli.audit:audit", "監査ログ: verify the log of decisions."),
}


class Refused(click.ClickException):
    """One clear sentence on standard error."""

    exit_code = 1


class WronglySet(click.ClickException):
    """Every mistake of a settings file on standard error."""

    exit_code = 2


class Commands(click.Group):
    """Imports a command only when it is asked for: the server's parts take a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which an operator meets them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name."""
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name][0].split(":")
        command = getattr(importlib.import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{name} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run, and tell the house's errors in one sentence."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise WronglySet(f"the settings cannot be used\n{error.message}") from error
        except MadoguchiError as error:
            raise Refused(error.message) from error


@click.command(cls=Commands)
@click.version_option(package_name="madoguchi")
def commands() -> None:
    """窓口: a video window between a post-office counter and a town hall desk."""
