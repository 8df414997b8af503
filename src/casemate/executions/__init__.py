"""What happens next? States, events, commands, and the decision between them. No input, no output, no clock."""

from casemate.executions.broken import broken
from casemate.executions.changing import with_run_state, with_status
from casemate.executions.commands import (
    Command,
    Decision,
    KillJob,
    OfferJob,
    Replay,
    Resolve,
    WakeAt,
    Write,
)
from casemate.executions.context import Context, noting
from casemate.executions.decide import decide
from casemate.executions.errors import WrongChoice, WrongState
from casemate.executions.events import (
    Begin,
    Event,
    KillRequested,
    PauseRequested,
    Resolved,
    ResumeRequested,
    TaskFinished,
    TaskStarted,
    TimerDue,
)
from casemate.executions.inputs import Inputs, ResolvedInput, resolve_each, resolve_inputs, resolve_outputs
from casemate.executions.model import Answer, Attempt, Execution, History, Moment, State, TaskRun
from casemate.executions.pausing import asked_on_resume
from casemate.executions.restarting import replayed_from, restarted, restarted_as
from casemate.executions.rows import execution_document, execution_from, task_run_document, task_run_from
from casemate.executions.runs import TaskRuns
from casemate.executions.start import replayed, start
from casemate.executions.texts import read_json
from casemate.executions.variables import variables_of
from casemate.executions.wire import task_run_json, to_json

__all__ = [
    "Answer",
    "Attempt",
    "Begin",
    "Command",
    "Context",
    "Decision",
    "Event",
    "Execution",
    "History",
    "Inputs",
    "KillJob",
    "KillRequested",
    "Moment",
    "OfferJob",
    "PauseRequested",
    "Replay",
    "Resolve",
    "Resolved",
    "ResolvedInput",
    "ResumeRequested",
    "State",
    "TaskFinished",
    "TaskRun",
    "TaskRuns",
    "TaskStarted",
    "TimerDue",
    "WakeAt",
    "Write",
    "WrongChoice",
    "WrongState",
    "asked_on_resume",
    "broken",
    "decide",
    "execution_document",
    "execution_from",
    "noting",
    "read_json",
    "replayed",
    "replayed_from",
    "resolve_each",
    "resolve_inputs",
    "resolve_outputs",
    "restarted",
    "restarted_as",
    "start",
    "task_run_document",
    "task_run_from",
    "task_run_json",
    "to_json",
    "variables_of",
    "with_run_state",
    "with_status",
]
