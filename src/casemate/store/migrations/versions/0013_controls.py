"""Kill switches, counters of quotas, banners, and whether the instance is in maintenance."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "kill_switches",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
    )
    names = ("tenant", "namespace", "flow", "id")
    op.create_table(
        "quotas",
        *(sa.Column(name, sa.Text(), nullable=False) for name in names),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*names),
    )
    op.create_table(
        "banners",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger()),
        sa.Column("end", sa.BigInteger()),
        sa.Column("tenant", sa.Text()),
    )
    op.create_index("banners_id", "banners", ["id"], unique=True)
    op.create_table("maintenance", sa.Column("since", sa.BigInteger(), primary_key=True, autoincrement=False))
