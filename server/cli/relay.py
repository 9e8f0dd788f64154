"""`madoguchi relay`: print the turnserver.conf (coturn) that fits the settings."""

from pathlib import Path

import click

from security.errors import NotFound
from server.cli.options import config_option
from server.relay_conf import turnserver_conf
from server.settings import Settings


@click.command()
@config_option
def relay(config: Path) -> None:
    """Print the turnserver.conf of our TURN relay. It holds the secret: keep its mode 0600.

    Its peers are the addresses of [media] announce alone, so print it again when those change.
    """
    settings = Settings.load(config)
    click.echo(relay_text(settings), nl=False)


def relay_text(settings: Settings) -> str:
    """Return the text. Raises `NotFound` when no relay is set, `Unavailable` without its secret."""
    found = settings.relay.relay()
    if found is None:
        raise NotFound("there is no relay: set urls and use in the section [relay]")
    secret_file = settings.relay.secret_file
    return turnserver_conf(found, media=settings.media.announce, secret_file=str(secret_file))
