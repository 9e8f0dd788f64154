"""A municipality's policy: every setting in its section, with the municipality's own clauses. Pure.

`SETTINGS` lists every setting under its dotted key (`network.vpn`) in the order of the file. The
baseline (基準) is what the program ships: `Policy()`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from security.policy.about import About
from security.policy.sections.calls import Calls
from security.policy.sections.evidence import Chat, Files, Numbers, Recording, Stills
from security.policy.sections.hooks import Hooks
from security.policy.sections.keeping import Audit, Retention
from security.policy.sections.network import Network
from security.policy.sections.people import People
from security.values import Section, wrong

Line = Annotated[str, StringConstraints(strict=True, pattern=r"^[^\x00-\x1f\x7f]{1,200}$")]


def _key(text: str) -> str:
    if text not in SETTINGS:
        raise wrong(f'"{text}"', 'the key of a setting in quotation marks, as "network.vpn"')
    return text


Key = Annotated[str, AfterValidator(_key)]


class Looser(Section):
    """Why a setting may be looser than the baseline, and until when."""

    reason: Line
    until: date


class Policy(Section):
    """Everything that a municipality sets for itself."""

    network: Network = Field(Network(), title="通信 / Network")
    calls: Calls = Field(Calls(), title="通話 / Calls")
    recording: Recording = Field(Recording(), title="録画 / Recording")
    stills: Stills = Field(Stills(), title="静止画 / Stills")
    files: Files = Field(Files(), title="ファイル / Files")
    chat: Chat = Field(Chat(), title="チャット / Chat")
    numbers: Numbers = Field(Numbers(), title="番号 / Numbers")
    people: People = Field(People(), title="職員・局員 / People")
    retention: Retention = Field(Retention(), title="保存・削除 / Retention")
    audit: Audit = Field(Audit(), title="監査 / Audit")
    hooks: Hooks = Field(Hooks(), title="連携 / Hooks")
    clauses: dict[Key, Line] = Field(
        default_factory=dict, title="自治体の規程の条項 / The municipality's own clauses"
    )
    looser: dict[Key, Looser] = Field(
        default_factory=dict, title="基準より緩い設定の理由と期限 / Why looser, and until when"
    )

    def value(self, key: str) -> Any:
        """Return the value of the setting `key`."""
        section, name = key.split(".")
        return getattr(getattr(self, section), name)

    def unset(self) -> tuple[str, ...]:
        """Return the settings that have no default and are not made yet (要設定).

        How long recordings are kept is asked for only where something is recorded.
        """
        not_asked = {"retention.recordings_days"} if self.recording.mode == "off" else set()
        must = (key for key, one in SETTINGS.items() if one.about.must_set)
        return tuple(key for key in must if self.value(key) is None and key not in not_asked)


SECTIONS = tuple(name for name in Policy.model_fields if name not in ("clauses", "looser"))


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its key, what it says about itself, its default, and pydantic's limits."""

    key: str
    about: About
    default: Any
    minimum: int | None = None
    maximum: int | None = None

    @property
    def baseline(self) -> Any:
        """Return what it is compared with: the default, or what is recommended in place of none."""
        return self.about.recommended if self.default is None else self.default

    @property
    def many(self) -> bool:
        """Tell whether it takes several values."""
        return isinstance(self.baseline, tuple)


def _settings() -> Iterator[tuple[str, Setting]]:
    for section in SECTIONS:
        model = Policy.model_fields[section].default
        for name, field in type(model).model_fields.items():
            about: Any = field.json_schema_extra
            limits = {type(x).__name__: x for x in field.metadata}
            key = f"{section}.{name}"
            yield (
                key,
                Setting(
                    key,
                    about,
                    field.default,
                    getattr(limits.get("Ge"), "ge", None),
                    getattr(limits.get("Le"), "le", None),
                ),
            )


SETTINGS: Mapping[str, Setting] = MappingProxyType(dict(_settings()))
BASELINE_POLICY = Policy()


def plain(value: Any) -> Any:
    """Return a value as JSON and TOML hold it: texts, numbers, lists, tables."""
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, Section):
        shown = {name: plain(getattr(value, name)) for name in type(value).model_fields}
        return {name: item for name, item in shown.items() if item not in (None, [])}
    return value.value if hasattr(value, "value") else value
