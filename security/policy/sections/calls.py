"""[calls] 通話: times, who answers, what the picture must be."""

from typing import Literal

from security.policy.about import About, Safer, choice, setting
from security.values import Section

SECONDS, MINUTES = ("秒", "seconds"), ("分", "minutes")


class Calls(Section):
    """How a call runs."""

    resume_seconds: int = setting(
        120,
        About(
            name=("再開できる時間", "Time to come back"),
            protects=(
                "中断のあいだに人が入れ替わることを防ぎます",
                "keeps an interruption too short for somebody to step in",
            ),
            source="ETSI TS 119 461",
            enforced="server/calls/registry.py",
            safer=Safer.LOWER,
            unit=SECONDS,
        ),
        ge=10,
        le=600,
    )
    ring_seconds: int = setting(
        20,
        About(
            name=("一人を呼び出す時間", "Time a desk rings"),
            protects=(
                "住民を待たせたままにしません",
                "does not leave a resident ringing at an empty desk",
            ),
            source="own",
            enforced="server/calls/registry.py",
            unit=SECONDS,
        ),
        ge=5,
        le=120,
    )
    max_minutes: int = setting(
        60,
        About(
            name=("通話の最長時間", "Longest call"),
            protects=(
                "終わったはずの通話が開いたままになることを防ぎます",
                "keeps a forgotten call from standing open",
            ),
            source="own",
            enforced="call.continue",
            safer=Safer.LOWER,
            unit=MINUTES,
        ),
        ge=5,
        le=240,
    )
    max_waiting_minutes: int = setting(
        60,
        About(
            name=("待ち時間の上限", "Longest wait"),
            protects=(
                "応対できないときに、住民へ早く知らせます",
                "tells the resident in time that nobody will come",
            ),
            source="own",
            enforced="call.continue",
            safer=Safer.LOWER,
            unit=MINUTES,
        ),
        ge=1,
        le=240,
    )
    certificates_resolution: Literal["required", "not_required"] = setting(
        "required",
        About(
            name=("電子証明書の事務と議会の議決", "Resolution for certificates"),
            protects=(
                "議決が要ると読める事務を、議決の前に始めません",
                "keeps work that may need the assembly's resolution from starting before it",
            ),
            source="Q&A 7",
            enforced="call.place",
            safer=Safer.ORDER,
            choices=choice(
                [
                    ("required", "議決を要する", "needs one"),
                    ("not_required", "議決を要しない", "needs none"),
                ]
            ),
        ),
    )
    precheck: Literal["daily", "first"] = setting(
        "first",
        About(
            name=("開始前点検", "Check before opening"),
            protects=(
                "映像や通信が使えない窓口で、本番の通話を始めません",
                "keeps real calls from beginning at a counter that cannot hold one",
            ),
            source="own",
            enforced="call.place",
            safer=Safer.ORDER,
            choices=choice(
                [
                    ("daily", "端末ごとに毎日", "each day, each tablet"),
                    ("first", "郵便局の最初の通話の前に", "before a post office's first call"),
                ]
            ),
        ),
    )
    assignment: Literal["random", "oldest"] = setting(
        "oldest",
        About(
            name=("担当の決め方", "Who gets a call"),
            protects=(
                "局員と職員が組を選べないようにします",
                "keeps a clerk and an officer from choosing each other",
            ),
            source="ETSI TS 119 461, BaFin 3/2017",
            enforced="server/calls/assign.py, call.accept",
            safer=Safer.ORDER,
            choices=choice(
                [
                    ("random", "空いている職員から無作為に", "a free officer at random"),
                    ("oldest", "長く空いている職員から", "the officer who has been free longest"),
                ]
            ),
        ),
    )
    third_parties: tuple[Literal["senior", "interpreter", "representative"], ...] = setting(
        ("senior",),
        About(
            name=("加われる第三者", "Who else may join"),
            protects=(
                "通話に入れる人を決めます",
                "decides who may be called into a conversation",
            ),
            source="own",
            enforced="call.invite, call.join, media.join",
            safer=Safer.FEWER,
            choices=choice(
                [
                    ("senior", "上席", "a senior"),
                    ("interpreter", "通訳", "an interpreter"),
                    ("representative", "法定代理人", "a legal representative"),
                ]
            ),
        ),
        strict=False,
        max_length=3,
    )
    minimum_height_px: int = setting(
        480,
        About(
            name=("映像の最低の高さ", "Lowest picture height"),
            protects=(
                "見えない映像で判定することを防ぎます（縦長の映像では短い辺）",
                "keeps a decision from resting on a picture that shows too little "
                "(of an upright one: its shorter side)",
            ),
            source="BaFin 3/2017, ETSI TS 119 461",
            enforced="server/quality_watch.py",
            safer=Safer.HIGHER,
            unit=("画素", "pixels"),
        ),
        ge=120,
        le=2160,
    )
    minimum_frames_per_second: int = setting(
        5,
        About(
            name=("映像の最低のコマ数", "Lowest frame rate"),
            protects=(
                "動きの見えない映像で判定することを防ぎます",
                "keeps a decision from resting on a picture that does not move",
            ),
            source="ETSI TS 119 461",
            enforced="server/quality_watch.py",
            safer=Safer.HIGHER,
            unit=("コマ/秒", "frames per second"),
        ),
        ge=1,
        le=30,
    )
    poor_picture_seconds: int = setting(
        20,
        About(
            name=("映像不良で中断を勧めるまで", "Poor picture before stopping is offered"),
            protects=(
                "悪い映像のまま続けることを防ぎます",
                "keeps a conversation from going on over a bad picture",
            ),
            source="ETSI TS 119 461",
            enforced="server/quality_watch.py",
            safer=Safer.LOWER,
            unit=SECONDS,
        ),
        ge=5,
        le=300,
    )
