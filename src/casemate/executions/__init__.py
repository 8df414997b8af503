"""What happens next? States, events, commands, and the decision between them. No input, no output, no clock."""

from casemate.executions.admission import SLOT_KEY
from casemate.executions.broken import broken
from casemate.executions.calling import Wanted, depth_of, subflow_of, wanted_by
from casemate.executions.changing import with_run_state, with_status
from casemate.executions.chart import task_of
from casemate.executions.commands import (
    Command,
    CountSlots,
    Decision,
    ForgetJob,
    ForgetTimer,
    KillJob,
    KillSubflows,
    MergeOutputs,
    OfferJob,
    Replay,
    Resolve,
    StartSubflow,
    WakeAt,
    Write,
)
from casemate.executions.conditions import Grounds, all_hold, holds
from casemate.executions.context import Context, noting
from casemate.executions.date_conditions import KINDS as DATE_CONDITIONS
from casemate.executions.decide import decide
from casemate.executions.errors import WrongChoice, WrongState
from casemate.executions.events import (
    Begin,
    Event,
    FolderLost,
    KillRequested,
    OutputsMerged,
    PauseRequested,
    QuotaExceeded,
    Resolved,
    ResumeRequested,
    RunForced,
    SlotsCounted,
    SubflowEnded,
    SubflowRefused,
    SubflowStarted,
    SwitchedOff,
    TaskFinished,
    TaskStarted,
    TimerDue,
    UnqueueRequested,
)
from casemate.executions.folders import folder_of, is_over, keeps_folder
from casemate.executions.inputs import (
    Inputs,
    ResolvedInput,
    resolve_each,
    resolve_inputs,
    resolve_outputs,
    retyped_inputs,
    sealed_inputs,
)
from casemate.executions.labelling import labelled
from casemate.executions.model import (
    Answer,
    Attempt,
    Batches,
    Call,
    Caller,
    Execution,
    History,
    Moment,
    State,
    TaskRun,
    Verdict,
)
from casemate.executions.pausing import asked_on_resume
from casemate.executions.preconditions import comes_from, passes
from casemate.executions.quotas import window_start
from casemate.executions.restarting import replayed_from, restarted, restarted_as
from casemate.executions.rows import execution_document, execution_from, task_run_document, task_run_from
from casemate.executions.runs import TaskRuns
from casemate.executions.start import CORRELATION, failed_at_start, replayed, start
from casemate.executions.subflows import awaits
from casemate.executions.switches import SWITCH_LABEL, Evaluation, KillSwitch, announcement, ruling, switched_off
from casemate.executions.texts import json_size, read_json
from casemate.executions.variables import variables_of
from casemate.executions.wire import task_run_json, to_json

__all__ = [
    "CORRELATION",
    "DATE_CONDITIONS",
    "SLOT_KEY",
    "SWITCH_LABEL",
    "Answer",
    "Attempt",
    "Batches",
    "Begin",
    "Call",
    "Caller",
    "Command",
    "Context",
    "CountSlots",
    "Decision",
    "Evaluation",
    "Event",
    "Execution",
    "FolderLost",
    "ForgetJob",
    "ForgetTimer",
    "Grounds",
    "History",
    "Inputs",
    "KillJob",
    "KillRequested",
    "KillSubflows",
    "KillSwitch",
    "MergeOutputs",
    "Moment",
    "OfferJob",
    "OutputsMerged",
    "PauseRequested",
    "QuotaExceeded",
    "Replay",
    "Resolve",
    "Resolved",
    "ResolvedInput",
    "ResumeRequested",
    "RunForced",
    "SlotsCounted",
    "StartSubflow",
    "State",
    "SubflowEnded",
    "SubflowRefused",
    "SubflowStarted",
    "SwitchedOff",
    "TaskFinished",
    "TaskRun",
    "TaskRuns",
    "TaskStarted",
    "TimerDue",
    "UnqueueRequested",
    "Verdict",
    "WakeAt",
    "Wanted",
    "Write",
    "WrongChoice",
    "WrongState",
    "all_hold",
    "announcement",
    "asked_on_resume",
    "awaits",
    "broken",
    "comes_from",
    "decide",
    "depth_of",
    "execution_document",
    "execution_from",
    "failed_at_start",
    "folder_of",
    "holds",
    "is_over",
    "json_size",
    "keeps_folder",
    "labelled",
    "noting",
    "passes",
    "read_json",
    "replayed",
    "replayed_from",
    "resolve_each",
    "resolve_inputs",
    "resolve_outputs",
    "restarted",
    "restarted_as",
    "retyped_inputs",
    "ruling",
    "sealed_inputs",
    "start",
    "subflow_of",
    "switched_off",
    "task_of",
    "task_run_document",
    "task_run_from",
    "task_run_json",
    "to_json",
    "variables_of",
    "wanted_by",
    "window_start",
    "with_run_state",
    "with_status",
]
