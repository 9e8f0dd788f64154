"""Webhooks, tokens of other systems, and the counts of closed months."""

import sqlalchemy as sa
from alembic import op

from server.db.engine import unchanging

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def _home(table: str) -> sa.ForeignKeyConstraint:
    return _refers(table, "municipality_id", "municipality.id")


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=op.f(f"fk_{table}_{column}"))


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def _time(name: str, *, nullable: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "webhook",
        _text("id", 64),
        _text("municipality_id", 64),
        _text("name", 80),
        sa.Column("url_sealed", sa.LargeBinary(), nullable=False),
        _text("types", 400),
        sa.Column("training", sa.Boolean(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("previous_sealed", sa.LargeBinary()),
        _time("previous_until"),
        _text("created_by", 64, nullable=True),
        _time("created_at", nullable=False),
        _time("ended_at"),
        _text("ended_why", 16, nullable=True),
        _home("webhook"),
        _refers("webhook", "created_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_table(
        "api_token",
        _text("id", 64),
        _text("municipality_id", 64),
        _text("name", 80),
        _text("token_hash", 64),
        _text("scopes", 200),
        _text("networks", 2000),
        _text("created_by", 64, nullable=True),
        _time("created_at", nullable=False),
        _time("expires_at", nullable=False),
        _time("revoked_at"),
        _time("used_at"),
        _home("api_token"),
        _refers("api_token", "created_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_table(
        "count_month",
        _text("municipality_id", 64),
        _text("month", 7),
        _time("closed_at", nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        _home("count_month"),
        sa.PrimaryKeyConstraint("municipality_id", "month", name=op.f("pk_count_month")),
    )
    op.create_table(
        "count_correction",
        _text("id", 64),
        _text("municipality_id", 64),
        _text("month", 7),
        _text("office_id", 64),
        _text("procedure", 64),
        _text("outcome", 16),
        sa.Column("difference", sa.Integer(), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        _text("person_id", 64),
        _time("at", nullable=False),
        _home("count_correction"),
        _refers("count_correction", "office_id", "office.id"),
        _refers("count_correction", "person_id", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count_correction")),
    )
    name = op.f("ix_count_correction_municipality_id_month")
    op.create_index(name, "count_correction", ["municipality_id", "month"])
    for table in ("count_month", "count_correction"):
        for statement in unchanging(table):
            op.execute(statement)
