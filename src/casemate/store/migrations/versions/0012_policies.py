"""Policies of the instance, of tenants and of namespaces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the table. Of an instance's policies tenant and namespace are empty, of a tenant's the namespace is."""
    op.create_table(
        "policies",
        sa.Column("tenant", sa.Text(), primary_key=True),
        sa.Column("namespace", sa.Text(), primary_key=True),
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
    )
