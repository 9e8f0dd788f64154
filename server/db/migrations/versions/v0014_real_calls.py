"""What real calls stand on: days of offices, tablets in 本番, procedures opened, templates."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns and tables; nothing is designated, resolved or switched to 本番 before."""
    op.add_column("office", sa.Column("designated_on", sa.Date(), nullable=True))
    op.add_column("office", sa.Column("resolved_on", sa.Date(), nullable=True))
    for name in ("resolution_ref", "contract_ref"):
        text = sa.Column(name, sa.String(length=200), nullable=False, server_default="")
        op.add_column("office", text)
    no = sa.false()
    real: sa.Column[bool] = sa.Column("real", sa.Boolean(), nullable=False, server_default=no)
    op.add_column("tablet", real)
    _openings()
    _versions()


def _openings() -> None:
    table = "procedure_opening"
    op.create_table(
        table,
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("office_id", sa.String(length=64), nullable=False),
        sa.Column("procedure", sa.String(length=64), nullable=False),
        sa.Column("opens", sa.Boolean(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("basis", sa.String(length=200), nullable=False),
        sa.Column("set_by", sa.String(length=64), nullable=True),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_by", sa.String(length=64), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        *_foreign(table, office_id="office", set_by="person", withdrawn_by="person"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    index = op.f("ix_procedure_opening_office_id_procedure")
    op.create_index(index, table, ["office_id", "procedure"])


def _versions() -> None:
    table = "procedure_version"
    op.create_table(
        table,
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("procedure", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("author_id", sa.String(length=64), nullable=True),
        sa.Column("drafted_at", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.String(length=64), nullable=True),
        sa.Column("approved_at", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=64), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        *_foreign(table, author_id="person", approved_by="person", withdrawn_by="person"),
        sa.PrimaryKeyConstraint("municipality_id", "number", name=op.f(f"pk_{table}")),
    )


def _foreign(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    every = {"municipality_id": "municipality", **columns}
    return [
        sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, to in every.items()
    ]
