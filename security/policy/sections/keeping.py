"""[retention] [audit] 保存・監査: how long, and what leaves the house as proof."""

from typing import Literal

from security.policy.about import About, Safer, Words, choice, setting
from security.policy.sections.evidence import NOT_RECORDED
from security.values import Section

DAYS = ("日", "days")


def _days(name: Words, *, waits: Words | None = None) -> int | None:
    about = About(
        name=name,
        protects=(
            "必要な間だけ残し、その後は消します",
            "keeps it as long as needed and no longer",
        ),
        source="自治体の文書管理規程",
        enforced="server/retention.py",
        unit=DAYS,
        must_set=True,
        waits=waits,
    )
    value: int | None = setting(None, about, ge=1, le=36_500)
    return value


class Retention(Section):
    """How long each kind of evidence is kept. There is no default: a municipality says it."""

    records_days: int | None = _days(("本人確認記録の保存期間", "Records"))
    chat_days: int | None = _days(("チャットの保存期間", "Chat"))
    files_days: int | None = _days(("ファイルの保存期間", "Files"))
    stills_days: int | None = _days(("静止画の保存期間", "Stills"))
    recordings_days: int | None = _days(("録画の保存期間", "Recordings"), waits=NOT_RECORDED)
    audit_days: int | None = _days(("監査ログの保存期間", "Audit log"))
    training: Literal["end_of_day"] = setting(
        "end_of_day",
        About(
            name=("研修モードの通話", "Calls of training mode"),
            protects=(
                "研修の通話・チャット・ファイル・静止画を、その日の終わりに削除証明を残して消します",
                "deletes a training call with its chat, files and stills when the day ends, "
                "with a proof of deletion",
            ),
            source="own",
            enforced="server/retention.py",
            choices=choice([("end_of_day", "その日の終わりに消す", "deleted when the day ends")]),
        ),
    )


class Audit(Section):
    """The log of every decision."""

    export: Literal["syslog", "none"] = setting(
        "none",
        About(
            name=("監査ログの外部保存", "Copy of the audit log"),
            protects=(
                "サーバを壊されても記録が残ります",
                "leaves proof elsewhere when the server is taken",
            ),
            source="own",
            enforced="server/audit_export.py",
            safer=Safer.ORDER,
            choices=choice(
                [("syslog", "syslogへ送る", "sent by syslog"), ("none", "しない", "none")]
            ),
        ),
    )
    sign_minutes: int = setting(
        15,
        About(
            name=("監査ログに署名する間隔", "Signing of the audit log"),
            protects=(
                "書き換えに気付くまでの時間を短くします",
                "shortens the time in which a change goes unnoticed",
            ),
            source="own",
            enforced="server/api/housekeeping.py",
            safer=Safer.LOWER,
            unit=("分", "minutes"),
        ),
        ge=1,
        le=1440,
    )
