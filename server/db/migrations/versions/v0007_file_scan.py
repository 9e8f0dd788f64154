"""Whether a file was scanned, and who has had it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add column and table; nobody can say of earlier files who had them."""
    op.add_column("file", sa.Column("scanned", sa.String(length=8)))
    op.create_table(
        "file_taken",
        sa.Column("file_id", sa.String(length=64), nullable=False),
        sa.Column("taker", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["file.id"], name=op.f("fk_file_taken_file_id")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_file_taken_municipality_id")
        ),
        sa.PrimaryKeyConstraint("file_id", "taker", name=op.f("pk_file_taken")),
    )
