"""What was found, in words and as data. Pure."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Whether it works."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


MARKS = {State.OK: "○", State.WARNING: "△", State.FAULT: "×"}
TITLES = {
    "settings": "設定",
    "listening": "待ち受け",
    "address": "接続元アドレス",
    "certificate": "証明書",
    "data": "データ",
    "key": "鍵",
    "database": "データベース",
    "policy": "方針",
    "clock": "時計",
    "scanner": "ウイルス検査",
    "relay": "中継",
    "passkeys": "パスキー",
    "oidc": "庁内の認証",
    "syslog": "監査ログの送信",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing; `about` is a key of `TITLES`, `text` an English sentence."""

    about: str
    state: State
    text: str


def ok(about: str, text: str) -> Finding:
    """Return what works."""
    return Finding(about, State.OK, text)


def warning(about: str, text: str) -> Finding:
    """Return what works and had better be looked at."""
    return Finding(about, State.WARNING, text)


def fault(about: str, text: str) -> Finding:
    """Return what does not work."""
    return Finding(about, State.FAULT, text)


def line(found: Finding) -> str:
    """Return a finding as it is printed."""
    return f"{MARKS[found.state]} {TITLES[found.about]} / {found.about}: {found.text}"


def report(findings: Iterable[Finding]) -> dict[str, Any]:
    """Return everything as JSON has it."""
    listed = [{**asdict(one), "state": one.state.value} for one in findings]
    return {"ok": all(one["state"] != State.FAULT for one in listed), "findings": listed}
