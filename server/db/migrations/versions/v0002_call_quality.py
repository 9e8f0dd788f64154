"""Summaries of how good calls were."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COUNTS = (
    "seconds good_seconds fair_seconds poor_seconds packets lost repaired freezes frozen_ms "
    "rtt_known rtt_ms rtt_ms_worst jitter_ms_worst kbps_known kbps fps_known fps_tenths "
    "width_least height_least width_most height_most"
)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "call_quality",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("party", sa.String(length=16), nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS.split()),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_call_quality_call_id")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_call_quality_municipality_id")
        ),
        sa.PrimaryKeyConstraint("call_id", "party", "direction", name=op.f("pk_call_quality")),
    )
