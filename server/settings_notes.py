"""What is not wrong in the settings and yet leaves something out, in words. Pure."""

from security.passkeys import why_no_passkeys
from server.settings import Settings

Both = tuple[str, str]  # Japanese, English

_PASSKEYS: dict[str, Both] = {
    "no_address": (
        "[server] public_url がないため、パスキーは使えません",
        "passkeys cannot be used: there is no [server] public_url",
    ),
    "no_domain": (
        "[server] public_url がIPアドレスのため、パスキーは使えません。ドメイン名が必要です",
        "passkeys cannot be used: [server] public_url is an IP address, they need a domain name",
    ),
    "no_https": (
        "[server] public_url が http のため、パスキーは使えません。https が必要です",
        "passkeys cannot be used: [server] public_url is http, they need https",
    ),
}


def notes(settings: Settings) -> list[Both]:
    """Return a sentence for each thing that these settings leave out."""
    why = why_no_passkeys(settings.server.public_url)
    return [_PASSKEYS[why]] if why else []
