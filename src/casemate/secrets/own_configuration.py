"""The options of a store that a namespace brings, from the JSON of its record to what is kept of them, and back.

They are sealed as a whole with the server's encryption key. People see them with `******` in place of credentials, and
may give that back: it means the credential that was there before (spec/security 2.10).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final

from casemate.keys import KeyRefused, Keyring
from casemate.sealed import envelope, sealed_in
from casemate.secret import HIDDEN, Secret
from casemate.secrets.errors import InvalidOptions
from casemate.secrets.own_options import MAPS, plain
from casemate.settings import TELLTALE, covered
from casemate.store import StoredNamespace

NO_KEY: Final = "Unable to keep a `secretConfiguration` as encryption is not configured"
_ANYWHERE: Final = (*MAPS, "connect-timeout", "read-timeout")
"""Options that say nothing about where credentials go."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a record keeps of the options: sealed, and as people may see them."""

    sealed: Mapping[str, str]
    shown: Mapping[str, Any]


def unwrapped(kind: str, written: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options, which may stand below the name of their kind as they do in a configuration file."""
    key, inner = next(iter(written.items()), ("", None))
    return inner if len(written) == 1 and _kebab(key) == kind and isinstance(inner, Mapping) else written


def _kebab(key: str) -> str:
    return "".join(f"-{mark.lower()}" if mark.isupper() else mark for mark in str(key)).removeprefix("-")


def kept(written: Mapping[str, Any], form: object, keys: Keyring | None) -> Kept:
    """What is kept of options that were found good; `form` is what they were read to.

    Raises `InvalidOptions` without a key: nothing of it is ever kept in the clear.
    """
    if keys is None:
        raise InvalidOptions((NO_KEY,))
    return Kept(envelope(keys.seal(json.dumps(dict(written)))), shown(written, frozenset(_secret_names(form))))


def opened(record: StoredNamespace, keys: Keyring | None) -> Mapping[str, Any]:
    """The options of a record, in the clear. Raises `InvalidOptions` where no key opens them."""
    sealed = sealed_in(record.document.get("secretConfiguration"))
    if sealed is None:
        return {}
    if keys is None:
        raise InvalidOptions((NO_KEY,))
    try:
        found: Mapping[str, Any] = json.loads(keys.unseal(sealed))
    except KeyRefused as error:
        raise InvalidOptions((f"secretConfiguration does not open: {error}",)) from None
    return found


def shown(written: Mapping[str, Any], secret_names: frozenset[str]) -> dict[str, Any]:
    """The options with `******` for those that are credentials, by their form or by their names."""
    return {key: _shown(str(key), value, secret_names) for key, value in written.items()}


def _shown(key: str, value: object, secret_names: frozenset[str]) -> object:
    if isinstance(value, Mapping):
        return shown(value, secret_names)
    hidden = _kebab(key) in secret_names or TELLTALE.search(key) is not None
    if hidden and value is not None:
        return HIDDEN
    return covered(value) if isinstance(value, str) else value


def restored(written: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The options with what was there before in place of each `******`. Raises `InvalidOptions`.

    That is for those who change something else: a credential is not taken along to another address, or to a store that
    is trusted for less. Whoever changes such an option has to know the credential.
    """
    full = {key: _restored((str(key),), value, plain(before)) for key, value in written.items()}
    if full != dict(written):
        names = frozenset(_hidden_names(written))
        if _place(shown(full, names)) != _place(shown(before, names)):
            remedy = f"{HIDDEN} keeps a credential only while all but tags and timeouts stays as it was: write it again"
            raise InvalidOptions((f"secretConfiguration: {remedy}",))
    return full


def _restored(path: tuple[str, ...], value: object, before: object) -> object:
    name = next(iter(plain({path[-1]: None})))
    old = before.get(name) if isinstance(before, Mapping) else None
    if isinstance(value, Mapping):
        return {key: _restored((*path, str(key)), one, old) for key, one in value.items()}
    if value != HIDDEN:
        return value
    if old is None:
        said = ".".join(path)
        raise InvalidOptions((f"secretConfiguration.{said}: {HIDDEN} stands for a credential that is not there",))
    return old


def _place(written: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in plain(written).items() if key not in _ANYWHERE}


def _hidden_names(written: Mapping[str, Any]) -> Iterable[str]:
    for key, value in written.items():
        if isinstance(value, Mapping):
            yield from _hidden_names(value)
        elif value == HIDDEN:
            yield _kebab(str(key))


def _secret_names(form: object) -> Iterable[str]:
    """The names of the options of a form that are credentials."""
    if not is_dataclass(form):
        return
    for each in fields(form):
        value = getattr(form, each.name)
        if isinstance(value, Secret):
            yield each.name.replace("_", "-")
        else:
            yield from _secret_names(value)
