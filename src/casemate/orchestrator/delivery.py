"""What a worker gets beside its task: secrets that the task names, when it asks; rules for what is rendered there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, cast

from casemate.dispatch import Ask, Reply
from casemate.documents import Mark, Plain, node_of
from casemate.expressions import literal_secrets, names_its_secrets
from casemate.flows import TEMPLATED, Flow, Task
from casemate.governance import Law, Rulebook, declared

_SECRETS: Final = ("secret", "full_secret")


def unnamed(question: Ask, task: Task, *, recursive: bool) -> Reply | None:
    """The refusal of a question for a secret that the task does not name: a worker gets none that it need not have.

    A name that is worked out by a template cannot be known beforehand, nor what is rendered once more.
    """
    key = question.arguments.get("key")
    if question.function not in _SECRETS or not isinstance(key, str) or recursive or task.canonical == TEMPLATED:
        return None
    templates = [dict(task.properties), task.timeout, task.log_level]
    if key in literal_secrets(templates) or not names_its_secrets(templates):
        return None
    return Reply(error=f"The task '{task.id}' does not name the secret that its worker asked for.")


def laws_for(task: Task, flow: Flow, rules: Rulebook) -> tuple[Law, ...]:
    """Flows are governed before they are run; what a template writes down only whoever renders it can govern."""
    if task.canonical != TEMPLATED:
        return ()
    written = {"pluginDefaults": [dict(each) for each in flow.plugin_defaults]}
    own = declared(node_of(cast("Plain", written), Mark(1, 1)))
    return (*rules.laws(flow.tenant, flow.namespace), *own)


def refs_of(task: Task, flow: Flow) -> frozenset[str]:
    """The policies that reach by reference what a template writes down: those of its flow and of all it stands in."""
    if task.canonical != TEMPLATED:
        return frozenset()
    return flow.policy_refs.union(*(each.policy_refs for each in _down_to(task, flow.outermost_tasks())))


def _down_to(task: Task, tasks: Iterable[Task]) -> tuple[Task, ...]:
    """The task below all those that it stands in, the outermost first; nothing if it is not among these."""
    for each in tasks:
        if each.id == task.id:
            return (each,)
        if below := _down_to(task, each.children()):
            return (each, *below)
    return ()
