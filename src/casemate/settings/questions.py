"""What others ask of the settings: who may start threads, which variables flows see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from casemate.settings.known import KNOWN
from casemate.settings.model import JavaSecurity, Variables
from casemate.settings.profiles import is_below
from casemate.settings.sources import sets_a_key
from casemate.settings.telltale import NAMED

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
    return not prefix.startswith(_OURS) or sets_a_key(name, KNOWN) or NAMED.search(name) is not None
