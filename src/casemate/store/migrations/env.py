"""What alembic runs: the migrations of this folder, on the connection it is given."""

from __future__ import annotations

from alembic import context

from casemate.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
    render_as_batch=True,
)
context.run_migrations()
