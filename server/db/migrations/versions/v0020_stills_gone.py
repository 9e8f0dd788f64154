"""Which files are stills, and when a record was deleted by its period."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of earlier files none is known as a still."""
    op.add_column(
        "file", sa.Column("still", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("call", sa.Column("record_gone_at", sa.BigInteger()))
