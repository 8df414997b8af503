"""`kestra.secret`: which store keeps the secrets. Its options are read where it is opened (spec/security 2.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, cast

from casemate.documents import Plain
from casemate.settings.finding import Finding
from casemate.settings.model import SecretStore

SECTION: Final = "kestra.secret"
ENVIRONMENT: Final = "env"
_OURS: Final = frozenset(f"{SECTION}.{name}" for name in ("type", "encoding", "read-only"))


def secret_store(said: Mapping[str, object], kind: str) -> SecretStore:
    """The store of a kind, with the options of its block."""
    at = f"{SECTION}.{kind}"
    written = said.get(at)
    options = dict(cast("Mapping[str, Plain]", written)) if isinstance(written, Mapping) else {}
    if kind == ENVIRONMENT and (encoding := said.get(f"{SECTION}.encoding")):
        options["encoding"] = str(encoding)
    return SecretStore(kind=kind, at=at, options=options, read_only=said.get(f"{SECTION}.read-only") is True)


def misfits(said: Mapping[str, object]) -> Iterator[Finding]:
    """Blocks that hold no options."""
    for name in _blocks(said):
        if not isinstance(said[name], Mapping):
            yield Finding(code="config.section", keys=(name,), message="is a section and has keys of its own")


def without_effect(store: SecretStore, said: Mapping[str, object]) -> Iterator[Finding]:
    """What belongs to stores that are not used."""
    for name in _blocks(said):
        if name != store.at:
            message = f"has no effect: {SECTION}.type is {store.kind}"
            yield Finding(code="config.no-effect", keys=(name,), message=message)
    if f"{SECTION}.encoding" in said and store.kind != ENVIRONMENT:
        message = f"has no effect: {SECTION}.type is {store.kind}, and this is about environment variables"
        yield Finding(code="config.no-effect", keys=(f"{SECTION}.encoding",), message=message)


def _blocks(said: Mapping[str, object]) -> Iterator[str]:
    for name in sorted(said):
        if name.startswith(f"{SECTION}.") and name.count(".") == 2 and name not in _OURS:
            yield name
