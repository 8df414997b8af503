"""Flow triggers: which executions start a flow, at once or several of them together (spec/engine 9.3)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any, Final

from casemate.flows import FLOW_TRIGGER, Condition, Flow, Trigger
from casemate.triggers.windows import Bounds, TimeWindow, bounds, read_window

_MULTIPLE: Final = "io.kestra.plugin.core.condition.MultipleCondition"


@dataclass(frozen=True, slots=True)
class Upstream:
    """An entry of `flows`."""

    written: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Where:
    """An entry of `where`."""

    written: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that has to be met."""

    asked: Condition | Upstream | Where

    @property
    def key(self) -> str:
        """All that it says: a window still counts what was met before the flow was saved anew."""
        return json.dumps(self.asked.written, sort_keys=True, separators=(",", ":"), default=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What has to be met within one window, by one execution or by several. `resets`: all of it again for the next."""

    id: str
    window: TimeWindow
    resets: bool
    wanted: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowTrigger:
    """A trigger with what an execution has to be in itself, and the groups it may add to."""

    trigger: Trigger
    states: frozenset[str]
    conditions: tuple[Condition, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """A window of a group, with what was met so far and the outputs of the executions that met it."""

    bounds: Bounds
    met: frozenset[str] = frozenset()
    outputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Does the trigger start its flow, with which outputs to see; and its windows by id, None where one is over."""

    fires: bool
    outputs: Mapping[str, Any]
    windows: Mapping[str, Window | None]


def flow_triggers(flow: Flow) -> tuple[FlowTrigger, ...]:
    """Those of a flow that are not disabled; none if the flow is."""
    triggers = () if flow.disabled or flow.deleted else flow.triggers
    return tuple(_flow_trigger(each) for each in triggers if each.canonical == FLOW_TRIGGER and not each.disabled)


def consider(
    trigger: FlowTrigger,
    met: Mapping[str, frozenset[str]],
    windows: Mapping[str, Window],
    outputs: Mapping[str, Any],
    now: datetime,
    zone: tzinfo,
) -> Outcome:
    """What becomes of a trigger by an execution for which its plain conditions hold.

    `met` are the keys of what this execution meets, by group; `windows` those that are kept, `outputs` its own.
    """
    after = {
        group.id: _with(group, met.get(group.id, frozenset()), windows, outputs, now, zone) for group in trigger.groups
    }
    complete = all(_is_complete(group, after[group.id]) for group in trigger.groups)
    fires = complete and (not any(group.wanted for group in trigger.groups) or any(met.values()))
    seen = {name: value for window in after.values() if window for name, value in window.outputs.items()} | dict(
        outputs
    )
    reset = frozenset(group.id for group in trigger.groups if fires and group.resets)
    kept = {name: None if name in reset else window for name, window in after.items()}
    changed = {name: window for name, window in kept.items() if window != windows.get(name)}
    return Outcome(fires=fires, outputs=seen, windows=changed)


def _with(
    group: Group,
    met: frozenset[str],
    windows: Mapping[str, Window],
    outputs: Mapping[str, Any],
    now: datetime,
    zone: tzinfo,
) -> Window | None:
    """The window that is open now; None if none is, or if nothing of it is met yet."""
    window = windows.get(group.id)
    if window is None or not window.bounds.hold(now):
        opened = bounds(group.window, now, zone)
        window = None if opened is None or not met else Window(opened)
    if window is None or not met:
        return window
    return replace(window, met=window.met | met, outputs={**window.outputs, **outputs})


def _is_complete(group: Group, window: Window | None) -> bool:
    met = frozenset[str]() if window is None else window.met
    return all(each.key in met for each in group.wanted)


def _flow_trigger(trigger: Trigger) -> FlowTrigger:
    states = trigger.properties.get("states")
    assert isinstance(states, list), "the flow was checked, and there is a default"
    plain = tuple(each for each in trigger.conditions if each.canonical != _MULTIPLE)
    groups = tuple(_multiple(each) for each in trigger.conditions if each.canonical == _MULTIPLE)
    return FlowTrigger(
        trigger=trigger, states=frozenset(states), conditions=plain, groups=(*groups, *_preconditions(trigger))
    )


def _multiple(condition: Condition) -> Group:
    said: Mapping[str, Any] = condition.properties
    older = {name: said.get(name) for name in ("window", "windowAdvance")}
    return Group(
        id=said["id"],
        window=read_window(said.get("timeWindow"), older),
        resets=said.get("resetOnSuccess") is not False,
        wanted=tuple(map(Wanted, condition.conditions)),
    )


def _preconditions(trigger: Trigger) -> Iterator[Group]:
    said: Any = trigger.properties.get("preconditions")
    if not said:
        return
    flows = (Wanted(Upstream(each)) for each in said.get("flows") or ())
    where = (Wanted(Where(each)) for each in said.get("where") or ())
    yield Group(
        id=said["id"],
        window=read_window(said.get("timeWindow")),
        resets=said.get("resetOnSuccess") is not False,
        wanted=(*flows, *where),
    )
