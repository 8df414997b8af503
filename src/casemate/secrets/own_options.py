"""What the store that a namespace brings may be, as the operator has it: fail closed.

Whoever may change a namespace is not whoever runs the server. So its store gets none of the server's credentials and
files, and connects to nothing that the operator did not name: a name could lead to any address, also to the metadata
service of the machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, Final

from pydantic.alias_generators import to_camel

from casemate.destinations import Host, Range, parsed
from casemate.settings import OwnStores

_SECTION: Final = "casemate.secret.namespaces"
GRANTED: Final[Mapping[str, str]] = {
    "ambient": "ambient",
    "managed-identity-client-id": "ambient",
    "managed-identity-resource-id": "ambient",
    "workload-identity-client-id": "ambient",
    "kubernetes": "ambient",
    "ca-cert": "files",
    "client-cert": "files",
    "client-key": "files",
    "token-file": "files",
    "allow-insecure": "insecure",
    "server-name": "insecure",
    "sslmode": "insecure",
    "sslrootcert": "files",
    "trust-all-ssl": "insecure",
    "verify": "insecure",
}
"""Options by the grant that they need."""
PLACES: Final = frozenset(
    (
        *("address", "authority-host", "endpoint", "endpoint-override", "http-hosts", "key-vault-uri"),
        *("sts-endpoint-override", "url"),
    )
)
"""Options that say where a store is."""
MAPS: Final = frozenset(("tags", "filter-on-tags", "excluded-tags"))
"""Options whose keys are people's own."""
FREE: Final = frozenset(
    (
        *("access-key-id", "secret-key-id", "session-token", "region", "prefix", "kms-key-id", "keep-prefix"),
        *("sts-role-arn", "sts-role-external-id", "sts-role-session-name", "sts-role-session-duration"),
        *("vault-name", "client-secret", "tenant-id", "client-id", "additionally-allowed-tenants"),
        *("project", "service-account", "secret", "client", "basic-auth", "username", "password", "indice-prefix"),
        *("token", "user", "path", "app-role", "role-id", "secret-id", "role", "namespace", "engine-version"),
        *("root-engine", "secret-path-prefix", "read-only", "tls", "filter-on-prefix", "schema", "former-secrets"),
        *("connect-timeout", "read-timeout"),
    )
)
"""Options that reach nothing of the server's. An option that stands in none of these lists is refused."""
_SPELLINGS: Final = {
    spelling: name
    for name in (*GRANTED, *PLACES, *MAPS, *FREE)
    for spelling in (name, to_camel(name.replace("-", "_")))
}
_PLACE: Final = re.compile(
    r"(?P<scheme>https?://|(?:jdbc:)?postgres(?:ql)?://)?"
    r"(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?:/[A-Za-z0-9/._-]*)?",
    re.ASCII,
)
"""As simple as addresses are: what two readers could take for two different hosts is none."""
_PORTS: Final = {"http://": 80, "https://": 443}
_POSTGRES: Final = 5432


def plain(written: Mapping[str, Any]) -> dict[str, Any]:
    """The same options, their names with hyphens."""
    found: dict[str, Any] = {}
    for key, value in written.items():
        name = _SPELLINGS.get(str(key), str(key))
        found[name] = plain(value) if isinstance(value, Mapping) and name not in MAPS else value
    return found


def faults(kind: str, written: Mapping[str, Any], own: OwnStores, at: str) -> Iterator[str]:
    """Why a namespace may not have this store; nothing if it may. No value is quoted but hosts."""
    if kind not in own.types:
        yield f"{at}: stores of type {kind} are not for namespaces here; there are {', '.join(own.types) or 'none'}"
        return
    yield from _faults(written, own, at)


def _faults(written: Mapping[str, Any], own: OwnStores, at: str) -> Iterator[str]:
    for key, value in written.items():
        name, place = _SPELLINGS.get(str(key)), f"{at}.{str(key)[:100]}"
        if name is None:
            yield f"{place}: is no option of a namespace's store"
        elif name in GRANTED and GRANTED[name] not in own.grants:
            yield f"{place}: is not for namespaces, unless the operator puts {GRANTED[name]} in {_SECTION}.grants"
        elif name in PLACES:
            yield from (f"{place}: {fault}" for one in _several(value) if (fault := _place_fault(one, own)))
        elif isinstance(value, Mapping) and name not in MAPS:
            yield from _faults(value, own, place)


def _several(value: object) -> tuple[object, ...]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(value)
    return tuple(part.strip(" ") for part in value.split(",")) if isinstance(value, str) else (value,)


def _place_fault(written: object, own: OwnStores) -> str | None:
    found = _PLACE.fullmatch(written) if isinstance(written, str) else None
    if found is None:
        return "is no plain address such as https://store.example:8443"
    host = found["host"].strip("[]")
    port = int(found["port"] or _PORTS.get(found["scheme"] or "https://", _POSTGRES))
    if any(_opens(parsed(entry), host, port) for entry in own.hosts):
        return None
    return f"{host} is not among the hosts that the operator opens to stores of namespaces ({_SECTION}.hosts)"


def _opens(entry: Range | Host, host: str, port: int) -> bool:
    if entry.port not in (None, port):
        return False
    try:
        address = ip_address(host)
    except ValueError:
        return isinstance(entry, Host) and entry.covers(host.lower().removesuffix("."))
    address = getattr(address, "ipv4_mapped", None) or address
    return isinstance(entry, Range) and address.version == entry.network.version and address in entry.network
