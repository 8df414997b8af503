"""What a Flow trigger makes of one execution: do its conditions hold, and which execution does it start?"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, assert_never, cast

import structlog

from casemate.errors import Refused
from casemate.executions import (
    CORRELATION,
    Context,
    Execution,
    Grounds,
    WrongChoice,
    all_hold,
    comes_from,
    passes,
    sealed_inputs,
    start,
    variables_of,
)
from casemate.expressions import ExpressionError, NeedsWorld, as_json
from casemate.flows import Condition, Flow, Label
from casemate.identifiers import ExecutionId
from casemate.jobs import LogLine
from casemate.orchestrator import entries, weighing
from casemate.orchestrator.starting import Filling, rendered_labels
from casemate.orchestrator.step import Surroundings
from casemate.orchestrator.world import ServiceWorld
from casemate.store import LogEntry
from casemate.triggers import FlowTrigger, Upstream, Wanted, Where

log = structlog.get_logger()

NeedsRendering = NeedsWorld
"""What `at_once` raises."""

_BRACE: Final = "{"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A trigger of a flow whose plain conditions hold, and what of its groups the execution meets, by their ids."""

    flow: Flow
    trigger: FlowTrigger
    met: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A trigger can't start its flow, because its inputs can't be made."""

    heard: Heard
    reason: str

    def entries(self, now: datetime) -> Iterator[LogEntry]:
        """What the log of the flow says about it, in Kestra's words first."""
        flow, trigger = self.heard.flow, self.heard.trigger.trigger
        told = f"Failed to trigger flow {flow.namespace}.{flow.id} for trigger {trigger.id}, invalid inputs"
        lines = (LogLine(at=now, level="WARN", message=message) for message in (told, self.reason))
        return entries.of_trigger((flow.tenant, flow.namespace, flow.id, trigger.id), lines)


def at_once(flow: Flow, trigger: FlowTrigger, source: Execution) -> Heard | None:
    """The same as `heard` where no template decides: most triggers are told so, and cost nothing.

    Raises `NeedsRendering`.
    """

    def plain(_key: str, template: object, _more: Mapping[str, object]) -> object:
        if not isinstance(template, str) or _BRACE in template:
            raise NeedsRendering("render")
        return template

    return _heard(flow, trigger, Grounds(render=plain, execution=source, flow=flow), lambda _: None)


def heard(flow: Flow, trigger: FlowTrigger, source: Execution, context: Context, world: ServiceWorld) -> Heard | None:
    """What the trigger has heard, None if one of its plain conditions does not hold. An error makes one fail."""
    fill = Filling(_seen(flow, source, context), world)

    def warn(text: str) -> None:
        log.warning("condition.failed", flow=flow.id, trigger=trigger.trigger.id, reason=fill.covered(text))

    grounds = Grounds(render=lambda _, *args: fill(*args), execution=source, flow=flow, zone=context.zone)
    return _heard(flow, trigger, grounds, warn)


def born(
    heard: Heard,
    source: Execution,
    outputs: Mapping[str, object],
    context: Context,
    around: Surroundings,
    world: ServiceWorld,
) -> Execution | Refusal:
    """The execution that the trigger starts; its inputs are as they were rendered (spec/engine 9.2)."""
    variables = _variables(source, outputs)
    fill = Filling(_seen(heard.flow, source, context, trigger=variables), world)
    try:
        inputs = as_json(fill(heard.trigger.trigger.properties.get("inputs") or {}, {}))
        assert isinstance(inputs, Mapping), "a map is rendered to a map"
        # What is rendered for a SECRET input is clear by now, and must not be stored so.
        inputs = sealed_inputs(heard.flow, inputs, context.seal)
        labels = rendered_labels(heard.trigger.trigger, fill)
        new = _new(heard, source, inputs, variables, labels, around)
        weighing.check(new, around.rules.message_bytes)
    except (ExpressionError, WrongChoice, Refused) as error:
        return Refusal(heard=heard, reason=fill.covered(str(error)))
    return new


def _new(
    heard: Heard,
    source: Execution,
    inputs: Mapping[str, object],
    variables: Mapping[str, object],
    labels: tuple[Label, ...],
    around: Surroundings,
) -> Execution:
    trigger = heard.trigger.trigger
    correlation = (label for label in source.labels if label.key == CORRELATION)
    return start(
        heard.flow,
        id=ExecutionId(around.new_id()),
        now=around.now,
        inputs=inputs,
        labels=(*labels, *correlation),
        trigger={"id": trigger.id, "type": trigger.type, "variables": variables},
    )


def _heard(flow: Flow, trigger: FlowTrigger, grounds: Grounds, say: Callable[[str], None]) -> Heard | None:
    if not all_hold(grounds, "conditions", trigger.conditions, say):
        return None
    met = {
        group.id: frozenset(wanted.key for wanted in group.wanted if _met(wanted, grounds, say))
        for group in trigger.groups
    }
    return Heard(flow=flow, trigger=trigger, met=met)


def _met(wanted: Wanted, grounds: Grounds, say: Callable[[str], None]) -> bool:
    match wanted.asked:
        case Condition():
            return all_hold(grounds, wanted.key, [wanted.asked], say)
        case Upstream():
            assert grounds.execution is not None, "an execution was heard of"
            return comes_from(grounds.execution, wanted.asked.written)
        case Where():
            return passes(grounds, wanted.key, wanted.asked.written, say)
        case _:
            assert_never(wanted.asked)


def _seen(flow: Flow, source: Execution, context: Context, **more: object) -> Mapping[str, object]:
    """The variables of the source, but for `flow` and `vars`, which are those of the flow that has the trigger.

    What is sealed in the source stays so: whoever writes a trigger need not be let into other people's secrets.
    """
    # Its inputs are those of another flow: the types that this one has for its own do not apply.
    blind = replace(context, seal=None, unseal=None)
    place = {"id": flow.id, "namespace": flow.namespace, "revision": flow.revision, "tenantId": flow.tenant}
    below = variables_of(replace(flow, inputs=()), source, None, blind)
    # Nothing is looked up before a template asks for it: the other execution may have thousands of task runs.
    return ChainMap({"flow": place, **more}, cast("dict[str, object]", below))  # it is only ever read


def _variables(source: Execution, outputs: Mapping[str, object]) -> dict[str, object]:
    told: dict[str, object] = {
        "executionId": source.id,
        "executionLabels": _nested(label for label in source.labels if label.key != CORRELATION),
        "namespace": source.namespace,
        "flowId": source.flow_id,
        "flowRevision": source.flow_revision,
        "state": source.state.value,
    }
    return {**told, "outputs": dict(outputs)} if outputs else told


def _nested(labels: Iterable[Label]) -> dict[str, object]:
    """Labels as a tree: the points in their keys lead down. Where a value stands in the way of others, they win."""
    tree: dict[str, object] = {}
    for label in labels:
        *way, last = label.key.split(".")
        node = tree
        for step in way:
            below = node.get(step)
            node[step] = node = below if isinstance(below, dict) else {}
        node.setdefault(last, label.value)
    return tree
