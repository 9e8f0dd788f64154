"""The policies in force, in memory: every question to the gate reads one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from media.quality import MinimumPicture
from security.errors import Corrupt
from security.policy.model import BASELINE_POLICY, Policy
from security.policy.versions import Version, in_force, in_force_then
from server.settings_file import SettingsError, parse_settings

# Dates of the law count in Japan, wherever the server's clock stands.
ZONE = ZoneInfo("Asia/Tokyo")


@dataclass(frozen=True, slots=True)
class InForce:
    """A policy and its version; number 0 is the baseline, before anything was set.

    `rescued` tells that root of the host put it in force, with no officer's approval.
    """

    number: int
    policy: Policy
    since: datetime | None = None
    rescued: bool = False


BASELINE = InForce(0, BASELINE_POLICY)


class PolicyBook:
    """What is in force in each municipality, by the clock."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._versions: dict[str, dict[int, Version]] = {}
        self._read: dict[tuple[str, int], Policy] = {}

    def of(self, municipality_id: str) -> InForce:
        """Return what is in force there now."""
        version = self.version_in_force(municipality_id)
        if version is None:
            return BASELINE
        return InForce(version.number, self.policy_of(version), version.starts_at, version.rescued)

    def set_in(self, municipality_id: str) -> Policy | None:
        """Return the policy that the municipality has set, None while it is the baseline."""
        found = self.of(municipality_id)
        return found.policy if found.number else None

    def minimum_picture(self, municipality_id: str) -> MinimumPicture:
        """Return what the desk must see, or breaking off is offered there."""
        calls = self.of(municipality_id).policy.calls
        return MinimumPicture(
            calls.minimum_height_px, calls.minimum_frames_per_second, calls.poor_picture_seconds
        )

    def trusted_proxies(self, municipality_id: str | None = None) -> tuple[str, ...]:
        """Return the proxies that a municipality trusts now; None: those that any one trusts."""
        homes = list(self._versions) if municipality_id is None else [municipality_id]
        every = (self.of(home).policy.network.trusted_proxies for home in homes)
        return tuple(dict.fromkeys(proxy for proxies in every for proxy in proxies))

    def tls_minimum(self, municipalities: Iterable[str]) -> str:
        """Return the lowest TLS version that one of them takes: what a listener for all must."""
        asked = {self.of(home).policy.network.tls_minimum for home in municipalities}
        return "1.3" if asked == {"1.3"} else "1.2"

    def version_in_force(self, municipality_id: str) -> Version | None:
        """Return the version in force, None while it is the baseline."""
        return in_force(self.approved(municipality_id), self._clock())

    def version_at(self, municipality_id: str, at: datetime) -> Version | None:
        """Return the version in force at a time, past or to come; None for the baseline."""
        return in_force_then(self.approved(municipality_id), at)

    def policy_at(self, municipality_id: str, at: datetime) -> Policy:
        """Return the policy that was, is or will be in force at a time, as is known now."""
        version = self.version_at(municipality_id, at)
        return BASELINE_POLICY if version is None else self.policy_of(version)

    def approved(self, municipality_id: str) -> tuple[Version, ...]:
        """Return every version that was ever approved, those withdrawn afterwards as well."""
        return tuple(self._versions.get(municipality_id, {}).values())

    def put(self, version: Version) -> None:
        """Take an approved or withdrawn version. Raises `Corrupt` when it cannot be read."""
        self.policy_of(version)
        self._versions.setdefault(version.municipality_id, {})[version.number] = version

    def policy_of(self, version: Version) -> Policy:
        """Return the policy that a stored version says. Raises `Corrupt`."""
        key = (version.municipality_id, version.number)
        if key not in self._read:
            self._read[key] = read_version(version)
        return self._read[key]


def read_version(version: Version) -> Policy:
    """Read the TOML of a stored version. Raises `Corrupt`."""
    try:
        return read_policy(version.text)
    except SettingsError as error:
        raise Corrupt(f"version {version.number} of a policy cannot be read") from error


def read_policy(text: str) -> Policy:
    """Return the policy that a TOML text says. Raises `SettingsError` with every mistake."""
    return parse_settings(Policy, text.encode(), file="policy.toml", folder=Path())
