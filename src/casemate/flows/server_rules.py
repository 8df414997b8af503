"""Plugin defaults of the server held against the types that it has (spec/isolation 3.2)."""

from __future__ import annotations

from collections.abc import Iterator

from casemate.catalog import Catalog, Kind
from casemate.flows.checks import strange_properties
from casemate.flows.grammar import grammar_of
from casemate.governance import FORCE_RUNNER, Add, Law, runner_of_scripts
from casemate.settings import Misconfiguration

_REMEDY = "Correct the entry or remove it"


def unfit_rules(catalog: Catalog) -> Iterator[tuple[Misconfiguration, bool]]:
    """What the configured rules say that no type here has, and whether that is fatal: for what is forced it is.

    A runner that is not there would refuse every script, at a place that tells nobody why.
    """
    name = runner_of_scripts(catalog.rules)
    yield from ((problem, True) for problem in (_runner(name, catalog) if name is not None else ()))
    for law in catalog.rules.configured:
        if isinstance(law.rule, Add) and law.policy != FORCE_RUNNER:
            yield from ((problem, law.rule.override) for problem in _default(law, law.rule, catalog))


def _runner(name: str, catalog: Catalog) -> Iterator[Misconfiguration]:
    found = catalog.find(name)
    if found is None or found.kind is not Kind.TASK_RUNNER:
        there = ", ".join(each.type for each in catalog.all() if each.kind is Kind.TASK_RUNNER)
        yield Misconfiguration(
            code="config.runner",
            message=f"there is no task runner '{name}'",
            path=FORCE_RUNNER,
            remedy=f"This installation has {there}",
        )


def _default(law: Law, rule: Add, catalog: Catalog) -> Iterator[Misconfiguration]:
    name = str(rule.where[0].value)
    faults = strange_properties(name, rule.values, grammar_of(catalog))
    if faults:
        message = f"Invalid plugin default configuration: {', '.join(faults)}"
        yield Misconfiguration(code="config.plugin-default", message=message, path=law.policy, remedy=_REMEDY)
