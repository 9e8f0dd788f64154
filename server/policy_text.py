"""Writes a policy as TOML with every setting explained, from the model itself. Pure."""

import json
import textwrap
from collections.abc import Mapping
from datetime import date
from typing import Any

from security.policy.about import About
from security.policy.enforced import places_of
from security.policy.model import SECTIONS, SETTINGS, Policy, Setting, plain

_WIDTH = 96
_HEAD = """\
# madoguchi の方針。基準のままの設定も書いてあります。
# Policy of madoguchi. Every setting stands here with its value; 要設定 must be set by you.
"""


def policy_text(policy: Policy) -> str:
    """Return the TOML text of a policy; reading it gives the same policy again."""
    lines = [_HEAD]
    for section in SECTIONS:
        lines += [f"# {Policy.model_fields[section].title}", f"[{section}]"]
        tables: list[str] = []
        for key, setting in SETTINGS.items():
            if key.startswith(f"{section}."):
                lines += _setting(setting, policy.value(key), tables, wanted=key in policy.unset())
        lines += [*tables, ""]
    lines += _tables(policy)
    return "\n".join(lines)


def words(about: About, value: Any) -> str:
    """Return a value in words, both languages, as 推奨 / recommended."""
    if value is None:
        return "要設定 / to be set"
    if isinstance(value, list | tuple):
        shown = [words(about, item) for item in value]
        return ", ".join(shown) or "なし / none"
    chosen = about.choices.get(str(plain(value)))
    if chosen:
        return " / ".join(chosen)
    if about.unit[0]:
        return f"{value} {about.unit[0]} / {value} {about.unit[1]}"
    return show_value(value)


def show_value(value: Any) -> str:
    """Return a value as TOML writes it."""
    value = plain(value)
    if isinstance(value, dict):
        pairs = (f"{name} = {show_value(item)}" for name, item in value.items())
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(show_value(item) for item in value) + "]"
    if isinstance(value, date):
        return value.isoformat()
    # A JSON text is a TOML text but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _setting(setting: Setting, value: Any, tables: list[str], *, wanted: bool) -> list[str]:
    about, name = setting.about, setting.key.split(".")[1]
    lines = [
        *_comment(" / ".join(about.name)),
        *_comment(" / ".join(about.protects)),
        *_comment(f"根拠 / source: {about.source}. {_allowed(setting)}"),
        *_comment(_where(setting)),
    ]
    if value is None:
        shown = "" if about.recommended is None else show_value(about.recommended)
        state = "要設定 / to be set" if wanted else "今は不要 / not needed now"
        return [*lines, f"# {name} = {shown}    # {state}"]
    if isinstance(value, tuple) and value and isinstance(plain(value)[0], dict):
        for item in plain(value):
            tables += [f"[[{setting.key}]]", *(f"{k} = {show_value(v)}" for k, v in item.items())]
        return lines
    return [*lines, f"{name} = {show_value(value)}"]


def _where(setting: Setting) -> str:
    if setting.about.waits:
        return f"まだ効きません / not in effect yet: {' / '.join(setting.about.waits)}"
    return f"効くところ / enforced at: {', '.join(places_of(setting.key))}"


def _allowed(setting: Setting) -> str:
    about = setting.about
    if about.choices:
        each = "; ".join(f"{value}: {' / '.join(both)}" for value, both in about.choices.items())
        return f"選択 / one of: {each}" if not setting.many else each
    if setting.minimum is not None:
        unit = " / ".join(about.unit)
        return f"{setting.minimum}-{setting.maximum} {unit}".rstrip()
    return ""


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text.strip(), _WIDTH, initial_indent="# ", subsequent_indent="# ")


def _tables(policy: Policy) -> list[str]:
    lines = [f"# {Policy.model_fields['clauses'].title}", "[clauses]"]
    lines += [f"{json.dumps(key)} = {show_value(text)}" for key, text in policy.clauses.items()]
    lines += ["", f"# {Policy.model_fields['looser'].title}", "[looser]"]
    lines += [
        f"{json.dumps(key)} = {{ reason = {show_value(one.reason)}, until = {one.until} }}"
        for key, one in policy.looser.items()
    ]
    return [*lines, ""]


def edited(
    policy: Policy,
    values: Mapping[str, Any],
    clauses: Mapping[str, str],
    looser: Mapping[str, Mapping[str, str]],
) -> str:
    """Return the text of `policy` with single values changed; nothing is checked yet.

    A value of null takes a setting back to its default, an empty clause takes the clause away.
    """
    tree: dict[str, Any] = {
        section: {
            key.split(".")[1]: plain(policy.value(key))
            for key in SETTINGS
            if key.startswith(f"{section}.") and policy.value(key) is not None
        }
        for section in SECTIONS
    }
    for key, value in values.items():
        section, _, name = key.partition(".")
        table = tree.setdefault(section, {})
        if value is None:
            table.pop(name, None)
        else:
            table[name] = value
    notes = {**policy.clauses, **clauses}
    explained: dict[str, dict[str, Any]] = {
        **{key: {"reason": one.reason, "until": one.until} for key, one in policy.looser.items()},
        **{key: dict(one) for key, one in looser.items()},
    }
    tree["clauses"] = {key: text for key, text in notes.items() if text}
    tree["looser"] = {key: _dated(one) for key, one in explained.items() if one}
    return _toml(tree)


def _dated(one: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {**one, "until": date.fromisoformat(str(one.get("until", "")))}
    except ValueError:
        return dict(one)


def _toml(tree: Mapping[str, Mapping[str, Any]]) -> str:
    lines: list[str] = []
    for section, table in tree.items():
        lines.append(f"[{json.dumps(section)}]")
        lines += [f"{json.dumps(name)} = {show_value(value)}" for name, value in table.items()]
        lines.append("")
    return "\n".join(lines)


def schema_of_policy() -> dict[str, Any]:
    """Return the JSON Schema of a policy; each setting says in `x-enforced` where it is."""
    schema = Policy.model_json_schema()
    for key, setting in SETTINGS.items():
        section, name = key.split(".")
        table = schema["properties"][section]["$ref"].rsplit("/", 1)[1]
        places = "" if setting.about.waits else ", ".join(places_of(key))
        schema["$defs"][table]["properties"][name]["x-enforced"] = places
    return schema
