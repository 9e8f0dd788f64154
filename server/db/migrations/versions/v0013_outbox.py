"""Facts for the municipality's own systems, and their deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _home(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_municipality_id")
    return sa.ForeignKeyConstraint(["municipality_id"], ["municipality.id"], name=name)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "outbox",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("training", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("spread_at", sa.BigInteger()),
        _home("outbox"),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_outbox_spread_at"), "outbox", ["spread_at"])
    op.create_table(
        "delivery",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("destination", sa.String(length=96), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger()),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger()),
        sa.Column("problem", sa.String(length=200)),
        sa.ForeignKeyConstraint(
            ["position"], ["outbox.position"], name=op.f("fk_delivery_position")
        ),
        _home("delivery"),
        sa.PrimaryKeyConstraint("position", "destination", name=op.f("pk_delivery")),
    )
    op.create_index(op.f("ix_delivery_state_next_at"), "delivery", ["state", "next_at"])
    op.create_index(op.f("ix_delivery_destination_subject"), "delivery", ["destination", "subject"])
