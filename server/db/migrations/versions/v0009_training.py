"""The day of a person's last training."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of nobody a training is known before."""
    op.add_column("person", sa.Column("trained_on", sa.Date()))
