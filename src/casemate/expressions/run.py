"""One evaluation under way: its variables, its world, what is left of its budget, and where its output goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from casemate.expressions.budget import Meter
from casemate.expressions.errors import Fault
from casemate.expressions.nodes import Body, Template
from casemate.expressions.printing import java_text, printed
from casemate.expressions.scope import Scopes
from casemate.expressions.values import class_name
from casemate.expressions.world import World


class Sink(Protocol):
    """Takes what a template prints."""

    def text(self, text: str) -> None:
        """Take text that stands between the tags."""

    def value(self, value: object) -> None:
        """Take the value of a `{{ }}`; never None."""


@dataclass(frozen=True, slots=True)
class Session:
    """What one call of `render` shares among all the templates that it renders."""

    world: World
    meter: Meter
    given: Mapping[str, object]
    recursive: bool
    play: Callable[[Body, Run, Sink], None]  #: prints statements into a sink
    render: Callable[[object, Run, bool], object]  #: renders a value within a run, until it no longer changes if True


@dataclass(slots=True)
class Run:
    """The evaluation of one template."""

    session: Session
    template: Template
    scopes: Scopes

    def within(self, scopes: Scopes) -> Run:
        """The same template with other variables: a macro sees none from outside."""
        return Run(self.session, self.template, scopes)


class Printed:
    """Collects text as it is shown: maps and lists as JSON."""

    def __init__(self, session: Session) -> None:
        self._meter = session.meter
        self._zone = session.world.zone
        self._pieces: list[str] = []

    def text(self, text: str) -> None:
        """Append text."""
        self._meter.charge(len(text))
        self._pieces.append(text)

    def value(self, value: object) -> None:
        """Append a value as it prints."""
        self.text(printed(value, self._zone, self._meter))

    def result(self) -> str:
        """Everything so far; raises `BudgetExceeded` when it is too long."""
        return self._meter.emit("".join(self._pieces))


class Captured(Printed):
    """Collects the text of a macro or a filter tag, where Java's own texts of maps and lists are used."""

    def value(self, value: object) -> None:
        """Append a value as Java's text of it."""
        self.text(java_text(value, self._meter))


class Typed:
    """Keeps the type of the one value that is printed; text may follow a text (spec/engine 6.3)."""

    def __init__(self) -> None:
        self.result: object = None

    def text(self, text: str) -> None:
        """Append text to text, or be the whole result."""
        if self.result is None:
            self.result = text
        elif isinstance(self.result, str):
            self.result += text
        else:
            raise self._unfit(text)

    def value(self, value: object) -> None:
        """Be the whole result."""
        if self.result is not None:
            raise self._unfit(value)
        self.result = value

    def _unfit(self, value: object) -> Fault:
        return Fault(f"Tried to add {class_name(value)} to {class_name(self.result)}")
