"""Links from a municipality's own directory to people."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "oidc_link",
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("subject_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("linked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_oidc_link_municipality_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_oidc_link_person_id")),
        sa.PrimaryKeyConstraint("municipality_id", "subject_hash", name=op.f("pk_oidc_link")),
        sa.UniqueConstraint("person_id", name=op.f("uq_oidc_link_person_id")),
    )
