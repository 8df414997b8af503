"""`kestra.secret`: which store keeps the secrets. Its options are read where it is opened (spec/security 2.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final, cast

from casemate.documents import Plain
from casemate.settings.finding import Finding
from casemate.settings.model import SecretStore, Service

SECTION: Final = "kestra.secret"
ENVIRONMENT: Final = "env"
_DENIED: Final = f"{SECTION}.isolation.denied-services"
_ENABLED: Final = f"{SECTION}.isolation.enabled"
_ELASTICSEARCH: Final = "elasticsearch"
_CLUSTER: Final = {
    "client": "kestra.elasticsearch.client",
    "indice-prefix": "kestra.elasticsearch.defaults.indice-prefix",
}
_OURS: Final = frozenset(f"{SECTION}.{name}" for name in ("type", "encoding", "read-only"))
_CACHE: Final = f"{SECTION}.cache"
_POSITIVE: Final = (f"{SECTION}.cache.expire-after-write", "kestra.retries.max-delay")


def secret_store(said: Mapping[str, object], kind: str) -> SecretStore:
    """The store of a kind, with the options of its block."""
    at = f"{SECTION}.{kind}"
    written = said.get(at)
    options = dict(cast("Mapping[str, Plain]", written)) if isinstance(written, Mapping) else {}
    if kind == _ELASTICSEARCH:
        options = {**_cluster(said), **options}
    if kind == ENVIRONMENT and (encoding := said.get(f"{SECTION}.encoding")):
        options["encoding"] = str(encoding)
    return SecretStore(kind=kind, at=at, options=options, read_only=said.get(f"{SECTION}.read-only") is True)


def denied_services(said: Mapping[str, object]) -> frozenset[Service]:
    """The services that get no secrets; names that are none are `misfits`."""
    return frozenset(Service(name) for name in _named(said) if name in Service.__members__)


def misfits(said: Mapping[str, object]) -> Iterator[Finding]:
    """Blocks that hold no options, services that are none, times that are no waits."""
    for name in _blocks(said):
        if not isinstance(said[name], Mapping):
            yield Finding(code="config.section", keys=(name,), message="is a section and has keys of its own")
    for service in _named(said):
        if service not in Service.__members__:
            remedy = f"Choose from {', '.join(Service)}"
            yield Finding(keys=(_DENIED,), message=f"there is no service {service}", remedy=remedy)
    for key in _POSITIVE:
        if isinstance(time := said.get(key), timedelta) and time <= timedelta(0):
            yield Finding(keys=(key,), message="must be more than nothing")
    if isinstance(delay := said.get("kestra.retries.delay"), timedelta) and delay < timedelta(0):
        yield Finding(keys=("kestra.retries.delay",), message="must not be negative")


def without_effect(store: SecretStore, said: Mapping[str, object]) -> Iterator[Finding]:
    """What belongs to stores that are not used, and a list that nobody looks at."""
    for name in _blocks(said):
        if name != store.at:
            message = f"has no effect: {SECTION}.type is {store.kind}"
            yield Finding(code="config.no-effect", keys=(name,), message=message)
    if store.kind != _ELASTICSEARCH:
        yield from _unused_cluster(store, said)
    if f"{SECTION}.encoding" in said and store.kind != ENVIRONMENT:
        message = f"has no effect: {SECTION}.type is {store.kind}, and this is about environment variables"
        yield Finding(code="config.no-effect", keys=(f"{SECTION}.encoding",), message=message)
    for name in (f"{_CACHE}.maximum-size", f"{_CACHE}.expire-after-write"):
        if name in said and not said.get(f"{_CACHE}.enabled"):
            message = f"has no effect while {_CACHE}.enabled is false"
            yield Finding(code="config.no-effect", keys=(name,), message=message)
    if said.get(_DENIED) and not said.get(_ENABLED):
        yield Finding(code="config.no-effect", keys=(_DENIED,), message=f"has no effect while {_ENABLED} is false")


def _unused_cluster(store: SecretStore, said: Mapping[str, object]) -> Iterator[Finding]:
    message = f"has no effect: rows are kept in a database of their own, and {SECTION}.type is {store.kind}"
    return (Finding(code="config.no-effect", keys=(key,), message=message) for key in _CLUSTER.values() if key in said)


def _named(said: Mapping[str, object]) -> tuple[str, ...]:
    written = said.get(_DENIED)
    return tuple(str(name).upper().replace("-", "_") for name in written) if isinstance(written, tuple) else ()


def _cluster(said: Mapping[str, object]) -> dict[str, Plain]:
    """The cluster that Kestra keeps everything in, as options of the store that keeps secrets there."""
    return {option: cast("Plain", said[key]) for option, key in _CLUSTER.items() if key in said}


def _blocks(said: Mapping[str, object]) -> Iterator[str]:
    for name in sorted(said):
        if name.startswith(f"{SECTION}.") and name.count(".") == 2 and name not in _OURS:
            yield name
