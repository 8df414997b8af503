"""Triggers without a record can be stopped by the end of what they started."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table; so far none was ever stopped."""
    names = ("tenant", "namespace", "flow", "id")
    op.create_table(
        "stopped",
        *(sa.Column(name, sa.Text(), nullable=False) for name in names),
        sa.PrimaryKeyConstraint(*names),
    )
