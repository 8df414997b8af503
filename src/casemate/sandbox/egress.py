"""Where a task may connect to and which names it may look up. Pure: values in, a verdict and its rule out.

Judged is the address a connection would really use: redirects and odd spellings of numbers are already behind us, and
all that an address may mean is judged. A name opens an address only where a resolver of ours said so to this very
sandbox, and never one that a range closes: whoever owns a name may let it point anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network

from casemate.destinations import Host, Network, Range, parsed
from casemate.sandbox.model import Egress
from casemate.sandbox.ranges import DEFAULTS, GUARDED, Address, meanings_of, within

PORTS = range(65536)


@dataclass(frozen=True, slots=True)
class Verdict:
    """May it be, and which rule says so. `host` is the name that opened it, if one did."""

    allowed: bool
    rule: str
    host: str = ""


@dataclass(frozen=True, slots=True)
class _RangeRule:
    network: Network
    port: int | None
    allows: bool
    text: str


@dataclass(frozen=True, slots=True)
class _NameRule:
    host: Host
    allows: bool
    text: str


@dataclass(frozen=True, slots=True)
class Rules:
    """The operator's entries, each kind with the narrowest first, and `deny` before `allow` of equal ones."""

    ranges: tuple[_RangeRule, ...]
    names: tuple[_NameRule, ...]


def _built_in(entries: tuple[tuple[str, str], ...]) -> tuple[_RangeRule, ...]:
    return tuple(_RangeRule(ip_network(text), None, False, f"default: {why} {text}") for text, why in entries)


DEFAULT_RULES = _built_in(DEFAULTS)
GUARDED_RULES = _built_in(GUARDED)
_PUBLIC = Verdict(True, "default: public address")
_NAME = Verdict(True, "default: public name")
_NOT_LISTED = Verdict(False, "not in the allow list")
_CLOSED = Verdict(False, "network is closed")


@lru_cache(maxsize=64)
def rules_of(egress: Egress) -> Rules:
    """The lists of an egress, in the order in which they decide. Raises `ValueError` for an entry that is none."""
    rules = [_rule(text, allows=False) for text in egress.deny] + [_rule(text, allows=True) for text in egress.allow]
    ranges = [rule for rule in rules if isinstance(rule, _RangeRule)]
    names = [rule for rule in rules if isinstance(rule, _NameRule)]
    return Rules(
        tuple(sorted(ranges, key=lambda rule: (-rule.network.prefixlen, rule.port is None))),
        tuple(sorted(names, key=lambda rule: (rule.host.below, -len(rule.host.name), rule.host.port is None))),
    )


def _rule(text: str, *, allows: bool) -> _RangeRule | _NameRule:
    named = f"{'allow' if allows else 'deny'} {text}"
    match parsed(text):
        case Range(network, port):
            return _RangeRule(network, port, allows, named)
        case Host() as host:
            return _NameRule(host, allows, named)


@lru_cache(maxsize=1024)
def permits(address: str, port: int, egress: Egress, names: tuple[str, ...] = ()) -> Verdict:
    """May a task connect to this numeric address and port? What is no address or no port is denied.

    `names` are those that our resolvers answered with this address. Of the operator's ranges the narrowest decides, and
    `deny` of equal ones; they go before the built-in rules, but one that allows only if it lies within theirs. A range
    that denies is not opened by a name. Raises `ValueError` for an `egress` whose entries are none.
    """
    if not egress.open:
        return _CLOSED
    if port not in PORTS:
        return Verdict(False, "not a port")
    try:
        meanings = meanings_of(address)
    except ValueError:
        return Verdict(False, "not an address")
    rules = rules_of(egress)
    named = _of_names(names, port, rules)
    verdicts = [_verdict(meaning, port, rules, named) for meaning in meanings]
    verdict = next((each for each in verdicts if not each.allowed), verdicts[0])
    return _NOT_LISTED if verdict is _PUBLIC and not egress.public else verdict


def may_look_up(name: str, egress: Egress) -> Verdict:
    """May a task ask for this lower-case name? Only if there is a port at which it may connect by the answer.

    A question is a message to whoever owns the name: with a closed list, one that no entry covers is never asked.
    """
    if not egress.open:
        return _CLOSED
    rules = rules_of(egress).names
    ports = {rule.host.port for rule in rules if rule.host.covers(name)}
    verdicts = [verdict for port in (None, *ports) if (verdict := _of_name(name, port, rules))]
    denied = next((verdict for verdict in verdicts if not verdict.allowed and verdict.rule), None)
    if allowed := next((verdict for verdict in verdicts if verdict.allowed), None):
        return allowed
    if not egress.public:
        return denied or _NOT_LISTED
    return denied if denied and _of_name(name, None, rules) else _NAME


def is_denied(name: str, egress: Egress) -> bool:
    """Is this lower-case name closed at every port by an entry? An answer that leads on to it is not passed on."""
    verdict = _of_name(name, None, rules_of(egress).names)
    return verdict is not None and not verdict.allowed


def _of_names(names: tuple[str, ...], port: int, rules: Rules) -> Verdict | None:
    """What the names of an address say about a port: one that is denied closes it, whatever the others say."""
    verdicts = [verdict for name in names if (verdict := _of_name(name, port, rules.names))]
    return next((verdict for verdict in verdicts if not verdict.allowed), verdicts[0] if verdicts else None)


def _of_name(name: str, port: int | None, rules: Iterable[_NameRule]) -> Verdict | None:
    """The narrowest entry that covers a name at a port; without a port only entries for all ports do."""
    for rule in rules:
        if rule.host.covers(name) and rule.host.port in (None, port):
            return Verdict(rule.allows, rule.text, name)
    return None


def _verdict(address: Address, port: int, rules: Rules, named: Verdict | None) -> Verdict:
    built_in = _first(address, port, GUARDED_RULES) or _first(address, port, DEFAULT_RULES)
    # A wide range was not written with every machine of the private network in mind.
    meant = [
        rule for rule in rules.ranges if built_in is None or not rule.allows or within(rule.network, built_in.network)
    ]
    chosen = _first(address, port, meant)
    if chosen and not chosen.allows:
        return _said(chosen)
    if named and not named.allowed:
        return named
    if decisive := chosen or built_in:
        return _said(decisive)
    return named or _PUBLIC


def _said(rule: _RangeRule) -> Verdict:
    return Verdict(rule.allows, rule.text)


def _first(address: Address, port: int, rules: Iterable[_RangeRule]) -> _RangeRule | None:
    return next((rule for rule in rules if rule.port in (None, port) and address in rule.network), None)
