"""Types, descriptions and revisions of values; the answers that bodies got to what they wanted done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add columns to `kv`, and the table of answers."""
    op.add_column("kv", sa.Column("type", sa.Text(), nullable=False, server_default="STRING"))
    op.add_column("kv", sa.Column("description", sa.Text()))
    op.add_column("kv", sa.Column("created", sa.BigInteger()))
    op.add_column("kv", sa.Column("revision", sa.Integer(), nullable=False, server_default="1"))
    op.create_table(
        "replies",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("function", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("execution", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("job", "function"),
    )
    op.create_index("replies_execution", "replies", ["tenant", "execution"])
