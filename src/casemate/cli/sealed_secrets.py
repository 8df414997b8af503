"""The part of `casemate encryption` that is about secrets in stores of ours, which have keys of their own."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from casemate.cli.counted import counted
from casemate.keys import UNREADABLE
from casemate.secrets import KINDS, Resealable, Tally, opened
from casemate.settings import SecretStore
from casemate.store import Database


def is_sealed(store: SecretStore) -> bool:
    """Whether the secrets of the configured store are sealed by us."""
    return store.kind in KINDS and KINDS[store.kind].sealed


def count_secrets(store: SecretStore, database: Database) -> Counter[str]:
    """How many there are by the ids of their keys.

    Raises `BackendFailed`, and `InvalidOptions` or `MissingExtra` where the store cannot be opened.
    """
    with _opened(store, database) as sealed:
        return _through(sealed, only_looks=True).counts


def reseal_secrets(store: SecretStore, database: Database) -> bool:
    """Seal them with the present key, and tell; whether all of them are now. Raises as `count_secrets` does."""
    with _opened(store, database) as sealed:
        tally, kid = _through(sealed, only_looks=False), sealed.kid
    if lost := tally.counts[UNREADABLE]:
        print(f"casemate: no key of {store.at} opens {counted(lost, 'secret')}: left as found", file=sys.stderr)
        return False
    print(f"✓ {tally.counts[kid]} secrets are under the key {kid} of {store.at}, {tally.renewed} of them since now")
    return True


@contextmanager
def _opened(store: SecretStore, database: Database) -> Iterator[Resealable]:
    backend = opened(store.kind, store.options, read_only=store.read_only, at=store.at, database=database)
    try:
        assert isinstance(backend, Resealable), "kinds that are sealed can be sealed anew"
        yield backend
    finally:
        backend.close()


def _through(sealed: Resealable, *, only_looks: bool) -> Tally:
    total = Tally()
    for tally in sealed.reseal(only_looks=only_looks):
        total += tally
    return total
