"""How far the audit log has been sent elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "audit_export",
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_audit_export_municipality_id")
        ),
        sa.PrimaryKeyConstraint("municipality_id", name=op.f("pk_audit_export")),
    )
