"""Results of 開始前点検."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_OF = (("municipality_id", "municipality"), ("office_id", "office"), ("tablet_id", "tablet"))


def upgrade() -> None:
    """Make the table."""
    keys = [
        sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_precheck_{column}"))
        for column, table in (*_OF, ("person_id", "person"))
    ]
    op.create_table(
        "precheck",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("office_id", sa.String(length=64), nullable=False),
        sa.Column("tablet_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("rows", sa.Text(), nullable=False),
        *keys,
        sa.PrimaryKeyConstraint("id", name=op.f("pk_precheck")),
    )
    op.create_index(op.f("ix_precheck_municipality_id_at"), "precheck", ["municipality_id", "at"])
