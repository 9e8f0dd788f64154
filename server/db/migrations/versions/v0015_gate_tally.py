"""How often the gate was asked, by the hour; what the log tells of the last 31 days goes in."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# Entries of the gate: `gate:call:place` counts as one question of `call.place`, and each of its
# reasons once. Of quiet rules the log holds the refusals alone.
_HOUR = "at - at % 3600000000"
_ACTION = "replace(substr(tag, 6), ':', '.')"
_RECENT = (
    "tag LIKE 'gate:%' AND at >= (SELECT coalesce(max(at), 0) FROM audit_entry) - 2678400000000"
)
_ASKED = f"""
INSERT INTO gate_tally (municipality_id, hour, action, code, count)
SELECT municipality_id, {_HOUR}, {_ACTION}, '', count(*)
FROM audit_entry WHERE {_RECENT} GROUP BY 1, 2, 3
"""  # noqa: S608
_REFUSED = f"""
INSERT INTO gate_tally (municipality_id, hour, action, code, count)
SELECT municipality_id, {_HOUR}, {_ACTION}, reason.value, count(*)
FROM audit_entry, json_each(CAST(entry AS TEXT), '$.reasons') AS reason
WHERE {_RECENT} GROUP BY 1, 2, 3, 4
"""  # noqa: S608


def upgrade() -> None:
    """Make the table and fill it."""
    op.create_table(
        "gate_tally",
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_gate_tally_municipality_id")
        ),
        sa.PrimaryKeyConstraint(
            "municipality_id", "hour", "action", "code", name=op.f("pk_gate_tally")
        ),
    )
    op.execute(_ASKED)
    op.execute(_REFUSED)
