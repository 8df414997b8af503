"""How older databases come to the newest schema: one linear history, run by alembic."""
