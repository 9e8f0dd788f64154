"""`[oidc.SLUG]`: a municipality's own directory, as an operator sets it. Pure."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, Strict, StringConstraints

from security.oidc.roles import RoleName
from security.people import SLUG_PATTERN
from security.values import Section, show, wrong
from server.settings_path import FilePath

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_safe_url(value: str) -> bool:
    """Tell whether an address is https, or http on this machine, and holds nothing unexpected."""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    plain = "@" not in parts.netloc and not parts.fragment and value.isprintable()
    return bool(host) and secure and plain and " " not in value


def _issuer(value: str) -> str:
    if not is_safe_url(value) or urlsplit(value).query:
        raise wrong(show(value), "the issuer's address, as https://login.example.lg.jp/realm")
    return value


def _slug(value: str) -> str:
    if SLUG_PATTERN.fullmatch(value) is None:
        raise wrong(show(value), "the short name of a municipality, as [oidc.kasaoka]")
    return value


def _group(value: str) -> str:
    if not 0 < len(value) <= 256 or not value.isprintable():
        raise wrong(show(value), "the name of a group, of at most 256 characters")
    return value


def _some_groups(value: dict[str, RoleName]) -> dict[str, RoleName]:
    if not value:
        raise wrong("an empty table", "at least one group with its role")
    return value


Issuer = Annotated[str, Strict(), AfterValidator(_issuer)]
Word = Annotated[str, StringConstraints(strict=True, pattern=r"^[^\x00-\x1f\x7f]{1,256}$")]
Words = Annotated[tuple[Word, ...], Field(strict=False, max_length=20)]
Slug = Annotated[str, AfterValidator(_slug)]
Group = Annotated[str, AfterValidator(_group)]
Groups = Annotated[dict[Group, RoleName], AfterValidator(_some_groups)]


class Directory(Section):
    """A municipality's own directory (OpenID Connect), by its short name: [oidc.kasaoka]."""

    issuer: Issuer = Field(description="Issuer, as https://login.example.lg.jp/realm.")
    client_id: Word = Field(description="Name by which the directory knows this service.")
    client_secret_file: FilePath | None = Field(
        None, description="File of mode 0600 with the secret shared with the directory."
    )
    name: Word | None = Field(None, description="What the button on the sign-in page says.")
    ca_file: FilePath | None = Field(
        None, description="Certificate authority of the directory, in PEM, when it is your own."
    )
    scopes: Words = Field(("profile",), description="What is asked for beside openid.")
    groups_claim: Word = Field("groups", description="Claim that lists a person's groups.")
    groups: Groups = Field(
        description="Group to role: verifier, senior or auditor. Officers and administrators "
        "never come from a directory."
    )
    second_factor_amr: Words = Field(
        (), description="Values of amr by which the directory vouches for a second factor."
    )
    second_factor_acr: Words = Field(
        (), description="Values of acr by which the directory vouches for a second factor."
    )
    local_sign_in: bool = Field(
        True, description="false: verifiers, seniors and auditors sign in by the directory alone."
    )


Directories = dict[Slug, Directory]


def redirect_path(slug: str) -> str:
    """Return where a municipality's directory sends browsers back to.

    Each has its own, so that one directory cannot pass for another (RFC 9700 section 4.4).
    """
    return f"/signed-in/{slug}"
