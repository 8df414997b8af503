"""The task runner that all code must run in, whatever the type of the task that brings it (spec/isolation 3.7)."""

from __future__ import annotations

from typing import Final

from casemate.governance.laws import Law, Rulebook
from casemate.governance.legacy import RUNNER
from casemate.governance.model import Add, Deny, Rule, Where
from casemate.governance.words import Operator, Scope, Target

FORCE_RUNNER: Final = "casemate.isolation.scripts.force-runner"
"""The key of the configuration that names it."""

_OUTERMOST: Final = -1
"""Before every policy and every forced default: none of them may put another runner in its place."""


def forced_runner(name: str) -> tuple[Law, ...]:
    """The rules that put this runner into every plugin that runs code, and refuse those that have no place for one.

    They look at what the manifest says a type can do: nobody has to list the types (spec/isolation 17 W4).
    """
    runs_code = Where(field="manifest.capabilities", operator=Operator.CONTAINS, value="runs-code")
    no_place = Where(field="manifest.properties", operator=Operator.NOT_EQUAL_TO, value=RUNNER)
    message = f"It runs code and cannot be given a task runner, and {FORCE_RUNNER} asks for {name}."
    rules: tuple[Rule, ...] = (
        Add(on=Target.PLUGIN, where=(runs_code,), values={RUNNER: {"type": name}}, override=True),
        Deny(on=Target.PLUGIN, where=(runs_code, no_place), error_message=message),
    )
    return tuple(
        Law(rule=rule, policy=FORCE_RUNNER, number=number, scope=Scope.STATIC, depth=_OUTERMOST)
        for number, rule in enumerate(rules, 1)
    )


def runner_of_scripts(rules: Rulebook) -> str | None:
    """The runner that these rules put into everything that runs code, if they do."""
    for law in rules.configured:
        if law.policy == FORCE_RUNNER and isinstance(law.rule, Add):
            return str(law.rule.values[RUNNER]["type"])
    return None
