"""What lies in each column of the database, and why no secret lies there in the clear. A new column must be added."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer

from casemate.store.envelopes import PLACES
from casemate.store.schema import Instant, metadata

NAMES = "names, ids, states and counts, which Casemate makes or checks"
SEALED = (
    "SECRET values are sealed before they come here, and refused without a key; what else there is, someone put out"
)
WRITTEN = "what people wrote: sources, descriptions, labels. Templates are not rendered"
MASKED = "covered by the worker, or by whoever rendered it"
HASHED = "nothing that opens anything"

TEXTS = {
    "alembic_version": {"version_num": NAMES},
    "flows": dict.fromkeys(("description", "labels", "source", "concurrency"), WRITTEN),
    # Labels may be rendered: a secret in one is put out by whoever wrote the template, as in an output.
    "executions": {"labels": WRITTEN, "document": SEALED},
    "task_runs": {"document": SEALED},
    # A job is fetched by its id; what it has to do is rendered by its worker, and never a row.
    "jobs": {},
    # Which execution asks, ended or changed: flows, inputs and outputs are read from their rows when it is delivered.
    "outbox": {"kind": NAMES, "body": NAMES},
    "timers": {"key": NAMES},
    "accounts": {"password": HASHED, "name": WRITTEN},
    "sessions": {"digest": HASHED},
    "tokens": {"digest": HASHED, "prefix": HASHED, "name": WRITTEN, "description": WRITTEN},
    "windows": {"met": NAMES, "outputs": SEALED},
    "logs": {"message": MASKED, "thread": NAMES},
    "metrics": {"name": MASKED, "kind": NAMES, "tags": MASKED},
    "templates": {"description": WRITTEN, "source": WRITTEN},
    # What a task or a person keeps there is for all flows of the namespace to read.
    "kv": {"key": WRITTEN, "value": WRITTEN, "description": WRITTEN, "type": NAMES},
    # Counts, keys and addresses of files that answer what was done; the inputs of a resumed execution are not kept.
    "replies": {"function": NAMES, "reply": NAMES},
    # The definition is the trigger as it stands in the flow.
    "triggers": {"definition": WRITTEN, "backfill": SEALED, "stop_after": NAMES, "kind": NAMES},
    "policies": {"source": WRITTEN},
    "workers": {"boot": NAMES},
    "kill_switches": {"document": WRITTEN},
    "banners": {"message": WRITTEN, "type": NAMES},
    # The options of a store are one envelope in it, and beside that what people may see of them.
    "namespaces": {"stamp": NAMES, "document": SEALED},
    "secrets": {"kid": NAMES, "sealed": SEALED, "name": NAMES, "description": WRITTEN, "tags": WRITTEN},
}

_IDS = {
    *("id", "tenant", "namespace", "flow", "execution", "task", "task_run", "trigger", "parent", "caller", "state"),
    *("job", "queue", "worker", "account"),
}


def _is_text(column: Column) -> bool:
    return column.type.python_type is str


def test_every_column_with_texts_is_known_for_what_lies_in_it():
    texts = {
        name: {each.name for each in table.columns if _is_text(each) and each.name not in _IDS}
        for name, table in metadata.tables.items()
    }
    known = {name: set(columns) for name, columns in TEXTS.items()}
    assert {name: columns for name, columns in texts.items() if columns or name in known} == known


def test_no_other_column_can_hold_a_text():
    columns = [each for table in metadata.tables.values() for each in table.columns if not _is_text(each)]
    kinds = {type(each.type) for each in columns}
    assert kinds <= {Instant, Boolean, Float, Integer, BigInteger}


def test_what_is_sealed_is_sealed_anew_when_the_key_changes():
    sealed = {f"{table}.{name}" for table, columns in TEXTS.items() for name, why in columns.items() if why is SEALED}
    # The store of secrets has a key of its own.
    assert sealed - {"secrets.sealed"} <= {place.name for place in PLACES}
