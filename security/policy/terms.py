"""The terms that a municipality's policy adds to the shipped rules. Pure.

Each names the setting that it enforces, so that the officer's page can say how often a setting was
asked and refused. A term is met when the policy does not ask for it.
"""

from datetime import date

from security.errors import Reason
from security.policy.decide import Term
from security.policy.facts import Facts
from security.values import lies_in, plain_address

FACTOR_ROLES = "people.second_factor_roles"
_TLS_ORDER = ("1.2", "1.3")


def _inside_vpn(f: Facts) -> bool:
    network = f.policy.network
    if network.vpn != "required":
        return True
    return _is_origin(f) and lies_in(f.line.address, network.vpn_networks)


def _is_origin(f: Facts) -> bool:
    """Tell whether the address is known to be where somebody is, and no relay that hides it."""
    return not f.line.relayed or f.line.vouched


def _from_its_place(f: Facts) -> bool:
    role, office = f.actor.role, f.actor.office_id
    applying = [
        source
        for source in f.policy.network.sources
        if (not source.roles or role in source.roles)
        and (not source.offices or office in source.offices)
    ]
    inside = any(lies_in(f.line.address, one.networks) for one in applying)
    return not applying or (_is_origin(f) and inside)


def _tls_new_enough(f: Facts) -> bool:
    tls = f.line.tls
    if tls in _TLS_ORDER:
        return _TLS_ORDER.index(tls) >= _TLS_ORDER.index(f.policy.network.tls_minimum)
    address = plain_address(f.line.address) if f.line.address else None
    return tls == "proxy" or (address is not None and address.is_loopback)


def _relay_fits(f: Facts) -> bool:
    relay = f.policy.network.relay
    return relay == "fallback" or f.line.relayed is (relay == "only")


def _second_factor(f: Facts) -> bool:
    return f.actor.role not in f.policy.people.factor_roles or f.actor.second_factor


def _trained(f: Facts) -> bool:
    asked = f.policy.people.training
    if asked == "not_required" or (asked == "required" and f.training):
        return True
    if f.actor.trained_on is None or f.today is None:
        return False
    return (
        f.actor.trained_on <= f.today < _after(f.actor.trained_on, f.policy.people.training_months)
    )


def _after(day: date, months: int) -> date:
    """Return the same day of the month `months` later, or that month's end."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    for last in (day.day, 30, 29, 28):
        if last <= day.day:
            try:
                return date(year, month, last)
            except ValueError:
                continue
    return date(year, month, 28)


def _four_eyes(f: Facts) -> bool:
    if f.policy.people.clerk_and_verifier == "may_be_same" or f.call is None:
        return True
    return f.actor.person_id not in (f.call.clerk_id or "", *f.call.clerks_before)


def _rings_here(f: Facts) -> bool:
    if f.policy.calls.assignment != "random":
        return True
    return f.call is not None and f.call.desk_id == f.actor.person_id


def _may_record(f: Facts) -> bool:
    return f.policy.recording.mode != "off"


def _agreed_to_recording(f: Facts) -> bool:
    return f.consented


def _is_scanned(f: Facts) -> bool:
    return f.policy.files.scan != "required" or f.scanned is not None


VPN = Term(
    _inside_vpn,
    Reason("outside_vpn", "not connected through the municipality's VPN", "Q&A 9"),
    "network.vpn",
    ("network.vpn_networks",),
)
SOURCES = Term(
    _from_its_place,
    Reason("outside_network", "not from a network that is allowed for this role and office"),
    "network.sources",
)
TLS = Term(
    _tls_new_enough,
    Reason("tls_too_old", "the connection's TLS version is below the lowest allowed"),
    "network.tls_minimum",
)
RELAY = Term(
    _relay_fits,
    Reason("relay", "sound and pictures do not take the way that the policy says"),
    "network.relay",
)
SECOND_FACTOR = Term(
    _second_factor,
    Reason("second_factor", "this role needs a second factor to sign in"),
    "people.second_factor_roles",
)
FIRST_FACTOR = Term(
    lambda f: (
        f.policy.people.first_factor == "at_sign_in"
        or f.actor.has_factor
        or f.actor.second_factor
        or f.actor.recovering
    ),
    Reason("factor_by_link", "a first factor is set up by the link of two administrators"),
    "people.first_factor",
)
FACTOR_FIRST = Term(
    lambda f: not f.actor.has_factor or f.actor.second_factor or f.actor.recovering,
    Reason("second_factor", "whoever has a factor shows it before adding or removing one"),
)
TRAINED = Term(
    _trained,
    Reason("training_not_current", "the training is missing or out of date", "ETSI TS 119 461"),
    "people.training",
    ("people.training_months",),
)
FOUR_EYES = Term(
    _four_eyes,
    Reason("same_person", "who was the clerk of a call cannot decide it"),
    "people.clerk_and_verifier",
)
APPROVED = Term(
    lambda f: not f.approval_missing,
    Reason("approval_missing", "a senior has not confirmed the decision", "BaFin 3/2017"),
    "people.senior_approval",
)
KEEPING_SET = Term(
    lambda f: f.training or not [key for key in f.policy.unset() if key != FACTOR_ROLES],
    Reason("retention_not_set", "how long evidence is kept must be set before real calls"),
    "retention.records_days",
)
FACTORS_SET = Term(
    lambda f: f.training or FACTOR_ROLES not in f.policy.unset(),
    Reason("second_factor_not_set", "who needs a second factor must be set before real calls"),
    FACTOR_ROLES,
)
RECORDING_ON = Term(
    _may_record, Reason("recording_off", "recording is off", "Q&A 10"), "recording.mode"
)
RECORDING_AGREED = Term(
    _agreed_to_recording,
    Reason("no_consent", "the resident has not agreed to recording"),
    "recording.consent_version",
)
RECORDING_VIEWER = Term(
    lambda f: f.actor.role in f.policy.recording.viewers,
    Reason("not_a_viewer", "this role may not view recordings"),
    "recording.viewers",
)
STILLS_ON = Term(
    lambda f: f.policy.stills.mode == "on", Reason("stills_off", "stills are off"), "stills.mode"
)
STILL_TRIES = Term(
    lambda f: f.tries <= f.policy.stills.retry_limit,
    Reason("too_many_retakes", "the still was taken again too often"),
    "stills.retry_limit",
)
STILL_VIEWER = Term(
    lambda f: f.actor.role in f.policy.stills.viewers,
    Reason("not_a_viewer", "this role may not view stills"),
    "stills.viewers",
)
BUNDLE_STILLS = Term(
    lambda f: not f.stills or f.actor.role in f.policy.stills.viewers,
    Reason("not_a_viewer", "the bundle holds stills, which this role may not view"),
    "stills.viewers",
)
NO_MALWARE = Term(
    lambda f: f.policy.files.scan == "off" or f.scanned != "found",
    Reason("malware", "the scanner found something malicious in the file"),
    "files.scan",
)
SCANNED = Term(
    _is_scanned,
    Reason("not_scanned", "the file was not scanned, as no scanner answered"),
    "files.scan",
)
NOT_TAKEN = Term(
    lambda f: f.policy.files.one_time_download == "off" or not f.taken,
    Reason("already_taken", "the file was had once, and once only is allowed"),
    "files.one_time_download",
)
INVITABLE = Term(
    lambda f: f.invited in f.policy.calls.third_parties,
    Reason("not_invitable", "such a party may not join a call"),
    "calls.third_parties",
)
GUEST_WELCOME = Term(
    lambda f: (
        f.actor.role is None
        or f.call is None
        or f.actor.person_id not in (*f.call.guests, *f.call.asked)
        or f.actor.role in f.policy.calls.third_parties
    ),
    Reason("not_invitable", "such a party may not join a call"),
    "calls.third_parties",
)
NO_MY_NUMBER = Term(
    lambda f: f.policy.numbers.my_number != "refuse" or not f.my_number,
    Reason("my_number", "the text holds an individual number", "総務省令 平成26年第85号"),
    "numbers.my_number",
)
NO_INSURER_NUMBER = Term(
    lambda f: f.policy.numbers.insurer_number != "refuse" or not f.insurer_number,
    Reason(
        "insurer_number",
        "the text holds a number of an insurer or a pension",
        "健康保険法 第194条の2、国民年金法 第108条の4",
    ),
    "numbers.insurer_number",
)
RINGS_HERE = Term(
    _rings_here,
    Reason("not_offered", "calls are assigned at random and this one does not ring here"),
    "calls.assignment",
)
HAND_OVER = Term(
    lambda f: f.policy.calls.assignment != "random" or f.invited == "senior",
    Reason("not_offered", "calls are assigned at random, so a desk names a senior alone"),
    "calls.assignment",
)
WITHIN_LENGTH = Term(
    lambda f: f.talked_seconds < f.policy.calls.max_minutes * 60,
    Reason("max_length", "the call has lasted as long as a call may"),
    "calls.max_minutes",
)
WITHIN_WAIT = Term(
    lambda f: f.waited_seconds < f.policy.calls.max_waiting_minutes * 60,
    Reason("max_waiting", "the call has waited as long as a call may"),
    "calls.max_waiting_minutes",
)
TOKEN_NETWORK = Term(
    lambda f: lies_in(f.line.address, f.actor.networks),
    Reason("token_network", "this token does not count from this network"),
)
BUNDLE_NETWORK = Term(
    lambda f: lies_in(f.line.address, f.policy.hooks.bundle_networks),
    Reason("bundle_network", "the officers let no record's bundle be fetched from this network"),
    "hooks.bundle_networks",
)
FROM_WHERE = (VPN, SOURCES, TLS)
