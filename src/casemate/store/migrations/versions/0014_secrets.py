"""Secrets that are kept in this database, sealed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the table."""
    names = ("tenant", "namespace", "name")
    op.create_table(
        "secrets",
        *(sa.Column(name, sa.Text(), nullable=False) for name in names),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(*names),
    )
