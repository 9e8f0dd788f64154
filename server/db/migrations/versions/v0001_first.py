"""The first schema: municipality to audit log."""

import sqlalchemy as sa
from alembic import op

from server.db.engine import append_only

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table, and let the audit log only grow."""
    _municipalities()
    _sign_ins()
    _calls()
    _chat_and_files()
    _audit()


def _municipalities() -> None:
    op.create_table(
        "municipality",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("hours", sa.String(length=200), server_default="", nullable=False),
        sa.Column("telephone", sa.String(length=40), server_default="", nullable=False),
        sa.Column("key_wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_municipality")),
        sa.UniqueConstraint("slug", name=op.f("uq_municipality_slug")),
    )
    op.create_table(
        "office",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.CheckConstraint("kind = 'direct'", name=op.f("ck_office_direct_only")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_office_municipality_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office")),
        sa.UniqueConstraint("municipality_id", "name", name=op.f("uq_office_municipality_id_name")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("office_id", sa.String(length=64), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("desk_open", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_person_municipality_id")
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_person_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint(
            "municipality_id", "login", name=op.f("uq_person_municipality_id_login")
        ),
    )
    op.create_table(
        "tablet",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("office_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_tablet_municipality_id")
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_tablet_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tablet")),
    )


def _sign_ins() -> None:
    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=True),
        sa.Column("tablet_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_session_municipality_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_session_person_id")),
        sa.ForeignKeyConstraint(["tablet_id"], ["tablet.id"], name=op.f("fk_session_tablet_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_person_id"), "session", ["person_id"], unique=False)
    op.create_index(op.f("ix_session_tablet_id"), "session", ["tablet_id"], unique=False)
    op.create_table(
        "link",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=True),
        sa.Column("tablet_id", sa.String(length=64), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_link_municipality_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_link_person_id")),
        sa.ForeignKeyConstraint(["tablet_id"], ["tablet.id"], name=op.f("fk_link_tablet_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_link")),
    )
    op.create_table(
        "sign_in_try",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_try")),
    )


def _calls() -> None:
    op.create_table(
        "call",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("office_id", sa.String(length=64), nullable=False),
        sa.Column("tablet_id", sa.String(length=64), nullable=False),
        sa.Column("clerk_id", sa.String(length=64), nullable=False),
        sa.Column("desk_id", sa.String(length=64), nullable=True),
        sa.Column("procedure", sa.String(length=64), nullable=False),
        sa.Column("training", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("placed_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("key_wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("detail_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["clerk_id"], ["person.id"], name=op.f("fk_call_clerk_id")),
        sa.ForeignKeyConstraint(["desk_id"], ["person.id"], name=op.f("fk_call_desk_id")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_call_municipality_id")
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_call_office_id")),
        sa.ForeignKeyConstraint(["tablet_id"], ["tablet.id"], name=op.f("fk_call_tablet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
        sa.UniqueConstraint(
            "municipality_id", "number", name=op.f("uq_call_municipality_id_number")
        ),
    )
    op.create_index(
        op.f("ix_call_municipality_id_desk_id_placed_at"),
        "call",
        ["municipality_id", "desk_id", "placed_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_call_municipality_id_state"), "call", ["municipality_id", "state"], unique=False
    )
    op.create_table(
        "call_number",
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_call_number_municipality_id")
        ),
        sa.PrimaryKeyConstraint("municipality_id", "prefix", name=op.f("pk_call_number")),
    )


def _chat_and_files() -> None:
    op.create_table(
        "chat_message",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("party", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_chat_message_call_id")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_chat_message_municipality_id")
        ),
        sa.PrimaryKeyConstraint("call_id", "number", name=op.f("pk_chat_message")),
        sa.UniqueConstraint(
            "call_id", "party", "client_id", name=op.f("uq_chat_message_call_id_party_client_id")
        ),
    )
    op.create_table(
        "chat_read",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("party", sa.String(length=16), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_chat_read_call_id")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_chat_read_municipality_id")
        ),
        sa.PrimaryKeyConstraint("call_id", "party", name=op.f("pk_chat_read")),
    )
    op.create_table(
        "file",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("party", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("offered_bytes", sa.BigInteger(), nullable=True),
        sa.Column("sha256_sent", sa.String(length=64), nullable=False),
        sa.Column("sha256_offered", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_file_call_id")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_file_municipality_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file")),
    )
    op.create_index(op.f("ix_file_call_id"), "file", ["call_id"], unique=False)


def _audit() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("tag", sa.String(length=80), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_audit_entry_municipality_id")
        ),
        sa.PrimaryKeyConstraint("municipality_id", "position", name=op.f("pk_audit_entry")),
    )
    for statement in append_only("audit_entry", "municipality_id", "position"):
        op.execute(statement)
