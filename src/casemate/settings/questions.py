"""What others ask of the settings: who may start threads, which variables flows see, what may be shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta

from casemate import documents, durations
from casemate.secret import Secret
from casemate.settings.exposure import TELLTALE
from casemate.settings.known import KNOWN
from casemate.settings.model import JavaSecurity, Said, Settings, Variables
from casemate.settings.placeholders import mapped
from casemate.settings.profiles import is_below
from casemate.settings.sources import Place, Written, sets_a_key

HIDDEN = "******"
_URL_PASSWORD = re.compile(r"(?<=://)[^/@\s]*@")
_NEVER = ("SECRET_", "CASEMATE_")
_OURS = "KESTRA_"


def thread_rule(rules: JavaSecurity, *names: str) -> str | None:
    """The key that forbids a task type to start threads and processes, or None where it may.

    `names` are its canonical name and its aliases: a prefix may name it by any of them. Forbidden wins over
    authorised; prefixes end at a dot (spec/isolation 1.3, rules 4 and 5).
    """
    if not rules.enabled:
        return None
    if _named(rules.forbidden_class_prefix, names):
        return "kestra.ee.java-security.forbidden-class-prefix"
    if rules.authorized_class_prefix and not _named(rules.authorized_class_prefix, names):
        return "kestra.ee.java-security.authorized-class-prefix"
    return None


def authorised(rules: JavaSecurity, *names: str) -> bool:
    """Does the operator say in words that this type may start threads?"""
    return rules.enabled and thread_rule(rules, *names) is None and _named(rules.authorized_class_prefix, names)


def _named(prefixes: Iterable[str], names: Iterable[str]) -> bool:
    return any(is_below(name, tuple(prefixes)) for name in names)


def envs(variables: Variables, environ: Mapping[str, str]) -> Mapping[str, str]:
    """What templates see as `envs`: the variables with the prefix, without it, in lower case (spec/security 8.6).

    Our own variables and secrets never are among them, whatever the prefix. The older prefix `KESTRA_` must be asked
    for in words, and shows neither configuration nor what is named like a secret.
    """
    prefix = variables.env_vars_prefix
    withheld = set(variables.redacted_env_vars)
    return {
        name[len(prefix) :].lower(): value
        for name, value in environ.items()
        if name.startswith(prefix) and name not in withheld and not _private(name, prefix)
    }


def _private(name: str, prefix: str) -> bool:
    if name.startswith(_NEVER):
        return True
    if not name.startswith(_OURS):
        return False
    return not prefix.startswith(_OURS) or sets_a_key(name, KNOWN) or TELLTALE.search(name) is not None


def redacted(settings: Settings) -> Mapping[str, object]:
    """The settings as plain values to show: secrets, and whatever is named like one, as `******`."""
    return {field.name: _shown(field.name, getattr(settings, field.name)) for field in fields(settings)}


def shown(values: Iterable[Written]) -> tuple[Said, ...]:
    """What someone set, by name, as it may be shown."""
    return tuple(
        Said(value.name, _shown_node(value), _where(value.place))
        for value in sorted(values, key=lambda value: value.name)
        if value.key is not None
    )


def _where(place: Place) -> str:
    return f"{place.file}:{place.mark.line}" if place.mark else place.file


def _shown_node(value: Written) -> object:
    hidden = value.key is not None and value.key.secret
    node = mapped(value.node, lambda leaf: replace(leaf, text=HIDDEN, value=HIDDEN)) if hidden else value.node
    return _shown(value.name.rpartition(".")[2], documents.plain(node))


def _shown(name: str, value: object) -> object:
    match value:
        case Secret():
            return HIDDEN
        case str():
            return HIDDEN if TELLTALE.search(name) else _URL_PASSWORD.sub(f"{HIDDEN}@", value)
        case timedelta():
            return durations.printed(value)
        case dict() if name == "options":
            # Of a store that is not ours, and its client: any of them may be what opens it.
            return dict.fromkeys(value, HIDDEN)
        case dict():
            return {key: _shown(str(key), inner) for key, inner in value.items()}
        case list() | tuple():
            return [_shown(name, inner) for inner in value]
        case frozenset():
            return sorted(value)
        case None | bool() | int() | float():
            return value
    assert is_dataclass(value)
    return {field.name: _shown(field.name, getattr(value, field.name)) for field in fields(value)}
