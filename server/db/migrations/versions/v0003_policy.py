"""Versions of policies, and who may sign them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _versions()
    _appointments()


def _person(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["person.id"], name=op.f(f"fk_{table}_{column}"))


def _home(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["municipality_id"], ["municipality.id"], name=op.f(f"fk_{table}_municipality_id")
    )


def _versions() -> None:
    op.create_table(
        "policy_version",
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("author_id", sa.String(length=64), nullable=False),
        sa.Column("drafted_at", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.String(length=64), nullable=True),
        sa.Column("approved_at", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=64), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        _home("policy_version"),
        *(_person("policy_version", name) for name in ("author_id", "approved_by", "withdrawn_by")),
        sa.PrimaryKeyConstraint("municipality_id", "number", name=op.f("pk_policy_version")),
    )


def _appointments() -> None:
    op.create_table(
        "officer_appointment",
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("proposed_by", sa.String(length=64), nullable=True),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_by", sa.String(length=64), nullable=True),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        _home("officer_appointment"),
        *(
            _person("officer_appointment", name)
            for name in ("person_id", "proposed_by", "confirmed_by")
        ),
        sa.PrimaryKeyConstraint(
            "municipality_id", "person_id", name=op.f("pk_officer_appointment")
        ),
    )
