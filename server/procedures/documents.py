"""Identity documents (本人確認書類): which there are, and whether those shown are enough. Pure.

A document counts on the days up to and including the one that stands on it. The day is the
call's, in the municipality's zone; the caller passes it in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from server.procedures.words import Words


class DocumentClass(StrEnum):
    """A: with photograph, issued by a public body. B: name with date of birth or address."""

    A = "a"
    B = "b"


KINDS: dict[DocumentClass, dict[str, Words]] = {
    DocumentClass.A: {
        "my-number-card": Words(ja="マイナンバーカード", en="My Number Card"),
        "resident-card-photo": Words(
            ja="写真付き住民基本台帳カード", en="Basic resident registration card with photo"
        ),
        "driving-licence": Words(ja="運転免許証", en="Driving licence"),
        "driving-history": Words(
            ja="運転経歴証明書（平成24年4月1日以降）",
            en="Driving history certificate (since 1 April 2012)",
        ),
        "passport": Words(ja="旅券", en="Passport"),
        "disability-handbook": Words(
            ja="身体障害者手帳", en="Handbook of persons with physical disabilities"
        ),
        "mental-disability-handbook": Words(
            ja="精神障害者保健福祉手帳", en="Handbook of persons with mental disorders"
        ),
        "rehabilitation-handbook": Words(ja="療育手帳", en="Rehabilitation handbook"),
        "residence-card": Words(ja="在留カード", en="Residence card"),
        "special-resident": Words(
            ja="特別永住者証明書", en="Special permanent resident certificate"
        ),
        "temporary-refuge": Words(ja="一時庇護許可書", en="Permission for temporary refuge"),
        "provisional-stay": Words(ja="仮滞在許可書", en="Permission for provisional stay"),
    },
    DocumentClass.B: {
        "health-insurance": Words(
            ja="健康保険の資格確認書", en="Health insurance eligibility certificate"
        ),
        "care-insurance": Words(ja="介護保険被保険者証", en="Long-term care insurance card"),
        "medical-recipient": Words(ja="医療受給者証", en="Medical care recipient certificate"),
        "pension": Words(ja="各種年金証書", en="Pension certificate"),
        "child-allowance": Words(ja="児童扶養手当証書", en="Child rearing allowance certificate"),
        "public-assistance": Words(ja="生活保護受給者証", en="Public assistance certificate"),
        "bankbook": Words(ja="預金通帳", en="Bankbook"),
        "employee": Words(ja="社員証", en="Employee card"),
        "student": Words(ja="学生証", en="Student card"),
        "mother-child": Words(ja="母子健康手帳", en="Mother and child health handbook"),
        "seaman": Words(ja="船員手帳", en="Seafarer's book"),
        "marine-licence": Words(ja="海技免状", en="Marine officer's licence"),
        "electrician": Words(ja="電気工事士免状", en="Electrician's licence"),
        "radio-operator": Words(ja="無線従事者免許証", en="Radio operator's licence"),
        "real-estate": Words(ja="宅地建物取引士証", en="Real estate transaction agent card"),
    },
}
CLASS_OF = {kind: cls for cls, kinds in KINDS.items() for kind in kinds}


class Combination(BaseModel):
    """So many of each class, and what else goes with them: PIN entry, or the letter of notice."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    a: int = Field(default=0, ge=0, le=5)
    b: int = Field(default=0, ge=0, le=5)
    pin: bool = False
    notice: bool = False


class DocumentRule(BaseModel):
    """Any one of these combinations is enough."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    any_of: tuple[Combination, ...] = Field(min_length=1, max_length=10)


@dataclass(frozen=True, slots=True)
class Shown:
    """A document that was shown; `expires` is None when nothing about it stands on it."""

    kind: str
    expires: date | None

    def counts_on(self, day: date) -> bool:
        """Tell whether it is valid on that day."""
        return self.expires is None or day <= self.expires


@dataclass(frozen=True, slots=True)
class Lacking:
    """What one combination still wants."""

    a: int = 0
    b: int = 0
    pin: bool = False
    notice: bool = False

    @property
    def nothing(self) -> bool:
        """Tell whether the combination is complete."""
        return self == Lacking()


def lacking(
    rule: DocumentRule,
    shown: Sequence[Shown],
    day: date,
    *,
    pin: bool = False,
    notice: bool = False,
) -> tuple[Lacking, ...]:
    """Return what each combination still wants, the nearest first; empty when one is complete.

    One kind counts once: two bankbooks are one document. A class A document stands in for a class B
    one where too few of those were shown. Raises `KeyError` for a kind that is not listed.
    """
    valid = {one.kind for one in shown if one.counts_on(day)}
    a = sum(CLASS_OF[kind] is DocumentClass.A for kind in valid)
    b = len(valid) - a
    found = [_lacking(one, a, b, pin=pin, notice=notice) for one in rule.any_of]
    if any(one.nothing for one in found):
        return ()
    return tuple(sorted(set(found), key=lambda one: (one.a + one.b + one.pin + one.notice, -one.b)))


def _lacking(want: Combination, a: int, b: int, *, pin: bool, notice: bool) -> Lacking:
    spare = max(0, a - want.a)
    return Lacking(
        a=max(0, want.a - a),
        b=max(0, want.b - b - spare),
        pin=want.pin and not pin,
        notice=want.notice and not notice,
    )
