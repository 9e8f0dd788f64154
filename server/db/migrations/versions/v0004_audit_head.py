"""Signed heads of the audit log."""

import sqlalchemy as sa
from alembic import op

from server.db.engine import unchanging

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "audit_head",
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_audit_head_municipality_id")
        ),
        sa.PrimaryKeyConstraint("municipality_id", "count", name=op.f("pk_audit_head")),
    )
    for statement in unchanging("audit_head"):
        op.execute(statement)
