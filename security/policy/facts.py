"""What a decision is made from. Pure data: whoever asks fills it in, rules only read it."""

from dataclasses import dataclass
from datetime import date, datetime

from security.people import OfficeKind, Role
from security.policy.model import BASELINE_POLICY, Policy


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a counter (tablet, with or without a clerk signed in) or a person at a desk."""

    page: str  # "counter" | "desk" | "officer" | "sign-in": half signed in | "system"
    municipality_id: str
    person_id: str | None = None
    role: Role | None = None
    tablet_id: str | None = None
    tablet_live: bool = False  # enrolled and not revoked
    office_id: str | None = None
    office_kind: OfficeKind | None = None
    trained_on: date | None = None
    second_factor: bool = False  # shown at this sign-in
    has_factor: bool = False  # enrolled; asked for where a sign-in is half done
    recovering: bool = False  # by a link that two administrators gave
    appointed: bool = False  # as officer, by two administrators or `init`
    token: str | None = None  # id of another system's token, not that by which it is known
    scopes: tuple[str, ...] = ()  # of the token
    networks: tuple[str, ...] = ()  # from which the token counts


@dataclass(frozen=True, slots=True)
class Line:
    """How the actor reaches us. `tls` is "1.2", "1.3", "proxy" (ended before us) or None.

    `address` is found as server/api/reach.py says; of media that of the path in use,
    and `relayed` when a relay stands between: it is the relay's then, unless that is `vouched` for
    to let in nobody from outside of the networks that policies allow.
    """

    address: str | None = None
    tls: str | None = None
    relayed: bool = False
    vouched: bool = False


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What rules need of a call."""

    id: str
    municipality_id: str
    tablet_id: str
    desk_id: str | None
    state: str
    answered: bool
    clerk_id: str | None = None
    training: bool = True
    guests: tuple[str, ...] = ()  # persons who are in the call beside its two ends
    asked: tuple[str, ...] = ()  # persons whom the desk has asked into it
    clerks_before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a real call stands on, beside its procedure being open (DOMAIN, Q&A 3, 4, 7).

    The days are of the office; `resolution` is what the procedure says of the assembly's
    resolution: `required`, `setting` (the policy says) or `not_required`. The last two
    are the days on which a 開始前点検 was last passed at the office and on this tablet.
    """

    designated_on: date | None = None
    resolved_on: date | None = None
    resolution: str = "required"
    office_checked_on: date | None = None
    tablet_checked_on: date | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """The input of every rule. `subject` is the id of what is asked for: call, file, tablet.

    `today` is the date at the municipality; `training` that the call is 研修モード; `grounds` is
    given where a call is placed. The others
    belong to single actions: what the resident agreed to, how often it was tried before, what a
    scanner said (`clean`, `found`, None: nothing), who is invited, whether a text holds 個人番号
    or a number of an insurer, whether the asker has had the file before (of a bundle: one of its
    files), whether a bundle holds stills, how long a call has waited, and how long ago it was
    first answered.
    """

    now: datetime
    actor: Actor
    subject: str
    subject_municipality_id: str
    call: CallFacts | None = None
    procedure_open: bool = False
    outcome_allowed: bool = False  # the procedure may end so
    policy: Policy = BASELINE_POLICY
    policy_number: int = 0
    line: Line = Line()
    today: date | None = None
    training: bool = True
    consented: bool = False
    tries: int = 0
    scanned: str | None = None
    invited: str | None = None
    my_number: bool = False
    insurer_number: bool = False
    taken: bool = False
    stills: bool = False
    waited_seconds: int = 0
    talked_seconds: int = 0
    steps_missing: bool = False  # what the outcome wants of the procedure's steps is not done
    approval_missing: bool = False  # a senior has not confirmed what the policy wants confirmed
    takes_up: bool = False  # the tablet's call before broke off, and this one goes on with it
    grounds: Grounds = Grounds()
