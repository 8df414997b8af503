"""What `casemate run` shows a person: task runs as they move, log lines as they come, and the end."""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

from casemate.cli.counted import counted
from casemate.executions import Execution, History, State, TaskRun
from casemate.sandbox import Level

_MARKS = {
    State.RUNNING: ("●", "36"),
    State.SUCCESS: ("✓", "32"),
    State.WARNING: ("!", "33"),
    State.FAILED: ("✘", "31"),
    State.KILLED: ("✘", "35"),
    State.SKIPPED: ("–", "90"),
    State.RETRYING: ("↻", "33"),
    State.PAUSED: ("‖", "33"),
}
_LEVELS = {"ERROR": "31", "WARN": "33", "DEBUG": "90", "TRACE": "90"}

# A log line is a tenant's text: control characters in it could move the cursor or retitle the reader's window.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Terminal:
    """Writes the story of one execution; colours only where a person looks."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._coloured = out.isatty() and "NO_COLOR" not in os.environ
        self._seen: dict[str, State] = {}

    def begin(self, execution: Execution) -> None:
        """One line for every task run that has begun since the last call."""
        for run in execution.task_runs.values():
            if run.id not in self._seen and run.state is not State.CREATED:
                self._seen[run.id] = State.RUNNING
                self._say(self._line(run, State.RUNNING))

    def show(self, execution: Execution) -> None:
        """One line for every task run that moved since the last call."""
        for run in execution.task_runs.values():
            if self._seen.get(run.id) is not run.state and run.state in _MARKS:
                self._say(self._line(run, run.state))
            if run.state is not State.CREATED:
                self._seen[run.id] = run.state

    def log(self, level: str, task: str | None, message: str) -> None:
        """One log entry, each of its lines indented under its task."""
        for line in message.splitlines() or [""]:
            text = f"    {level:<5} {task or '-'} | {_UNPRINTABLE.sub('�', line)}"
            self._say(self._paint(text, _LEVELS.get(level)))

    def end(self, execution: Execution) -> None:
        """The last lines: state and duration, outputs, and which walls stood."""
        mark, colour = _MARKS.get(execution.state, ("•", "0"))
        took = _took(execution.history)
        text = f"{mark} {execution.namespace}.{execution.flow_id} {execution.state} in {took}"
        self._say("\n" + self._paint(text, colour))
        for name, value in (execution.outputs or {}).items():
            self._say(f"  {name}: {_UNPRINTABLE.sub('�', value if isinstance(value, str) else _compact(value))}")
        self._say(self._paint(walls(execution), "90"))

    def note(self, text: str) -> None:
        """A line of our own."""
        self._say(self._paint(text, "90"))

    def _line(self, run: TaskRun, state: State) -> str:
        mark, colour = _MARKS[state]
        name = run.task_id if run.value is None else f"{run.task_id} [{_UNPRINTABLE.sub('�', run.value)}]"
        took = f" in {_took(run.history)}" if state.terminated else ""
        return self._paint(f"{mark} {name:<32} {state}{took}", colour)

    def _paint(self, text: str, colour: str | None) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._coloured and colour else text

    def _say(self, text: str) -> None:
        try:
            print(text, file=self._out, flush=True)
        except BrokenPipeError:
            # Whoever read along has left (`| head`). The flow still runs to its end; its exit status says how it went.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._out.fileno())
            os.close(nowhere)


def walls(execution: Execution) -> str:
    """One line on the walls: how many task runs had some, at which level, what was denied to all their attempts."""
    by_run = [[one.isolation for one in run.attempts if one.isolation] for run in execution.task_runs.values()]
    reports = [report for reports in by_run for report in reports]
    if not reports:
        return "No task run was started in a sandbox or container."
    levels = Counter(str(reports[-1].get("level")) for reports in by_run if reports)
    shown = ", ".join(f"{count} at level {level}" for level, count in levels.items())
    walls = sorted({wall for report in reports for wall in _names(report.get("walls"))})
    runs, denied = counted(levels.total(), "task run"), sum(_times(report.get("denied")) for report in reports)
    said = [f"walls: {', '.join(walls)}", *_noted(reports), f"{counted(denied, 'connection')} denied"]
    places = sorted({"containers" if level == Level.DOCKER else "sandboxes" for level in levels}, reverse=True)
    return f"{runs} in {' and '.join(places)}: {shown}; {'; '.join(said)}."


def _noted(reports: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """What is not said of every execution: where it connected to, and which limits it met."""
    entries = [entry for report in reports for entry in _entries(report, "reached")]
    if reached := {str(entry.get("host") or entry.get("address")) for entry in entries}:
        yield f"{counted(len(reached), 'destination')} reached"
    limits = sorted({str(limit) for report in reports for limit in _entries(report, "limitsHit")})
    if limits:
        yield f"limits met: {', '.join(limits)}"


def _names(walls: object) -> list[str]:
    return [str(name) for name in walls] if isinstance(walls, Mapping) else []


def _entries(report: Mapping[str, object], name: str) -> Sequence[Any]:
    entries = report.get(name)
    return entries if isinstance(entries, (list, tuple)) else ()


def _times(denied: object) -> int:
    """How often connections were denied: the report names each destination once, with its number of times."""
    return sum(entry.get("times", 0) for entry in denied) if isinstance(denied, (list, tuple)) else 0


def _took(history: History) -> str:
    return f"{((history.end or history.start) - history.start).total_seconds():.2f} s"


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
