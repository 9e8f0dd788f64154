"""The PIN of a clerk."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; clerks from before have no PIN until they are given a first one."""
    op.add_column("person", sa.Column("pin_hash", sa.String(length=200), nullable=True))
    op.add_column("person", sa.Column("pin_first_until", sa.BigInteger(), nullable=True))
