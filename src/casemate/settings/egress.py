"""What the lists of destinations must not say at once, and what in them probably is not what was meant. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from urllib.parse import unquote, urlsplit

from casemate.destinations import Host, NotADestination, Range, parsed
from casemate.secret import Secret
from casemate.settings.finding import Finding
from casemate.settings.model import EgressRules

_SECTION = "casemate.isolation.egress"
_ALLOW, _DENY = f"{_SECTION}.allow", f"{_SECTION}.deny"
_PROXY, _PROXY_EXAMPLE = f"{_SECTION}.proxy", "Write http://[user:password@]host:port"
_OPEN, _PUBLIC = f"{_SECTION}.open", f"{_SECTION}.public"
_EVERYTHING = tuple(Range(ip_network(text), None) for text in ("0.0.0.0/0", "::/0"))


@dataclass(frozen=True, slots=True)
class ProxyPlace:
    """An HTTP proxy; `credentials` are `user:password`."""

    host: str
    port: int
    credentials: Secret | None


def proxy_of(url: Secret) -> ProxyPlace:
    """What the URL of a proxy says. Raises `NotADestination`, whose words do not tell the URL."""
    try:
        parts = urlsplit(url.reveal())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise NotADestination("is no URL of a proxy", _PROXY_EXAMPLE) from error
    if parts.scheme != "http" or not host or not port or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise NotADestination("is no URL of an HTTP proxy with its port", _PROXY_EXAMPLE)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return ProxyPlace(host, port, Secret(f"{user}:{password}") if user or password else None)


def contradicting(egress: EgressRules) -> Iterator[Finding]:
    """Entries that are none, and entries that contradict each other."""
    try:
        if egress.proxy:
            proxy_of(egress.proxy)
    except NotADestination as error:
        yield Finding(code="config.type", keys=(_PROXY,), message=str(error), remedy=error.remedy)
    for key, entries in ((_ALLOW, egress.allow), (_DENY, egress.deny)):
        for text in entries:
            try:
                parsed(text)
            except NotADestination as error:
                yield Finding(code="config.type", keys=(key,), message=f"cannot be used: {error}", remedy=error.remedy)
    allowed, denied = _read(egress.allow), _read(egress.deny)
    for entry in denied:
        if entry in allowed:
            yield Finding(keys=(_ALLOW, _DENY), message=f"{allowed[entry]} is both allowed and denied")
    for entry in _EVERYTHING:
        if entry in denied and any(isinstance(each, Host) for each in allowed):
            message = f"{denied[entry]} is denied, so that no allowed name can lead anywhere"
            yield Finding(keys=(_DENY,), message=message, remedy=f"Write {_PUBLIC}: false instead of that entry")


def odd(egress: EgressRules) -> Iterator[Finding]:
    """Keys without effect."""
    if not egress.open:
        yield from _ignored(egress)
        return
    if not egress.public and not egress.allow:
        message = f"leaves tasks nowhere to connect to, as {_ALLOW} is empty"
        yield Finding(code="config.no-effect", keys=(_PUBLIC,), message=message, remedy="List what tasks may reach")
    if egress.public and not any(isinstance(entry, Host) for entry in _read(egress.deny)):
        for entry, text in _read(egress.allow).items():
            if isinstance(entry, Host):
                message = f"{text} has no effect while {_PUBLIC} is true, as names never open private addresses"
                yield Finding(code="config.no-effect", keys=(_ALLOW,), message=message)


def _ignored(egress: EgressRules) -> Iterator[Finding]:
    keys = {_ALLOW: egress.allow, _DENY: egress.deny, _PUBLIC: not egress.public, _PROXY: egress.proxy}
    if said := tuple(key for key, value in keys.items() if value):
        yield Finding(code="config.no-effect", keys=said, message=f"has no effect while {_OPEN} is false")


def _read(entries: tuple[str, ...]) -> dict[Range | Host, str]:
    """Each entry that is one, with how it was written."""
    found = {}
    for text in entries:
        try:
            found[parsed(text)] = text
        except NotADestination:
            continue
    return found
