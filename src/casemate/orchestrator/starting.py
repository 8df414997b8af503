"""The execution that a trigger starts: made here, written by whoever decides that it happens (spec/engine 9.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias, TypeVar

import structlog

from casemate.errors import Problem, Refused
from casemate.executions import (
    Context,
    Execution,
    Grounds,
    Inputs,
    ResolvedInput,
    all_hold,
    noting,
    resolve_each,
    resolve_inputs,
    start,
    variables_of,
)
from casemate.expressions import ExpressionError, as_json, printed, render
from casemate.flows import Flow, Input, Label, Trigger
from casemate.identifiers import ExecutionId
from casemate.masking import Mask
from casemate.orchestrator import weighing
from casemate.orchestrator.answering import Worlds, budget
from casemate.orchestrator.step import Surroundings
from casemate.orchestrator.world import ServiceWorld, whose_execution, whose_flow
from casemate.sealed import Sealed, as_input

log = structlog.get_logger()

T = TypeVar("T")

Fill: TypeAlias = Callable[[object, Mapping[str, object]], object]
"""Renders a template with the variables at hand and more. Raises `ExpressionError`."""


@dataclass(frozen=True, slots=True)
class Filling:
    """A `Fill` whose world knows in its mask what the templates were shown and nobody else may see."""

    seen: Mapping[str, object]
    world: ServiceWorld

    def __call__(self, template: object, more: Mapping[str, object]) -> object:
        """See `Fill`."""
        try:
            return render(template, {**self.seen, **more} if more else self.seen, self.world, budget=budget())
        except ExpressionError as error:
            raise ExpressionError(self.covered(str(error))) from None

    def covered(self, text: str) -> str:
        """A text without what templates were shown."""
        return self.world.mask.cover(text)


class Starting:
    """Makes them."""

    def __init__(self, worlds: Worlds, context: Context, around: Callable[[], Surroundings]) -> None:
        self._worlds = worlds
        self._context = context
        self._around = around

    async def inputs(
        self,
        flow: Flow,
        submitted: Mapping[str, object],
        keep: Callable[[Sealed], object] = as_input,
        opened: Mask | None = None,
    ) -> Mapping[str, object]:
        """The inputs of a new execution, SECRET ones in the form that `keep` gives them.

        Raises `Refused` with every problem of what was submitted; what `opened` knows is covered in these.
        """
        if not flow.inputs:
            return {}
        mask = Mask() if opened is None else opened

        def resolved(world: ServiceWorld) -> Inputs | tuple[Problem, ...]:
            return resolve_inputs(flow, submitted, replace(world, mask=mask), seal=self._context.seal, keep=keep)

        inputs = await self._worlds.within(whose_flow(flow), resolved)
        if isinstance(inputs, tuple):
            raise Refused([replace(problem, message=mask.cover(problem.message)) for problem in inputs])
        return inputs.values

    async def looked_at(
        self, place: Flow | Execution, inputs: tuple[Input, ...], submitted: Mapping[str, object]
    ) -> tuple[ResolvedInput, ...]:
        """What would become of each input, for people to see: their templates get no secrets."""
        whose = whose_flow(place) if isinstance(place, Flow) else whose_execution(place)
        resolve = partial(resolve_each, inputs, submitted, seal=self._context.seal)
        return await self._worlds.within(whose, lambda world: resolve(world=world), shown=True)

    async def triggered(
        self,
        flow: Flow,
        trigger: Trigger,
        variables: Mapping[str, object],
        *,
        inputs: Mapping[str, object] | None = None,
        raw: bool = False,
        labels: Sequence[Label] = (),
        root: Mapping[str, object] | None = None,
        id: ExecutionId | None = None,  # noqa: A002 - the word for what it is
        opened: Mask | None = None,
    ) -> Execution:
        """The execution that a trigger starts, CREATED and not yet written.

        `variables` are what templates see under `trigger`, `root` beside the rest. `inputs` are ready, not templates;
        they are checked and completed with the flow's defaults, but for `raw` ones, which are taken as they are. Labels
        are the flow's, the trigger's, then the given ones. `opened` knows what was shown to the templates that inputs
        were made of. Raises `Refused`, `WrongChoice` if it is too large.
        """
        bare = self.bare(flow, trigger, variables, root=root, id=id)
        given = inputs or {}
        ready = given if raw else await self.inputs(flow, given, opened=opened)
        own = await self.labels(flow, trigger, replace(bare, inputs=ready))
        execution = start(
            flow,
            id=bare.id,
            now=bare.history.start,
            inputs=ready,
            labels=(*own, *labels),
            trigger=bare.trigger,
            variables=root,
        )
        weighing.check(execution, self._around().rules.message_bytes)
        return execution

    def bare(
        self,
        flow: Flow,
        trigger: Trigger,
        variables: Mapping[str, object],
        *,
        root: Mapping[str, object] | None = None,
        id: ExecutionId | None = None,  # noqa: A002 - the word for what it is
    ) -> Execution:
        """The same without inputs, and with the labels of the flow only."""
        around = self._around()
        return start(
            flow,
            id=id or ExecutionId(around.new_id()),
            now=around.now,
            inputs={},
            trigger={"id": trigger.id, "type": trigger.type, "variables": variables},
            variables=root,
        )

    async def labels(self, flow: Flow, trigger: Trigger, execution: Execution) -> tuple[Label, ...]:
        """The labels of the trigger, rendered with what the execution sees; one that fails is left out."""
        templates = _written_labels(trigger)
        if not any("{" in label.key + label.value for label in templates):
            return tuple(templates)
        return await self.within(flow, execution, partial(rendered_labels, trigger))

    async def filled(self, flow: Flow, execution: Execution, template: object, opened: Mask | None = None) -> object:
        """A template, or a tree of them, with what the execution sees, as a JSON value. Raises `ExpressionError`.

        What it was shown and nobody else may see is added to `opened`.
        """
        return await self.within(flow, execution, lambda fill: as_json(fill(template, {})), opened)

    async def hold(self, flow: Flow, trigger: Trigger, execution: Execution) -> bool:
        """Do all conditions of the trigger hold for an execution that it would start? One that fails does not."""
        if not trigger.conditions:
            return True

        def held(fill: Filling) -> bool:
            grounds = Grounds(render=lambda _, *args: fill(*args), execution=execution, zone=self._context.zone)
            warn = partial(_warn, flow, trigger, fill)
            return all_hold(grounds, trigger.id, trigger.conditions, warn)

        return await self.within(flow, execution, held)

    async def within(
        self, flow: Flow, execution: Execution, work: Callable[[Filling], T], opened: Mask | None = None
    ) -> T:
        """What the work says that may render templates with what the execution sees; `opened` as in `filled`."""
        opened = Mask() if opened is None else opened
        seen = variables_of(flow, execution, None, noting(self._context, opened.add))

        def filled(world: ServiceWorld) -> T:
            filling = Filling(seen, replace(world, mask=opened))
            try:
                return work(filling)
            except ExpressionError as error:
                raise ExpressionError(filling.covered(str(error))) from None

        return await self._worlds.within(whose_flow(flow), filled)


def rendered_labels(trigger: Trigger, fill: Fill) -> tuple[Label, ...]:
    """The labels of a trigger; one that fails, or that would be Kestra's own, is left out."""
    rendered = (_label(trigger, each, fill) for each in _written_labels(trigger))
    return tuple(label for label in rendered if label is not None)


def _written_labels(trigger: Trigger) -> list[Label]:
    written = trigger.properties.get("labels")
    assert written is None or isinstance(written, Iterable), "the flow was checked"
    return [Label(each["key"], each["value"]) for each in written or ()]


def _label(trigger: Trigger, written: Label, fill: Fill) -> Label | None:
    try:
        key, value = fill(written.key, {}), fill(written.value, {})
    except ExpressionError as error:
        log.warning("trigger.label_failed", trigger=trigger.id, label=written.key, error=str(error))
        return None
    name = printed(key)
    # Written in full it would have been refused with the flow: a template must not be the way around that.
    return None if name.startswith("system.") else Label(name, "" if value is None else printed(value))


def _warn(flow: Flow, trigger: Trigger, fill: Filling, message: str) -> None:
    log.warning("condition.failed", flow=flow.id, trigger=trigger.id, reason=fill.covered(message))
