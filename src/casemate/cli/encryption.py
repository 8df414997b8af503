"""`casemate encryption`: which keys the stored values are sealed with, and sealing them anew. No server may run."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter

from casemate.cli.configuration import default_state, settings_from
from casemate.cli.counted import counted
from casemate.cli.failures import FAILED, INVALID, told
from casemate.cli.logging import log_to_standard_error
from casemate.cli.sealed_secrets import count_secrets, is_sealed, reseal_secrets
from casemate.errors import CasemateError
from casemate.keys import UNREADABLE, WORN, Keyring, Rotation
from casemate.settings import SecretStore, keyring
from casemate.store import Database, StateInUse, Tx
from casemate.store.envelopes import PLACES, Key, Place, rewrite

Config = Annotated[tuple[Path, ...], Parameter(name=("-c", "--config"), negative=(), show_default=False)]


@dataclass(frozen=True, slots=True)
class Found:
    """How many sealed values there are by their keys, and how many are sealed anew."""

    counts: Counter[str] = field(default_factory=Counter)
    renewed: int = 0


@dataclass(frozen=True, slots=True)
class Keys:
    """What seals: the keys of values, and the store whose secrets have keys of their own."""

    values: Keyring | None
    secrets: SecretStore | None


Work: TypeAlias = Callable[[Database, Keys], int]
"""What is done, to its exit status."""


class _Impossible(CasemateError):
    """There is no key, or no database."""


def status(*, config: Config = (), state: Path | None = None) -> int:
    """Count the sealed values in the database, and the secrets that we seal, by the keys that open them.

    Parameters
    ----------
    config
        A `kestra:` configuration file. May be repeated; later files win key by key.
    state
        The state folder of the server; by default `casemate` in the user's state folder.
    """
    return _with_keys(_status, config, state)


def rotate(*, config: Config = (), state: Path | None = None) -> int:
    """Seal what is sealed with another key anew with the primary one, and secrets with that of their store.

    It may be stopped, and done again.

    Parameters
    ----------
    config
        A `kestra:` configuration file. May be repeated; later files win key by key.
    state
        The state folder of the server; by default `casemate` in the user's state folder.
    """
    return _with_keys(_rotate, config, state)


def _with_keys(work: Work, config: tuple[Path, ...], state: Path | None) -> int:
    log_to_standard_error("warning")
    try:
        keys = _keys(*config)
        with _opened(state or default_state()) as db:
            return work(db, keys)
    except StateInUse as error:
        print(f"casemate: {error}: stop the server first", file=sys.stderr)
        return FAILED
    except _Impossible as error:
        print(f"casemate: {error}", file=sys.stderr)
        return INVALID
    except CasemateError as error:
        return told(error, config[-1] if config else "environment")


@contextmanager
def _opened(state: Path) -> Iterator[Database]:
    file = state / "casemate.db"
    if not file.exists():
        raise _Impossible(f"there is no database in {state}")
    db = Database.open(f"sqlite:///{file}")
    try:
        yield db
    finally:
        db.close()


def _keys(*config: Path) -> Keys:
    settings = settings_from(*config)
    store = settings.secrets.store
    keys = Keys(keyring(settings.encryption), store if is_sealed(store) else None)
    if keys == Keys(None, None):
        raise _Impossible("no encryption key is configured: kestra.encryption.secret-key, or .keys")
    return keys


def _status(db: Database, keys: Keys) -> int:
    """Look at every place without changing it."""
    total: Counter[str] = Counter()
    if keys.values is not None:
        for place in PLACES:
            counts = asyncio.run(_through(db, place, keys.values, only_looks=True)).counts
            total += _told(place.name, counts)
    if keys.secrets is not None:
        total += _told(keys.secrets.at, count_secrets(keys.secrets, db))
    _told("all", total)
    for key in worn(total):
        print(f"casemate: the key {key} has sealed so much that it should be changed (SP 800-38D)", file=sys.stderr)
    if not total:
        print("nothing is encrypted", file=sys.stderr)
    return FAILED if total[UNREADABLE] else 0


def _told(where: str, counts: Counter[str]) -> Counter[str]:
    for key, number in sorted(counts.items()):
        print(f"{where}  {_named(key)}  {number}")
    return counts


def _rotate(db: Database, keys: Keys) -> int:
    """Seal place after place anew; each batch of rows is one transaction."""
    done = [asyncio.run(_rotate_values(db, keys.values))] if keys.values is not None else []
    if keys.secrets is not None:
        done.append(reseal_secrets(keys.secrets, db))
    return 0 if all(done) else FAILED


async def _rotate_values(db: Database, keys: Keyring) -> bool:
    total, renewed = Counter[str](), 0
    for place in PLACES:
        found = await _through(db, place, keys, only_looks=False)
        if found.renewed:
            print(f"{place.name}: {found.renewed} sealed anew", flush=True)
        total, renewed = total + found.counts, renewed + found.renewed
    if lost := total[UNREADABLE]:
        print(f"casemate: no configured key opens {counted(lost, 'value')}: left as found", file=sys.stderr)
        return False
    print(f"✓ {total[keys.primary]} values are under the key {keys.primary}, {renewed} of them since now")
    return True


async def _through(db: Database, place: Place, keys: Keyring, *, only_looks: bool) -> Found:
    """All rows of a place, batch by batch."""
    found, after = Found(), None
    while True:
        after, batch = await db.transact(_batch, place, after, keys, only_looks)
        found = Found(found.counts + batch.counts, found.renewed + batch.renewed)
        if after is None:
            return found


def _batch(tx: Tx, place: Place, after: Key | None, keys: Keyring, only_looks: bool) -> tuple[Key | None, Found]:
    # Counted within the transaction, which may be run more than once.
    rotation = Rotation(keys, only_looks=only_looks)
    last = rewrite(tx, place, after, partial(rotation.text, bare=place.bare))
    if place.made_up:
        del rotation.counts[UNREADABLE]
    return last, Found(rotation.counts, rotation.renewed)


def worn(counts: Mapping[str, int]) -> list[str]:
    """The keys that should not seal many more values."""
    return sorted(key for key, number in counts.items() if key != UNREADABLE and number >= WORN)


def _named(key: str) -> str:
    return "(no configured key)" if key == UNREADABLE else key
