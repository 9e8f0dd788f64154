"""All tables. SCHEMA.md is printed from this file; migrations bring a database here.

Personal text stands sealed in `*_sealed` columns (security/crypto/FORMAT.md). Times are aware UTC.
Every table that belongs to a municipality says so, and every query is scoped by it.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time, kept as integer microseconds since 1970, in order everywhere."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time was about to be stored")
        delta = value.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        seconds, micros = divmod(int(value), 1_000_000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)


def _id(name: str = "id", **kw: Any) -> Column[str]:
    return Column(name, String(64), **kw)


def _municipality() -> Column[str]:
    return Column("municipality_id", String(64), ForeignKey("municipality.id"), nullable=False)


municipality = Table(
    "municipality",
    metadata,
    _id(primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("hours", String(200), nullable=False, server_default=""),
    Column("telephone", String(40), nullable=False, server_default=""),
    Column(
        "key_wrapped",
        LargeBinary,
        nullable=False,
        comment="the house key, wrapped by the key-encryption key; seals names of persons",
    ),
    comment="A tenant: its own policy, offices and people.",
)

office = Table(
    "office",
    metadata,
    _id(primary_key=True),
    _municipality(),
    Column("name", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("designated_on", sa.Date, comment="from when it is designated (Q&A 3)"),
    Column("resolved_on", sa.Date, comment="day of the assembly's resolution (Q&A 3)"),
    Column("resolution_ref", String(200), nullable=False, server_default=""),
    Column("contract_ref", String(200), nullable=False, server_default=""),
    sa.UniqueConstraint("municipality_id", "name"),
    sa.CheckConstraint("kind = 'direct'", name="direct_only"),
    comment="A directly managed post office; the check refuses any other kind (Q&A 11).",
)

person = Table(
    "person",
    metadata,
    _id(primary_key=True),
    _municipality(),
    Column("login", String(64), nullable=False),
    Column("name_sealed", LargeBinary, nullable=False),
    Column("role", String(16), nullable=False),
    Column("office_id", String(64), ForeignKey("office.id")),
    Column("password_hash", String(200)),
    Column("desk_open", sa.Boolean, nullable=False, server_default=sa.false()),
    Column("disabled_at", UtcTime),
    Column("trained_on", sa.Date, comment="day of the last training"),
    Column("pin_hash", String(200), comment="of clerks, argon2id"),
    Column("pin_first_until", UtcTime, comment="the PIN is a first one, to be changed by then"),
    sa.UniqueConstraint("municipality_id", "login"),
    comment="A human who signs in. A clerk belongs to an office, everybody else to the desk.",
)

tablet = Table(
    "tablet",
    metadata,
    _id(primary_key=True),
    _municipality(),
    Column("office_id", String(64), ForeignKey("office.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("enrolled_at", UtcTime),
    Column("revoked_at", UtcTime),
    Column("public_key", LargeBinary, comment="SPKI of its browser's key (PROTOCOL.md 1.1)"),
    Column(
        "real",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="本番; calls from every other tablet are 研修モード",
    ),
    comment="A device of an office; counts only while enrolled and not revoked.",
)

procedure_opening = Table(
    "procedure_opening",
    metadata,
    _id(primary_key=True),
    _municipality(),
    Column("office_id", String(64), ForeignKey("office.id"), nullable=False),
    Column("procedure", String(64), nullable=False),
    Column("opens", sa.Boolean, nullable=False, comment="false: it closes from that day on"),
    Column("from_on", sa.Date, nullable=False),
    Column("basis", String(200), nullable=False, comment="the document that it rests on"),
    Column("set_by", String(64), ForeignKey("person.id"), comment="null: by a command"),
    Column("set_at", UtcTime, nullable=False),
    Column("withdrawn_by", String(64), ForeignKey("person.id")),
    Column("withdrawn_at", UtcTime),
    Index(None, "office_id", "procedure"),
    comment="From when on a procedure is open or closed at an office (Q&A 2); only ever added to.",
)

procedure_version = Table(
    "procedure_version",
    metadata,
    Column("municipality_id", String(64), ForeignKey("municipality.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("procedure", String(64), nullable=False),
    Column("text", sa.Text, nullable=False, comment="the template as TOML"),
    Column("note", String(1000), nullable=False),
    Column("author_id", String(64), ForeignKey("person.id"), comment="null: by a command"),
    Column("drafted_at", UtcTime, nullable=False),
    Column("approved_by", String(64), ForeignKey("person.id"), comment="null: by a command"),
    Column("approved_at", UtcTime),
    Column("starts_at", UtcTime, comment="for calls placed from then on; null while a draft"),
    Column("withdrawn_by", String(64), ForeignKey("person.id")),
    Column("withdrawn_at", UtcTime),
    comment="A municipality's own versions of templates; none is ever changed once approved.",
)

session = Table(
    "session",
    metadata,
    Column("token_hash", String(64), primary_key=True, comment="SHA-256 of the token, hex"),
    Column("kind", String(8), nullable=False),
    _municipality(),
    Column("person_id", String(64), ForeignKey("person.id")),
    Column("tablet_id", String(64), ForeignKey("tablet.id")),
    Column("created_at", UtcTime, nullable=False),
    Column("last_seen_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
    Column("factor", String(16), comment="the second factor it rests on, or `recovery`"),
    Index(None, "person_id"),
    Index(None, "tablet_id"),
    comment="A sign-in. The token is in the cookie alone; here stands its SHA-256.",
)

link = Table(
    "link",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("purpose", String(16), nullable=False),
    _municipality(),
    Column("person_id", String(64), ForeignKey("person.id")),
    Column("tablet_id", String(64), ForeignKey("tablet.id")),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    comment="A one-time token: sign-in link, password link or enrolment code, by its SHA-256.",
)

sign_in_try = Table(
    "sign_in_try",
    metadata,
    Column(
        "key",
        String(64),
        primary_key=True,
        comment="SHA-256 of municipality and login: unknown names count too",
    ),
    Column("failures", Integer, nullable=False),
    Column("last_at", UtcTime, nullable=False),
    comment="Failed tries at signing in, for the lockout.",
)

call = Table(
    "call",
    metadata,
    _id(primary_key=True),
    _municipality(),
    Column("number", String(24), nullable=False),
    Column("office_id", String(64), ForeignKey("office.id"), nullable=False),
    Column("tablet_id", String(64), ForeignKey("tablet.id"), nullable=False),
    Column("clerk_id", String(64), ForeignKey("person.id"), nullable=False),
    Column("desk_id", String(64), ForeignKey("person.id")),
    Column("procedure", String(64), nullable=False),
    Column("training", sa.Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("placed_at", UtcTime, nullable=False),
    Column("answered_at", UtcTime),
    Column("closed_at", UtcTime),
    Column("outcome", String(16)),
    Column("key_wrapped", LargeBinary, comment="null once the call's key is destroyed"),
    Column("record_gone_at", UtcTime, comment="when its record was deleted by its period"),
    Column(
        "detail_sealed",
        LargeBinary,
        nullable=False,
        comment="the rest of the call as JSON, sealed with the call's key",
    ),
    sa.UniqueConstraint("municipality_id", "number"),
    Index(None, "municipality_id", "state"),
    Index(None, "municipality_id", "desk_id", "placed_at"),
    comment="One conversation from queue to close.",
)

call_quality = Table(
    "call_quality",
    metadata,
    Column("call_id", String(64), ForeignKey("call.id"), primary_key=True),
    Column("party", String(16), primary_key=True),
    Column("direction", String(8), primary_key=True, comment="sends or receives"),
    _municipality(),
    *(
        Column(name, Integer, nullable=False)
        for name in (
            "seconds",
            "good_seconds",
            "fair_seconds",
            "poor_seconds",
            "packets",
            "lost",
            "repaired",
            "freezes",
            "frozen_ms",
            "rtt_known",
            "rtt_ms",
            "rtt_ms_worst",
            "jitter_ms_worst",
            "kbps_known",
            "kbps",
            "fps_known",
            "fps_tenths",
            "width_least",
            "height_least",
            "width_most",
            "height_most",
        )
    ),
    comment="How good one direction of a call was; it goes with the call.",
)

call_steps = Table(
    "call_steps",
    metadata,
    Column("call_id", String(64), ForeignKey("call.id"), primary_key=True),
    _municipality(),
    Column("version", Integer, nullable=False, comment="grows with every change"),
    Column("at", UtcTime, nullable=False),
    Column(
        "sheet_sealed",
        LargeBinary,
        nullable=False,
        comment="what was done of the steps, by whom, as JSON, sealed with the call's key",
    ),
    comment="The steps of a call; they go with the call.",
)

call_number = Table(
    "call_number",
    metadata,
    Column("municipality_id", String(64), ForeignKey("municipality.id"), primary_key=True),
    Column("prefix", String(16), primary_key=True, comment="as R-261123"),
    Column("last", Integer, nullable=False),
    comment="The last reference number given per day and kind.",
)

chat_message = Table(
    "chat_message",
    metadata,
    Column("call_id", String(64), ForeignKey("call.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    _municipality(),
    Column("client_id", String(64), nullable=False),
    Column("party", String(16), nullable=False),
    Column("person_id", String(64), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("text_sealed", LargeBinary, nullable=False),
    sa.UniqueConstraint("call_id", "party", "client_id"),
    comment="A line of a call's chat.",
)

chat_read = Table(
    "chat_read",
    metadata,
    Column("call_id", String(64), ForeignKey("call.id"), primary_key=True),
    Column("party", String(16), primary_key=True),
    _municipality(),
    Column("number", Integer, nullable=False),
    comment="How far a party has read.",
)

file = Table(
    "file",
    metadata,
    _id(primary_key=True),
    _municipality(),
    Column("call_id", String(64), ForeignKey("call.id"), nullable=False),
    Column("party", String(16), nullable=False),
    Column("person_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("media_type", String(64)),
    Column("size_bytes", sa.BigInteger, nullable=False),
    Column("offered_bytes", sa.BigInteger),
    Column("sha256_sent", String(64), nullable=False),
    Column("sha256_offered", String(64)),
    Column("reason", String(32)),
    Column("scanned", String(8), comment="clean, not, or null: not asked for"),
    Column("still", sa.Boolean, nullable=False, server_default=sa.false()),
    Column("at", UtcTime, nullable=False),
    Column("name_sealed", LargeBinary, nullable=False),
    Index(None, "call_id"),
    comment="A document sent during a call; its bytes lie sealed in the data folder.",
)

file_taken = Table(
    "file_taken",
    metadata,
    Column("file_id", String(64), ForeignKey("file.id"), primary_key=True),
    Column("taker", String(64), primary_key=True, comment="counter, or id of a person"),
    _municipality(),
    Column("at", UtcTime, nullable=False),
    comment="Who has had the bytes of a file, and when first.",
)

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("municipality_id", String(64), ForeignKey("municipality.id"), primary_key=True),
    Column("position", sa.BigInteger, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("tag", String(80), nullable=False, comment="source:subject:action"),
    Column(
        "entry",
        LargeBinary,
        nullable=False,
        comment="canonical JSON (security/audit/FORMAT.md)",
    ),
    Column("link", LargeBinary, nullable=False, comment="SHA-256, 32 bytes"),
    comment="The hash-chained log. Triggers refuse changes, deletions and gaps.",
)

gate_tally = Table(
    "gate_tally",
    metadata,
    Column("municipality_id", String(64), ForeignKey("municipality.id"), primary_key=True),
    Column("hour", UtcTime, primary_key=True, comment="its beginning"),
    Column("action", String(80), primary_key=True),
    Column("code", String(64), primary_key=True, comment="of a refusal; empty: every question"),
    Column("count", sa.BigInteger, nullable=False),
    comment="How often the gate was asked and refused. Kept for 31 days.",
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("municipality_id", String(64), ForeignKey("municipality.id"), primary_key=True),
    Column("count", sa.BigInteger, primary_key=True, comment="how many entries it covers"),
    Column("at", UtcTime, nullable=False),
    Column("link", LargeBinary, nullable=False, comment="of the last entry it covers"),
    Column("public_key", LargeBinary, nullable=False, comment="Ed25519, 32 bytes"),
    Column("signature", LargeBinary, nullable=False, comment="Ed25519, 64 bytes"),
    comment="Signed heads of the log. Triggers refuse changes and deletions.",
)

policy_version = Table(
    "policy_version",
    metadata,
    Column("municipality_id", String(64), ForeignKey("municipality.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("base", Integer, nullable=False, comment="the version it was drawn up against"),
    Column("text", sa.Text, nullable=False, comment="the policy as TOML"),
    Column("note", String(1000), nullable=False),
    Column("author_id", String(64), ForeignKey("person.id"), nullable=False),
    Column("drafted_at", UtcTime, nullable=False),
    Column("approved_by", String(64), ForeignKey("person.id")),
    Column("approved_at", UtcTime),
    Column("starts_at", UtcTime, comment="in force from then on; null while a draft"),
    Column("withdrawn_by", String(64), ForeignKey("person.id")),
    Column("withdrawn_at", UtcTime),
    comment="Versions of a municipality's policy; none is ever changed once approved.",
)

deletion = Table(
    "deletion",
    metadata,
    _id(primary_key=True),
    _municipality(),
    Column("kind", String(16), nullable=False, comment="chat, files, training or audit"),
    Column("at", UtcTime, nullable=False),
    Column("statement", LargeBinary, nullable=False, comment="what went, as canonical JSON"),
    Column("public_key", LargeBinary, nullable=False, comment="Ed25519, 32 bytes"),
    Column("signature", LargeBinary, nullable=False, comment="Ed25519, 64 bytes"),
    Column("noted_at", UtcTime, comment="when the audit log was told"),
    comment="削除証明: a signed statement of each deletion.",
)

officer_appointment = Table(
    "officer_appointment",
    metadata,
    Column("municipality_id", String(64), ForeignKey("municipality.id"), primary_key=True),
    Column("person_id", String(64), ForeignKey("person.id"), primary_key=True),
    Column("proposed_by", String(64), ForeignKey("person.id"), comment="null: made by `init`"),
    Column("proposed_at", UtcTime, nullable=False),
    Column("confirmed_by", String(64), ForeignKey("person.id")),
    Column("confirmed_at", UtcTime),
    comment="Who may sign policies: appointed by two administrators, or by `init`.",
)

oidc_link = Table(
    "oidc_link",
    metadata,
    Column("municipality_id", String(64), ForeignKey("municipality.id"), primary_key=True),
    Column(
        "subject_hash",
        String(64),
        primary_key=True,
        comment="SHA-256 of municipality, issuer and subject, hex",
    ),
    Column("person_id", String(64), ForeignKey("person.id"), nullable=False, unique=True),
    Column("linked_at", UtcTime, nullable=False),
    comment="Who in the municipality's own directory is which person here.",
)

factor = Table(
    "factor",
    metadata,
    _id(primary_key=True),
    _municipality(),
    Column("person_id", String(64), ForeignKey("person.id"), nullable=False),
    Column("kind", String(16), nullable=False, comment="totp or passkey"),
    Column("name_sealed", LargeBinary, comment="what the person calls a passkey"),
    Column("secret_sealed", LargeBinary, comment="of a totp"),
    Column("credential_id", LargeBinary, unique=True, comment="of a passkey"),
    Column("public_key", LargeBinary, comment="of a passkey, COSE"),
    Column("rp_id", String(253), comment="the domain name that a passkey belongs to"),
    Column(
        "counter",
        sa.BigInteger,
        nullable=False,
        comment="last time step used of a totp, last signature counter of a passkey",
    ),
    Column("added_at", UtcTime, comment="null: waits for its first code"),
    Column("used_at", UtcTime),
    Index(None, "person_id"),
    comment="What a person shows at the sign-in beside the password.",
)

factor_recovery = Table(
    "factor_recovery",
    metadata,
    Column("municipality_id", String(64), ForeignKey("municipality.id"), primary_key=True),
    Column("person_id", String(64), ForeignKey("person.id"), primary_key=True),
    Column("asked_at", UtcTime),
    Column("started_by", String(64), ForeignKey("person.id")),
    Column("started_at", UtcTime),
    Column("confirmed_by", String(64), ForeignKey("person.id")),
    Column("confirmed_at", UtcTime),
    comment="Who lost a second factor, and the two administrators who help.",
)

audit_export = Table(
    "audit_export",
    metadata,
    Column("municipality_id", String(64), ForeignKey("municipality.id"), primary_key=True),
    Column("position", sa.BigInteger, nullable=False, comment="the last entry delivered"),
    comment="How far a municipality's audit log has reached its syslog receiver.",
)

outbox = Table(
    "outbox",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    _id(nullable=False, unique=True),
    _municipality(),
    Column("type", String(64), nullable=False, comment="as call.closed"),
    _id("subject", nullable=False, comment="the call; facts of one are told in order"),
    Column("training", sa.Boolean, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("data", LargeBinary, nullable=False, comment="ids, codes and times, as JSON"),
    Column("spread_at", UtcTime, comment="when it was addressed to every destination of then"),
    Index(None, "spread_at"),
    sqlite_autoincrement=True,
    comment="Facts for the municipality's own systems, written with what they tell of.",
)

delivery = Table(
    "delivery",
    metadata,
    Column("position", Integer, ForeignKey("outbox.position"), primary_key=True),
    Column(
        "destination", String(96), primary_key=True, comment="webhook:ID, plugin:NAME or folder"
    ),
    _municipality(),
    _id("subject", nullable=False),
    Column("state", String(8), nullable=False, comment="waiting, done, dead or given_up"),
    Column("tries", Integer, nullable=False),
    Column("first_at", UtcTime, comment="of the first try; a day later it is dead"),
    Column("next_at", UtcTime, nullable=False),
    Column("done_at", UtcTime),
    Column("problem", String(200), comment="of the last try"),
    Index(None, "state", "next_at"),
    Index(None, "destination", "subject"),
    comment="A fact on its way to one destination.",
)

precheck = Table(
    "precheck",
    metadata,
    _id(primary_key=True),
    _municipality(),
    Column("office_id", String(64), ForeignKey("office.id"), nullable=False),
    Column("tablet_id", String(64), ForeignKey("tablet.id"), nullable=False),
    Column("person_id", String(64), ForeignKey("person.id"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("outcome", String(8), nullable=False, comment="good, fair or bad: not passed"),
    Column("rows", sa.Text, nullable=False, comment="what was tried and measured, as JSON"),
    Index(None, "municipality_id", "at"),
    comment="開始前点検: results of a tablet's checks.",
)

webhook = Table(
    "webhook",
    metadata,
    _id(primary_key=True),
    _municipality(),
    Column("name", String(80), nullable=False),
    Column("url_sealed", LargeBinary, nullable=False),
    Column("types", String(400), nullable=False, comment="of facts that are sent, by spaces"),
    Column("training", sa.Boolean, nullable=False, comment="facts of 研修モード are sent too"),
    Column("secret_sealed", LargeBinary, nullable=False, comment="whsec_…"),
    Column("generation", Integer, nullable=False, comment="grows with each new secret"),
    Column("previous_sealed", LargeBinary, comment="the secret before, signed with until then"),
    Column("previous_until", UtcTime),
    Column("created_by", String(64), ForeignKey("person.id"), comment="null: by a command"),
    Column("created_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("ended_why", String(16), comment="removed, or gone: the receiver answered 410"),
    comment="Where facts are sent by HTTP (Standard Webhooks).",
)

api_token = Table(
    "api_token",
    metadata,
    _id(primary_key=True),
    _municipality(),
    Column("name", String(80), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True, comment="SHA-256, hex"),
    Column("scopes", String(200), nullable=False, comment="by spaces"),
    Column("networks", String(2000), nullable=False, comment="it counts from there, by spaces"),
    Column("created_by", String(64), ForeignKey("person.id"), comment="null: by a command"),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
    Column("used_at", UtcTime, comment="to the minute"),
    comment="By which another system reads records and counts (REST).",
)

count_month = Table(
    "count_month",
    metadata,
    Column("municipality_id", String(64), ForeignKey("municipality.id"), primary_key=True),
    Column("month", String(7), primary_key=True, comment="as 2026-11, in Japan"),
    Column("closed_at", UtcTime, nullable=False),
    Column("statement", LargeBinary, nullable=False, comment="the counts as canonical JSON"),
    Column("sha256", LargeBinary, nullable=False, comment="of the statement; also in the log"),
    comment="The counts of a month that is over; never changed.",
)

count_correction = Table(
    "count_correction",
    metadata,
    _id(primary_key=True),
    _municipality(),
    Column("month", String(7), nullable=False),
    Column("office_id", String(64), ForeignKey("office.id"), nullable=False),
    Column("procedure", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("difference", Integer, nullable=False),
    Column("reason_sealed", LargeBinary, nullable=False),
    Column("person_id", String(64), ForeignKey("person.id"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Index(None, "municipality_id", "month"),
    comment="What was added to a closed month's counts afterwards; never changed.",
)

record = Table(
    "record",
    metadata,
    _id(primary_key=True),
    _municipality(),
    Column("call_id", String(64), ForeignKey("call.id"), nullable=False, unique=True),
    Column(
        "record_sealed",
        LargeBinary,
        nullable=False,
        comment="canonical JSON (server/procedures/FORMAT.md), sealed with the call's key",
    ),
    Column("signature", LargeBinary, nullable=False, comment="Ed25519, 64 bytes"),
    comment="本人確認記録: the signed record of a call. Triggers refuse changes.",
)

record_addition = Table(
    "record_addition",
    metadata,
    Column("record_id", String(64), ForeignKey("record.id"), primary_key=True),
    Column("number", Integer, primary_key=True, comment="from 1"),
    _municipality(),
    Column("at", UtcTime, nullable=False),
    Column("person_id", String(64), ForeignKey("person.id"), nullable=False),
    Column("addition_sealed", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False, comment="Ed25519, 64 bytes"),
    comment="Corrections: what was added to a record, each signed. Triggers refuse changes.",
)

record_basis = Table(
    "record_basis",
    metadata,
    Column("municipality_id", String(64), ForeignKey("municipality.id"), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    comment="Templates and policies that records rest on, by their hash.",
)
