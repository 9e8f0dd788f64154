"""Records of calls, what was added to them, and what they rest on."""

import sqlalchemy as sa
from alembic import op

from server.db.engine import unchanging

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; a record and an addition never change."""
    op.create_table(
        "record",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("record_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        _home("record"),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_record_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record")),
        sa.UniqueConstraint("call_id", name=op.f("uq_record_call_id")),
    )
    op.create_table(
        "record_addition",
        sa.Column("record_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("addition_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        _home("record_addition"),
        sa.ForeignKeyConstraint(
            ["record_id"], ["record.id"], name=op.f("fk_record_addition_record_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_record_addition_person_id")
        ),
        sa.PrimaryKeyConstraint("record_id", "number", name=op.f("pk_record_addition")),
    )
    op.create_table(
        "record_basis",
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _home("record_basis"),
        sa.PrimaryKeyConstraint("municipality_id", "sha256", name=op.f("pk_record_basis")),
    )
    for table in ("record", "record_addition"):
        for statement in unchanging(table):
            op.execute(statement)


def _home(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_municipality_id")
    return sa.ForeignKeyConstraint(["municipality_id"], ["municipality.id"], name=name)
