"""The key of a tablet's browser."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; tablets from before have none and are to be enrolled again."""
    op.add_column("tablet", sa.Column("public_key", sa.LargeBinary(), nullable=True))
