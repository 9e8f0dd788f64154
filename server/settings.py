"""What an operator sets, in `madoguchi.toml`: one section for each part of the house.

Everything is checked at start. What does not fit is refused, all of it at once, with its line.
Relative paths are relative to the folder of the file.
"""

import ipaddress
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    Strict,
    ValidationInfo,
    field_validator,
    model_validator,
)

from media.settings import MediaSettings
from security.people import SessionLimits
from security.secret_file import read_secret
from security.values import Section, show, wrong
from server.hooks.settings import HookSettings
from server.oidc.settings import Directories
from server.relay import PORTS, URL_PATTERN, Relay, RelayUse
from server.settings_file import read_settings
from server.settings_path import FilePath
from server.syslog_link import Receiver

_DEFAULT_PORTS = {"https": ":443", "http": ":80"}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise wrong(show(value), "an IP address, as 192.0.2.10") from None


def _host(value: str) -> str:
    return value if value == "localhost" else _address(value)


def _origin(value: str) -> str:
    allowed = "https://HOST or https://HOST:PORT without a path (http:// for localhost alone)"
    try:
        parts = urlsplit(value)
        named = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        raise wrong(show(value), allowed) from None
    plain = value.rstrip("/").lower()
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not named or not secure or plain != f"{parts.scheme}://{parts.netloc.lower()}":
        raise wrong(show(value), allowed)
    if "@" in plain or any(letter.isspace() for letter in value):
        raise wrong(show(value), allowed)
    return plain.removesuffix(_DEFAULT_PORTS[parts.scheme])


def _relay_use(value: str) -> str:
    if value not in list(RelayUse):
        raise wrong(show(value), ", ".join(f'"{use}"' for use in RelayUse))
    return value


def _relay_url(value: str) -> str:
    match = URL_PATTERN.fullmatch(value)
    udp_in_tls = match is not None and match["scheme"] == "turns" and match["transport"] == "udp"
    if match is None or udp_in_tls or not 0 < int(match["port"] or PORTS["turn"]) < 65536:
        raise wrong(show(value), "turn:HOST:PORT?transport=udp or tcp, or turns:HOST:PORT")
    return value


def _host_name(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9._:-]{1,253}", value) is None:
        raise wrong(show(value), "a host name or an address, as log.example.lg.jp")
    return value


_Text = Annotated[str, Strict()]
HostName = Annotated[_Text, AfterValidator(_host_name)]
Host = Annotated[_Text, AfterValidator(_host)]
Address = Annotated[_Text, AfterValidator(_address)]
Origin = Annotated[_Text, AfterValidator(_origin)]
Addresses = Annotated[tuple[Address, ...], Strict(False)]
Origins = Annotated[tuple[Origin, ...], Strict(False)]
RelayWord = Annotated[_Text, AfterValidator(_relay_use)]
RelayUrl = Annotated[_Text, AfterValidator(_relay_url)]
RelayUrls = Annotated[tuple[RelayUrl, ...], Strict(False)]


class ServerSettings(Section):
    """The web server: pages, API and WebSocket."""

    host: Host = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 or :: for all.")
    port: int = Field(8443, ge=0, le=65535, description="TCP port; 0 takes a free one.")
    public_url: Origin | None = Field(
        None, description="How browsers reach the service, as https://madoguchi.example.lg.jp."
    )
    origins: Origins = Field(
        (), description="Further addresses by which browsers reach the same service."
    )
    tls_certificate: FilePath | None = Field(
        None, description="Certificate chain in PEM; leave out behind a proxy that does TLS."
    )
    tls_key: FilePath | None = Field(None, description="Private key of the certificate, in PEM.")

    @field_validator("origins")
    @classmethod
    def _with_public_url(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        first = info.data.get("public_url")
        return tuple(dict.fromkeys([*([first] if first else []), *value]))

    @field_validator("tls_key")
    @classmethod
    def _both_or_neither(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if "tls_certificate" in info.data:
            certificate = info.data["tls_certificate"]
            if (certificate is None) != (value is None):
                missing = "tls_key" if value is None else "tls_certificate"
                raise wrong(f"no {missing}", "both tls_certificate and tls_key, or neither")
        return value


class DataSettings(Section):
    """Where everything is kept."""

    folder: FilePath = Field(
        Path("data"), description="Folder of the database, the audit heads and sealed files."
    )


class MediaPort(Section):
    """Sound and pictures of calls: one UDP port for each process."""

    host: Address = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 or :: for all.")
    port: int = Field(
        8444,
        ge=0,
        le=65535,
        description="UDP port, and TCP port of that number, of the first process; each further one "
        "has the next; 0 takes free ones.",
    )
    announce: Addresses = Field(
        (),
        description="Addresses that browsers are told, the preferred one first: of a VPN, of the "
        "house, a public one that a router translates to host; needed when host stands for all.",
    )
    tcp: bool = Field(
        True, description="Take connections too, for networks that let no UDP through."
    )

    max_calls: int | None = Field(
        None,
        ge=0,
        le=1000,
        description="Most calls at once in each process; left out: 24 with the Python packet path, "
        "64 with the native one, four fifths of what a core of a small machine carried.",
    )

    packet_path: Literal["auto", "python", "native"] = Field(
        "auto",
        description="What carries the packets: native is compiled at set-up and takes a third of "
        "the processor time; auto is native where it was compiled, else python.",
    )

    @field_validator("announce")
    @classmethod
    def _something_to_announce(cls, value: tuple[str, ...], info: ValidationInfo) -> object:
        host = info.data.get("host")
        if host and not value:
            if ipaddress.ip_address(host).is_unspecified:
                raise wrong("no address", f"at least one address, since host is {host}")
            return (host,)
        for address in map(ipaddress.ip_address, value):
            if address.is_unspecified or address.is_multicast:
                raise wrong(show(str(address)), "addresses of one machine")
            if host and address.version > ipaddress.ip_address(host).version:
                raise wrong(
                    show(str(address)), f"IPv4 alone, since host is {host} (:: is for both)"
                )
        return value

    @field_validator("processes")
    @classmethod
    def _with_ports(cls, value: int, info: ValidationInfo) -> int:
        most = 65536 - info.data.get("port", 0)
        if value > most:
            raise wrong(f"{value} processes", f"at most {most}, since each has a port of its own")
        return value

    processes: int = Field(
        1,
        ge=0,
        le=64,
        description="How many processes carry calls beside the server, one processor core each; "
        "0 carries them inside the server, whose restart then cuts them.",
    )

    def node(self, index: int = 0) -> MediaSettings:
        """Return what the media process of that index is told."""
        port = self.port + index if self.port else 0
        chosen = (self.max_calls, self.packet_path, self.tcp)
        return MediaSettings(self.host, port, self.announce, *chosen)


class RelaySettings(Section):
    """A TURN relay (coturn) of our own, for networks that let nothing else through."""

    urls: RelayUrls = Field(
        (),
        description="Where pages reach it, as turn:relay.example.lg.jp:3478?transport=udp, "
        "turn:…?transport=tcp and turns:relay.example.lg.jp:5349.",
    )
    use: RelayWord = Field(
        RelayUse.NONE.value,
        description="none; fallback: where nothing else gets through; only: never without it.",
    )
    secret_file: FilePath = Field(
        Path("keys/relay"), description="File of mode 0600 with the secret shared with coturn."
    )
    lifetime_minutes: int = Field(
        240, ge=10, le=1440, description="How long a page's credentials are good."
    )
    addresses: Addresses = Field(
        (),
        description="Addresses from which it sends to the media port, where its names in urls do "
        "not stand for them.",
    )
    enforces_networks: bool = Field(
        False,
        description="You answer for it that only the networks that policies allow reach the relay "
        "(firewall); else media over it counts as outside of the VPN.",
    )

    @field_validator("use")
    @classmethod
    def _needs_an_address(cls, value: str, info: ValidationInfo) -> str:
        if value != RelayUse.NONE and not info.data.get("urls", True):
            raise wrong(show(value), 'at least one address in urls, or "none"')
        return value

    def relay(self) -> Relay | None:
        """Return the relay, None when there is none. Raises `Unavailable` without its secret."""
        if not self.urls:
            return None
        lifetime = timedelta(minutes=self.lifetime_minutes)
        secret = read_secret(self.secret_file)
        return Relay(self.urls, secret, lifetime, self.enforces_networks, self.addresses)


class CallSettings(Section):
    """Times of a call."""

    resume_seconds: int = Field(
        120, ge=10, le=600, description="How long an interrupted call waits for a lost side."
    )
    ring_seconds: int = Field(
        20, ge=5, le=120, description="How long a call rings at one desk before the next is asked."
    )


class FileSettings(Section):
    """Documents sent during a call."""

    max_bytes: int = Field(
        50_000_000, ge=1_000_000, le=500_000_000, description="Largest file, in bytes."
    )
    max_per_call: int = Field(50, ge=1, le=500, description="Most files of one call.")
    scanner: FilePath | None = Field(
        None,
        description="Unix socket of a clamd (Debian: /run/clamav/clamd.ctl); without one nothing "
        "is scanned. Its StreamMaxLength must not be below max_bytes.",
    )


class SignInSettings(Section):
    """How long a sign-in lasts."""

    idle_minutes: int = Field(
        15, ge=1, le=480, description="After so long without use; never during a call."
    )
    absolute_hours: int = Field(12, ge=1, le=24, description="In any case.")

    def limits(self) -> SessionLimits:
        """Return what signing in is told."""
        return SessionLimits(
            idle=timedelta(minutes=self.idle_minutes), absolute=timedelta(hours=self.absolute_hours)
        )


class KeySettings(Section):
    """The key-encryption key; the environment variable MADOGUCHI_KEK goes before the file."""

    kek_file: FilePath = Field(
        Path("keys/kek"), description="File of mode 0600 with the key-encryption key."
    )


class SyslogSettings(Section):
    """Where the audit log goes as well, of municipalities whose policy says so (audit.export)."""

    host: HostName | None = Field(
        None, description="Name or address of the receiver, as in its certificate."
    )
    port: int = Field(6514, ge=1, le=65535, description="TCP port; syslog over TLS has 6514.")
    ca_file: FilePath | None = Field(
        None, description="Certificate authority of the receiver, in PEM, when it is your own."
    )
    certificate: FilePath | None = Field(
        None, description="Our own certificate in PEM, for receivers that ask for one."
    )
    key: FilePath | None = Field(None, description="Private key of that certificate, in PEM.")
    enterprise: int = Field(
        32473,
        ge=1,
        le=4_294_967_295,
        description="Private enterprise number in the name of the structured data; 32473 is the "
        "one for examples.",
    )

    @field_validator("key")
    @classmethod
    def _both_or_neither(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if "certificate" in info.data and (info.data["certificate"] is None) != (value is None):
            missing = "key" if value is None else "certificate"
            raise wrong(f"no {missing}", "both certificate and key, or neither")
        return value

    def receiver(self) -> Receiver | None:
        """Return where messages go, None when nowhere."""
        if self.host is None:
            return None
        return Receiver(self.host, self.port, self.ca_file, self.certificate, self.key)


class Settings(Section):
    """Everything that can be set."""

    server: ServerSettings = Field(ServerSettings(), description="Pages, API and WebSocket.")
    data: DataSettings = Field(DataSettings(), description="Where everything is kept.")
    media: MediaPort = Field(MediaPort(), description="Sound and pictures.")
    relay: RelaySettings = Field(RelaySettings(), description="A TURN relay of our own.")
    calls: CallSettings = Field(CallSettings(), description="Times of a call.")
    files: FileSettings = Field(FileSettings(), description="Documents sent during a call.")
    sessions: SignInSettings = Field(SignInSettings(), description="How long a sign-in lasts.")
    keys: KeySettings = Field(KeySettings(), description="The key-encryption key.")
    syslog: SyslogSettings = Field(
        SyslogSettings(), description="A copy of the audit log elsewhere, by syslog over TLS."
    )
    hooks: HookSettings = Field(HookSettings(), description="What other systems are told.")
    oidc: Directories = Field(
        default_factory=dict,
        description="A municipality's own directory (OpenID Connect), by the municipality's short "
        "name, as [oidc.kasaoka]. It sends browsers back to PUBLIC_URL/signed-in/kasaoka.",
    )

    @field_validator("oidc")
    @classmethod
    def _with_a_way_back(cls, value: Directories, info: ValidationInfo) -> Directories:
        server = info.data.get("server")
        if value and server and server.public_url is None and server.host not in _LOOPBACK:
            raise wrong("no server.public_url", "it, since directories send browsers back there")
        return value

    @model_validator(mode="before")
    @classmethod
    def _without_what_the_policy_says_now(cls, data: Any) -> Any:
        """Pass over an empty `[minimum_picture]`: files made by earlier versions have one."""
        if isinstance(data, dict) and data.get("minimum_picture") == {}:
            return {name: value for name, value in data.items() if name != "minimum_picture"}
        return data

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the settings of a file. Raises `SettingsError` with everything that is wrong."""
        return read_settings(cls, path)
