"""[people] 職員・局員: how they prove who they are, and who must not be whom."""

from typing import Literal

from security.people import Role
from security.policy.about import About, AnyRole, Safer, choice, setting
from security.policy.sections.evidence import ROLE_WORDS
from security.values import Section


class People(Section):
    """Signing in, training, four eyes."""

    password_min_characters: int = setting(
        12,
        About(
            name=("パスワードの最短の長さ", "Shortest password"),
            protects=("推測による侵入を防ぎます", "keeps guessing hopeless"),
            source="NIST SP 800-63B",
            enforced="server/api/accounts.py",
            safer=Safer.HIGHER,
            unit=("文字", "characters"),
        ),
        ge=8,
        le=64,
    )
    second_factor_roles: tuple[AnyRole, ...] | None = setting(
        None,
        About(
            name=("二つ目の確認が要る役割", "Roles that need a second factor"),
            protects=(
                "パスワードが漏れても入れないようにします",
                "keeps a stolen password from being enough",
            ),
            source="NIST SP 800-63B",
            enforced="session.begin, call.place",
            safer=Safer.MORE,
            choices=ROLE_WORDS,
            must_set=True,
            recommended=(
                *(Role.VERIFIER, Role.SENIOR, Role.ADMINISTRATOR),
                *(Role.OFFICER, Role.AUDITOR),
            ),
        ),
        strict=False,
        max_length=6,
    )
    first_factor: Literal["by_link", "at_sign_in"] = setting(
        "at_sign_in",
        About(
            name=("最初の二つ目の確認の設定", "How a first second factor is set up"),
            protects=(
                "盗んだパスワードで、先に設定されることを防ぎます",
                "keeps a thief of a password from setting one up first",
            ),
            source="own",
            enforced="session.half, factor.enrol",
            safer=Safer.ORDER,
            choices=choice(
                [
                    ("by_link", "管理者2人のリンクで", "by a link of two administrators"),
                    ("at_sign_in", "サインインのときに本人が", "by the person at the sign-in"),
                ]
            ),
        ),
    )
    idle_minutes: int = setting(
        15,
        About(
            name=("操作がないときの画面のロック", "Idle lock"),
            protects=(
                "離れた席の画面を使わせません",
                "keeps an unattended page from being used; never ends a call",
            ),
            source="own",
            enforced="security/sign_in.py",
            safer=Safer.LOWER,
            unit=("分", "minutes"),
        ),
        ge=1,
        le=480,
    )
    absolute_hours: int = setting(
        12,
        About(
            name=("サインインの最長時間", "Longest sign-in"),
            protects=(
                "一日を越えて開いたままにしません",
                "keeps a sign-in from outlasting the day",
            ),
            source="own",
            enforced="security/sign_in.py",
            safer=Safer.LOWER,
            unit=("時間", "hours"),
        ),
        ge=1,
        le=24,
    )
    training: Literal["always", "required", "not_required"] = setting(
        "not_required",
        About(
            name=("研修の受講", "Training"),
            protects=(
                "見分け方を学んだ人だけが応対します",
                "lets only trained people take part",
            ),
            source="ETSI TS 119 461",
            enforced="call.place, call.take_over, call.accept",
            safer=Safer.ORDER,
            choices=choice(
                [
                    (
                        "always",
                        "期限内であること（研修モードでも）",
                        "must be current, in training mode too",
                    ),
                    (
                        "required",
                        "期限内であること（本番の通話）",
                        "must be current for real calls",
                    ),
                    ("not_required", "問わない", "not asked for"),
                ]
            ),
        ),
    )
    training_months: int = setting(
        12,
        About(
            name=("研修の有効期間", "How long training counts"),
            protects=("知識が古くなることを防ぎます", "keeps knowledge fresh"),
            source="ETSI TS 119 461",
            enforced="call.place, call.take_over, call.accept",
            safer=Safer.LOWER,
            unit=("か月", "months"),
        ),
        ge=1,
        le=60,
    )
    clerk_and_verifier: Literal["different", "may_be_same"] = setting(
        "different",
        About(
            name=("局員と判定者", "Clerk and verifier"),
            protects=(
                "一人だけで手続が済むことを防ぎます",
                "keeps one person from doing it all",
            ),
            source="ETSI TS 119 461",
            enforced="call.accept, call.close",
            safer=Safer.ORDER,
            choices=choice(
                [
                    ("different", "別の人", "different people"),
                    ("may_be_same", "同じ人でもよい", "may be the same person"),
                ]
            ),
        ),
    )
    senior_approval: Literal["always", "sample", "override", "never"] = setting(
        "override",
        About(
            name=("上席確認", "Senior approval"),
            protects=(
                "例外や危うい判定を、もう一人が確かめます",
                "has a second person look at exceptions",
            ),
            source="BaFin 3/2017",
            enforced="call.close",
            safer=Safer.ORDER,
            choices=choice(
                [
                    ("always", "いつも", "always"),
                    ("sample", "一部を抜き出して", "for a sample"),
                    ("override", "例外のとき", "on an override"),
                    ("never", "しない", "never"),
                ]
            ),
        ),
    )
    sample_percent: int = setting(
        10,
        About(
            name=("上席確認で抜き出す割合", "Share of the sample"),
            protects=("抜き取りの確からしさを決めます", "decides how much a sample shows"),
            source="own",
            enforced="call.close",
            safer=Safer.HIGHER,
            unit=("％", "percent"),
        ),
        ge=1,
        le=100,
    )

    @property
    def factor_roles(self) -> tuple[Role, ...]:
        """Return the roles that need a second factor; none as long as nobody has decided."""
        return self.second_factor_roles or ()
