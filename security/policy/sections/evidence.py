"""[recording] [stills] [files] [chat] [numbers]: what a call may leave behind."""

from typing import Literal

from security.people import Role
from security.policy.about import About, AnyRole, Safer, choice, setting
from security.values import Section

ROLE_WORDS = choice(
    [
        ("clerk", "局員", "clerk"),
        ("verifier", "職員", "verifier"),
        ("senior", "上席", "senior"),
        ("administrator", "管理者", "administrator"),
        ("officer", "セキュリティ責任者", "security officer"),
        ("auditor", "監査者", "auditor"),
    ]
)
COUNT = ("回", "times")
NOT_RECORDED = (
    "録画の機能がまだないので、どの設定でも録画しません",
    "there is no recording yet: whatever is set, nothing is recorded",
)


class Recording(Section):
    """Recording of sound and pictures."""

    mode: Literal["off", "optional", "required"] = setting(
        "off",
        About(
            name=("録画", "Recording"),
            protects=(
                "「しない」では、映像も音声もどこにも書き込みません",
                "off means that no byte of sound or pictures is written anywhere",
            ),
            source="Q&A 10",
            enforced="recording.start",
            waits=NOT_RECORDED,
            safer=Safer.ORDER,
            choices=choice(
                [
                    ("off", "しない", "off"),
                    ("optional", "同意があれば する", "with consent"),
                    ("required", "必ず する", "always"),
                ]
            ),
        ),
    )
    consent_text: str = setting(
        "通話を録画します。録画は本人確認の記録としてだけ使います。",
        About(
            name=("録画の同意文", "Consent to recording"),
            protects=(
                "何に同意したかを残します",
                "keeps what the resident agreed to",
            ),
            source="ETSI TS 119 461",
            enforced="call.place",
            waits=NOT_RECORDED,
        ),
        min_length=1,
        max_length=1000,
    )
    consent_version: int = setting(
        1,
        About(
            name=("同意文の版", "Version of the consent"),
            protects=(
                "文を変えたら、前の同意を使いません",
                "keeps an old consent from standing for a new text",
            ),
            source="own",
            enforced="call.place",
            waits=NOT_RECORDED,
        ),
        ge=1,
        le=9999,
    )
    pause_zones: tuple[Literal["pin", "my_number", "insurer"], ...] = setting(
        ("pin", "my_number", "insurer"),
        About(
            name=("録画を止める場面", "When recording pauses"),
            protects=(
                "残してはならない番号を録画に残しません",
                "keeps numbers that must not be kept out of recordings",
            ),
            source="Q&A 10",
            enforced="recording.continue",
            waits=NOT_RECORDED,
            safer=Safer.MORE,
            choices=choice(
                [
                    ("pin", "暗証番号の入力", "PIN entry"),
                    ("my_number", "個人番号の面", "the side with the individual number"),
                    ("insurer", "保険者番号・記号・番号", "insurer's numbers"),
                ]
            ),
        ),
        strict=False,
        max_length=3,
    )
    viewers: tuple[AnyRole, ...] = setting(
        (Role.SENIOR,),
        About(
            name=("録画を見られる役割", "Who may view recordings"),
            protects=(
                "見る必要のない人に見せません",
                "shows a recording to nobody who need not see it",
            ),
            source="own",
            enforced="recording.view",
            waits=NOT_RECORDED,
            safer=Safer.FEWER,
            choices=ROLE_WORDS,
        ),
        strict=False,
        max_length=6,
    )


class Stills(Section):
    """Still pictures of documents and faces."""

    mode: Literal["off", "on"] = setting(
        "on",
        About(
            name=("静止画", "Stills"),
            protects=(
                "書類の写しを残すかどうかを決めます",
                "decides whether pictures of documents are kept at all",
            ),
            source="own",
            enforced="still.take",
            safer=Safer.ORDER,
            choices=choice([("off", "撮らない", "none"), ("on", "撮る", "taken")]),
        ),
    )
    retry_limit: int = setting(
        5,
        About(
            name=("静止画の撮り直し上限", "Retakes of a still"),
            protects=(
                "うまくいくまで試し続けることを防ぎます",
                "keeps somebody from trying until it works",
            ),
            source="BaFin 3/2017",
            enforced="still.take",
            safer=Safer.LOWER,
            unit=COUNT,
        ),
        ge=1,
        le=20,
    )
    viewers: tuple[AnyRole, ...] = setting(
        (Role.VERIFIER, Role.SENIOR),
        About(
            name=("静止画を見られる役割", "Who may view stills"),
            protects=(
                "見る必要のない人に見せません",
                "shows a still to nobody who need not see it",
            ),
            source="own",
            enforced="still.view, record.export",
            safer=Safer.FEWER,
            choices=ROLE_WORDS,
        ),
        strict=False,
        max_length=6,
    )


class Files(Section):
    """Documents sent during a call."""

    types: tuple[Literal["pdf", "jpeg", "png"], ...] = setting(
        ("pdf", "jpeg", "png"),
        About(
            name=("送れるファイルの種類", "Types of files"),
            protects=(
                "危ない種類のファイルを入れません",
                "keeps dangerous kinds of files out",
            ),
            source="own",
            enforced="file.send",
            safer=Safer.FEWER,
            choices=choice(
                [("pdf", "PDF", "PDF"), ("jpeg", "JPEG", "JPEG"), ("png", "PNG", "PNG")]
            ),
        ),
        strict=False,
        min_length=1,
        max_length=3,
    )
    max_bytes: int = setting(
        50_000_000,
        About(
            name=("ファイルの最大の大きさ", "Largest file"),
            protects=(
                "大きなファイルで窓口が止まることを防ぎます",
                "keeps one file from filling the disk or the line",
            ),
            source="own",
            enforced="file.send",
            safer=Safer.LOWER,
            unit=("バイト", "bytes"),
        ),
        ge=1_000_000,
        le=500_000_000,
    )
    max_per_call: int = setting(
        50,
        About(
            name=("1通話のファイル数", "Files of a call"),
            protects=(
                "必要以上の書類を集めません",
                "keeps more papers than needed from being collected",
            ),
            source="own",
            enforced="file.send",
            safer=Safer.LOWER,
            unit=("件", "files"),
        ),
        ge=1,
        le=500,
    )
    scan: Literal["required", "if_available", "off"] = setting(
        "if_available",
        About(
            name=("ウイルス検査", "Malware scan"),
            protects=(
                "不正なプログラムを役所に持ち込みません",
                "keeps malicious programs out of the town hall",
            ),
            source="own",
            enforced="file.offer",
            safer=Safer.ORDER,
            choices=choice(
                [
                    ("required", "必須", "required"),
                    ("if_available", "検査できるとき", "when a scanner is there"),
                    ("off", "しない", "off"),
                ]
            ),
        ),
    )
    one_time_download: Literal["on", "off"] = setting(
        "off",
        About(
            name=("受け取りは1回だけ", "One download only"),
            protects=(
                "同じ書類が何度も持ち出されることを防ぎます",
                "keeps a paper from being taken out again and again",
            ),
            source="own",
            enforced="file.read, record.export, rest.bundle",
            safer=Safer.ORDER,
            choices=choice([("on", "1回だけ", "once"), ("off", "何度でも", "any number")]),
        ),
    )


class Chat(Section):
    """Messages of a call."""

    keep: Literal["drop", "with_record"] = setting(
        "with_record",
        About(
            name=("チャットの扱い", "What becomes of the chat"),
            protects=(
                "残す必要のない言葉を残しません",
                "keeps no words that need not be kept",
            ),
            source="own",
            enforced="server/retention.py",
            safer=Safer.ORDER,
            choices=choice(
                [
                    ("drop", "通話の終わりに消す", "deleted when the call ends"),
                    ("with_record", "記録と一緒に残す", "kept with the record"),
                ]
            ),
        ),
    )


class Numbers(Section):
    """Numbers that must not be kept."""

    my_number: Literal["refuse", "warn"] = setting(
        "refuse",
        About(
            name=("個人番号らしい数字", "What looks like an individual number"),
            protects=(
                "個人番号がチャットに残ることを防ぎます",
                "keeps individual numbers out of the chat",
            ),
            source="総務省令 平成26年第85号",
            enforced="chat.send",
            safer=Safer.ORDER,
            choices=choice([("refuse", "送らせない", "refuse"), ("warn", "注意する", "warn")]),
        ),
    )
    insurer_number: Literal["refuse", "warn", "off"] = setting(
        "warn",
        About(
            name=("保険者番号・基礎年金番号らしい数字", "What looks like an insurer's number"),
            protects=(
                "告知を求めてはならない番号を残しません",
                "keeps numbers that may not be asked for out of the chat",
            ),
            source="健康保険法 第194条の2、国民年金法 第108条の4",
            enforced="chat.send",
            safer=Safer.ORDER,
            choices=choice(
                [
                    ("refuse", "送らせない", "refuse"),
                    ("warn", "注意する", "warn"),
                    ("off", "見ない", "not looked for"),
                ]
            ),
        ),
    )
