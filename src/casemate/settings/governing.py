"""What the configuration says of plugins and flows: plugin defaults, policies, the runner of all scripts.

Sources: spec/isolation 3.1, 3.2, 4.3. What is malformed stops the start: a rule that nobody reads would protect nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, cast

from casemate.documents import Mark, Plain, node_of
from casemate.errors import Problem
from casemate.governance import (
    FORCE_RUNNER,
    Placed,
    Policy,
    Rulebook,
    Scope,
    configured,
    forced_runner,
    misplaced,
    read_policy,
)
from casemate.settings.finding import Finding

DEFAULTS: Final = "kestra.plugins.defaults"
OLD_DEFAULTS: Final = "kestra.tasks.defaults"
POLICIES: Final = "kestra.policies"

_DEPRECATED: Final = (
    "Global Task Defaults are deprecated, please use Global Plugin Defaults instead "
    f"via the '{DEFAULTS}' configuration property."
)
_PARTS: Final = ("type", "values", "forced", "ref")
_FORM: Final = "must be a list of entries, each with a type, values and perhaps forced: true"
_REMEDY: Final = "Correct the entry or remove it: the server does not start with a rule that it cannot apply"
_NOWHERE: Final = Mark(1, 1)


def rulebook(said: Mapping[str, object]) -> Rulebook:
    """The rules that the values of the configuration say; those that are malformed are left to `misfits`."""
    runner = said.get(FORCE_RUNNER)
    return Rulebook(
        placed=tuple(
            Placed(policy=policy, scope=Scope.STATIC) for _, policy in _policies(said) if isinstance(policy, Policy)
        ),
        configured=(
            *(forced_runner(runner) if isinstance(runner, str) else ()),
            *configured(OLD_DEFAULTS, _list(said, OLD_DEFAULTS)),
            *configured(DEFAULTS, _list(said, DEFAULTS)),
        ),
    )


def misfits(said: Mapping[str, object]) -> Iterator[Finding]:
    """Entries that are no plugin defaults, and policies that are none, each with its index."""
    for name in (OLD_DEFAULTS, DEFAULTS):
        if not isinstance(said.get(name, []), list):
            yield Finding(code="config.type", keys=(name,), message=_FORM)
        for index, entry in enumerate(_list(said, name)):
            if faults := list(_faults(entry)):
                message = f"entry [{index}]: Invalid Plugin Default: {', '.join(faults)}"
                yield Finding(code="config.plugin-default", keys=(name,), message=message, remedy=_REMEDY)
    yield from _policy_misfits(said)


def oddities(said: Mapping[str, object]) -> Iterator[Finding]:
    """What is applied, and deserves a word."""
    if said.get(OLD_DEFAULTS):
        yield Finding(code="config.deprecated", keys=(OLD_DEFAULTS,), message=_DEPRECATED)


def _list(said: Mapping[str, object], name: str) -> list[Plain]:
    entries = said.get(name)
    return entries if isinstance(entries, list) else []


def _faults(entry: Plain) -> Iterator[str]:
    """What is wrong with a plugin default, in Kestra's words where it has some (spec/isolation 3.2)."""
    if not isinstance(entry, dict):
        yield "it is no map with type and values"
        return
    values, forced = entry.get("values"), entry.get("forced", False)
    # A mistyped `forced` must not turn an operator's rule into a suggestion.
    yield from (f"'{name}' is not known, there are {', '.join(_PARTS)}" for name in entry if name not in _PARTS)
    if not isinstance(values, dict) or not values:
        yield "No 'values' provided"
    if not isinstance(entry.get("type"), str) or not entry["type"]:
        yield "No 'type' provided"
    if not isinstance(forced, bool):
        yield "'forced' must be true or false"
    if not isinstance(entry.get("ref", ""), str):
        yield "'ref' must be a text"
    if isinstance(values, dict) and forced is not True:
        yield from (f"No value provided for key '{name}'" for name, value in values.items() if value is None)


def _policies(said: Mapping[str, object]) -> list[tuple[str, Policy | tuple[Problem, ...]]]:
    """Every policy with its place in the list or in the map, or what is wrong with it."""
    given = said.get(POLICIES)
    if isinstance(given, dict):
        return [(f".{name}", _policy(entry, name)) for name, entry in given.items()]
    return [(f"[{index}]", _policy(entry)) for index, entry in enumerate(given if isinstance(given, list) else ())]


def _policy(entry: object, name: str | None = None) -> Policy | tuple[Problem, ...]:
    """In a map the key is the id."""
    if name is not None and isinstance(entry, dict):
        if entry.get("id", name) != name:
            return (Problem(code="policy-unfit", message=f"it is named {name} and {entry['id']}", path="id"),)
        entry = {"id": name, **entry}
    found = read_policy(node_of(cast("Plain", entry), _NOWHERE))
    if isinstance(found, tuple):
        return found
    wrong = misplaced(found, Scope.STATIC)
    return (Problem(code="policy-unfit", message=wrong, path="target"),) if wrong else found


def _policy_misfits(said: Mapping[str, object]) -> Iterator[Finding]:
    if not isinstance(said.get(POLICIES, []), list | dict):
        message = "must be a list of policies, or a map of policies by their ids"
        yield Finding(code="config.type", keys=(POLICIES,), message=message)
    found = _policies(said)
    for place, problems in found:
        for problem in problems if isinstance(problems, tuple) else ():
            path = f"{place}.{problem.path}" if problem.path else place
            message = f"policy {path.removeprefix('.')}: {problem.message}"
            yield Finding(code="config.policy", keys=(POLICIES,), message=message, remedy=_REMEDY)
    names = Counter(policy.id for _, policy in found if isinstance(policy, Policy))
    for name in (name for name, count in names.items() if count > 1):
        message = f"policy {name} is there more than once"
        yield Finding(code="config.policy", keys=(POLICIES,), message=message, remedy="Keep one of them")
