"""Templates: lists of tasks that flows take in by name, deprecated since Subflow (spec/engine 4.7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from casemate.catalog import Catalog
from casemate.documents import Document, examine
from casemate.documents import Mapping as Map
from casemate.errors import Problem
from casemate.flows.model import Flow, Task, all_tasks
from casemate.flows.parse import ordered, parse
from casemate.identifiers import Namespace, TaskId, TemplateId, TenantId

TEMPLATE: Final = "io.kestra.plugin.core.flow.Template"

TemplateName: TypeAlias = tuple[Namespace, TemplateId]

_FIELDS: Final = ("id", "namespace", "description", "tasks", "errors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template that passed every check. `source` is the text it was read from."""

    tenant: TenantId
    namespace: Namespace
    id: TemplateId
    tasks: tuple[Task, ...]
    source: str
    errors: tuple[Task, ...] | None = None
    description: str | None = None

    @property
    def name(self) -> TemplateName:
        """What tasks call it by."""
        return self.namespace, self.id

    def all_tasks(self) -> Iterator[Task]:
        """Every task with all its children, parents first."""
        return all_tasks((*self.tasks, *(self.errors or ())))


def read_template(
    text: str, catalog: Catalog, tenant: TenantId, place: Namespace | None = None
) -> Template | tuple[Problem, ...]:
    """The template of a text, or every problem of it, in the order of their places.

    Only the defaults of the installation complete its tasks; those of a flow do not reach into it. `place` is the
    namespace of the flow that takes it in, whose policies hold then: a template of elsewhere is no way around them.
    """
    reading = examine(text, subject="template yaml")
    if reading.document is None:
        return ordered(reading.problems)
    flow = parse(reading.document, catalog, tenant, complete=True, place=place)
    problems = (*reading.problems, *_strays(reading.document), *(flow if isinstance(flow, tuple) else _nested(flow)))
    if problems or isinstance(flow, tuple):
        return ordered(problems)
    return Template(
        tenant=tenant,
        namespace=flow.namespace,
        id=TemplateId(flow.id),
        tasks=flow.tasks,
        source=text,
        errors=flow.errors,
        description=flow.description,
    )


def _strays(document: Document) -> Iterable[Problem]:
    entries = document.root.entries if isinstance(document.root, Map) else ()
    for entry in entries:
        if entry.key not in _FIELDS:
            yield Problem(
                code="unknown-property",
                message=f'Unrecognized field "{entry.key}"',
                path=entry.key,
                line=entry.mark.line,
                column=entry.mark.column,
                remedy=f"a template has {', '.join(_FIELDS)}",
            )


def _nested(flow: Flow) -> Iterable[Problem]:
    for task in flow.all_tasks():
        if task.canonical == TEMPLATE:
            message = f"{task.id}: a template can not take in another one"
            yield Problem(code="template-nested", message=message, path="tasks")


def names_of(flow: Flow) -> frozenset[TemplateName]:
    """The templates that a flow takes in."""
    return frozenset(_name(task) for task in flow.all_tasks() if task.canonical == TEMPLATE)


def clashes(flow: Flow, found: Mapping[TemplateName, Template]) -> tuple[Problem, ...]:
    """The ids that would mean two tasks once these templates are in: a task run names its task by nothing else."""
    whose: dict[TaskId, str] = {task.id: "the flow" for task in flow.all_tasks()}
    problems = []
    for namespace, id_ in sorted(names_of(flow).intersection(found)):
        own = f"the template {namespace}.{id_}"
        for task in found[namespace, id_].all_tasks():
            other = whose.setdefault(task.id, own)
            if other != own:
                message = f"Duplicate task id with name [{task.id}]: {own} and {other} both have it"
                problems.append(Problem(code="template-clash", message=message, path="flow.tasks"))
    return tuple(problems)


def with_templates(flow: Flow, found: Mapping[TemplateName, Template]) -> Flow:
    """The flow with the tasks of these templates in it. A task whose template is missing stays without any."""

    def filled(task: Task) -> Task:
        template = found.get(_name(task)) if task.canonical == TEMPLATE else None
        if template is not None:
            errors = task.errors if template.errors is None else template.errors
            return replace(task, branches={"tasks": template.tasks}, errors=errors)
        return replace(task, branches={name: all_of(tasks) for name, tasks in task.branches.items()}, errors=some(task))

    def all_of(tasks: tuple[Task, ...]) -> tuple[Task, ...]:
        return tuple(filled(task) for task in tasks)

    def some(place: Flow | Task) -> tuple[Task, ...] | None:
        return None if place.errors is None else all_of(place.errors)

    return replace(
        flow,
        tasks=all_of(flow.tasks),
        errors=some(flow),
        finally_=all_of(flow.finally_),
        after_execution=all_of(flow.after_execution),
        listeners=tuple(replace(each, tasks=all_of(each.tasks)) for each in flow.listeners),
    )


def _name(task: Task) -> TemplateName:
    return Namespace(str(task.properties["namespace"])), TemplateId(str(task.properties["templateId"]))
