"""From the settings to secrets that can be asked for: the store, patience around it, memory around that."""

from __future__ import annotations

from functools import partial

from casemate.keys import Keyring
from casemate.secrets.backend import Backend
from casemate.secrets.finding import Secrets
from casemate.secrets.kinds import opened
from casemate.secrets.own_stores import OwnStores
from casemate.secrets.remembering import Remembering
from casemate.secrets.retrying import Retrying
from casemate.settings import Secrets as Settings
from casemate.store import Database

_NEVER_WRITTEN = "env"


def secrets_from(settings: Settings, database: Database | None = None, keys: Keyring | None = None) -> Secrets:
    """`database` is that of the instance, for the kind that is kept there, and for what namespaces say of themselves;
    `keys` open the stores that these bring.

    Raises `InvalidOptions`, `MissingExtra`; no store is asked anything yet.
    """
    store = settings.store
    backend = opened(store.kind, store.options, read_only=store.read_only, at=store.at, database=database)
    told = store.options.get("read-only", store.options.get("readOnly"))
    all_read_only = store.read_only or told is True
    around = partial(_around, settings=settings)
    return Secrets(
        around(backend),
        denied=settings.denied,
        read_only=all_read_only or store.kind == _NEVER_WRITTEN,
        all_read_only=all_read_only,
        own=None if database is None else OwnStores(database, settings.own, keys, around, read_only=all_read_only),
    )


def _around(backend: Backend, settings: Settings) -> Backend:
    patient = Retrying(backend, settings.retries)
    return patient if settings.cache is None else Remembering(patient, settings.cache)
