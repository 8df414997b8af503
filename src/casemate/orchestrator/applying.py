"""The transactions of the orchestrator: start an execution, and bring items to one. Only here are fences checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias, assert_never

from casemate.executions import (
    Begin,
    Execution,
    FolderLost,
    KillSwitch,
    State,
    SubflowRefused,
    SubflowStarted,
    TaskFinished,
    TaskRuns,
    TaskStarted,
    TimerDue,
    awaits,
    broken,
    folder_of,
    replayed,
)
from casemate.flows import Flow
from casemate.identifiers import ExecutionId
from casemate.jobs import Finished, LogLine, Stale
from casemate.orchestrator import admitting, entries, telling, weighing
from casemate.orchestrator.calls import own_outputs
from casemate.orchestrator.items import Amend, Born, Claim, Due, End, Happened, Item, Letter, Look, Lost
from casemate.orchestrator.step import REPLAY, Step, Surroundings, Written
from casemate.storage import paths
from casemate.store import Job, JobState, Tx, jobs, metrics, outbox, replies, timers

_End: TypeAlias = Literal[State.SUCCESS, State.WARNING, State.FAILED, State.KILLED]

_ENDS: Mapping[str, _End] = {
    "SUCCESS": State.SUCCESS,
    "WARNING": State.WARNING,
    "FAILED": State.FAILED,
    "KILLED": State.KILLED,
}

_POISON = "The task was given to a worker {count} times and none of them reported back. It is not tried again."

_TOO_LATE = "The execution that was to start it has moved on."

_GONE = "The worker was lost while the task was being killed."


def begin(tx: Tx, flow: Flow, execution: Execution, around: Surroundings) -> Written:
    """Write a new execution and what it begins with."""
    step = Step(tx=tx, flow=flow, before=execution, around=around)
    admitting.begin(step)
    return step.write(new=True)


def bring(
    tx: Tx, flow: Flow, execution: Execution, items: Sequence[Item], around: Surroundings
) -> tuple[Written, tuple[object, ...]]:
    """Apply items in their order and write the result once; also the outcome of each."""
    step = Step(tx=tx, flow=flow, before=execution, around=around)
    switch = admitting.ruling_of(step)
    if switch is not None and switch.evaluation == "IGNORE":
        return step.write(), tuple(admitting.ignored(switch, item) for item in items)
    admitting.obey(step, switch)
    outcomes = tuple(_admitted(step, item, switch) for item in items)
    return step.write(), outcomes


def _admitted(step: Step, item: Item, switch: KillSwitch | None) -> object:
    """The outcome of an item. One that lets an execution go on does not let it go past a kill switch."""
    if admitting.waits(step, item):
        return step.execution if isinstance(item, Happened) else None
    outcome = _take(step, item)
    admitting.obey(step, switch)
    return step.execution if isinstance(item, Happened | Amend) else outcome


def give_up(tx: Tx, execution: Execution, reason: str, around: Surroundings) -> Written:
    """End an execution that cannot be decided on; its flow may be what is wrong, so nobody looks at it."""
    named = Flow(
        tenant=execution.tenant,
        namespace=execution.namespace,
        id=execution.flow_id,
        tasks=(),
        source="",
        document={},
    )
    step = Step(tx=tx, flow=named, before=execution, around=around)
    step.follow(broken(execution, reason, now=around.now))
    return step.write()


def _take(step: Step, item: Item) -> object:
    match item:
        case Happened():
            step.happen(item.event)
            return step.execution
        case Look():
            step.happen(Begin())
            return None
        case Amend():
            step.follow(item.decided(step.flow, step.execution, step.around.now))
            return step.execution
        case Letter():
            if outbox.take(step.tx, item.seq):
                step.happen(item.event)
            return None
        case Born():
            return _bear(step, item)
        case Claim():
            return _claim(step, item)
        case End():
            return _end(step, item)
        case Lost():
            return _lose(step, item)
        case Due():
            return _due(step, item)
        case _:
            assert_never(item)


def _bear(step: Step, born: Born) -> Written | None:
    """Write the execution that a task run asked for beside the news of it, unless nobody asks any more."""
    caller = born.subflow.caller
    assert caller is not None, "a task run started it"
    if not outbox.take(step.tx, born.seq):
        return None
    if not awaits(step.execution, caller.call):
        step.happen(SubflowRefused(call=caller.call, reason=_TOO_LATE))
        return None
    written = begin(step.tx, born.flow, born.subflow, step.around)
    new = written.execution
    event = SubflowStarted(
        call=caller.call,
        subflow=new.id,
        namespace=new.namespace,
        flow_id=new.flow_id,
        state=born.subflow.state,
        base=telling.outputs_folder(step.execution, caller.call) if caller.call.number else None,
    )
    step.happen(event)
    return written


def _claim(step: Step, claim: Claim) -> Job | Stale:
    job = jobs.get(step.tx, claim.job)
    if not _holds_folder(step, claim, job):
        return Stale("it works in a folder that is elsewhere")
    if not admitting.may_be_granted(step, job):
        return Stale("the instance is in maintenance")
    granted = jobs.grant(step.tx, claim.job, claim.worker, step.around.now + step.around.rules.lease)
    if granted is None:
        return Stale("it does not wait any more")
    step.happen(TaskStarted(granted.task_run, granted.attempt))
    if _wanted(step.execution, granted):
        return granted
    # The right to run it must not outlive the wish: without this, what was killed could start after all.
    step.drop(granted)
    return Stale("it is no longer wanted")


def _holds_folder(step: Step, claim: Claim, job: Job | None) -> bool:
    """A job that works in a folder is for the worker that holds it: anywhere else it would find an empty one."""
    if job is None or job.queue != jobs.FOLDER:
        return True
    holder = _holder(step, job)
    return holder is not None and holder.state is JobState.RUNNING and holder.worker == claim.worker


def _holder(step: Step, job: Job) -> Job | None:
    """The job that holds the folder in which this one works, as long as it is not over."""
    run = step.execution.task_runs.get(job.task_run)
    folder = None if run is None else folder_of(step.flow, TaskRuns.of(step.execution.task_runs), run)
    return None if folder is None else jobs.of_task_run(step.tx, job.tenant, job.execution, folder.id)


def _wanted(execution: Execution, job: Job) -> bool:
    run = execution.task_runs.get(job.task_run)
    started = run is not None and run.state is State.RUNNING and len(run.attempts) == job.attempt
    return started and execution.state is not State.KILLING


def _end(step: Step, end: End) -> bool:
    report = end.report
    # A worker that lost its lease may still finish: its result is not applied beside that of its successor.
    job = jobs.finish(step.tx, report.job, report.fence, end.worker)
    if job is None:
        return False
    report = replace(report, outputs=own_outputs(step.tx, job, report.outputs))
    replies.forget(step.tx, job)
    _record(step, job, report)
    step.happen(_event(step, job, report))
    return True


def _record(step: Step, job: Job, report: Finished) -> None:
    run, attempt, rules = job.task_run, job.attempt, step.around.rules
    step.entries += entries.of_lines(step.execution, run, attempt, report.lines, rules.message_characters)
    measured = entries.of_metrics(step.execution, run, attempt, report.metrics, step.around.now)
    metrics.append(step.tx, measured)


def _event(step: Step, job: Job, report: Finished) -> TaskFinished:
    refusal = weighing.refusal(report.outputs, step.around.rules.output_bytes)
    if refusal is not None:
        _say(step, job, refusal)
    return TaskFinished(
        task_run=job.task_run,
        attempt=job.attempt,
        state=_ENDS[report.state] if refusal is None else State.FAILED,
        outputs=report.outputs if refusal is None else None,
        isolation=report.isolation,
        log_file=_log_file(step, job, report),
    )


def _log_file(step: Step, job: Job, report: Finished) -> str | None:
    """The address of the log file if it is one of the task run's own: a worker must not lead readers anywhere else."""
    execution = step.execution
    task = execution.task_runs[job.task_run].task_id
    folder = paths.task_folder(execution.namespace, execution.flow_id, execution.id, task, job.task_run)
    return report.log_file if report.log_file and report.log_file.startswith(f"{folder}/") else None


def _lose(step: Step, lost: Lost) -> bool:
    job = jobs.get(step.tx, lost.job)
    if job is None or not job.held or job.fence != lost.fence or not (lost.dead or _over(step, job)):
        return False
    verdict = step.execution.verdict
    if job.state is JobState.KILLING or (verdict is not None and verdict.gentle):
        # What was to end by itself is gone, and nothing is begun anew in an execution that is being stopped.
        _give_up(step, job, State.KILLED, _GONE)
        return True
    if job.queue == jobs.FOLDER:
        # What it has done in the folder cannot be undone, so it cannot be done again there.
        job = _holder(step, job) or job
    if job.deliveries >= step.around.rules.deliveries:
        _give_up(step, job, State.FAILED, _POISON.format(count=job.deliveries))
    else:
        step.hint(jobs.release(step.tx, job))
        step.happen(FolderLost(job.task_run))
    return True


def _over(step: Step, job: Job) -> bool:
    return job.lease_until is not None and job.lease_until < step.around.now


def _give_up(step: Step, job: Job, state: Literal[State.KILLED, State.FAILED], message: str) -> None:
    jobs.finish(step.tx, job.id, job.fence, job.worker)
    replies.forget(step.tx, job)
    _say(step, job, message)
    step.happen(TaskFinished(task_run=job.task_run, attempt=job.attempt, state=state))


def _say(step: Step, job: Job, message: str) -> None:
    line = LogLine(at=step.around.now, level="ERROR", message=message)
    longest = step.around.rules.message_characters
    step.entries += entries.of_lines(step.execution, job.task_run, job.attempt, (line,), longest)


def _due(step: Step, due: Due) -> Written | None:
    if not timers.remove(step.tx, due.timer):
        return None
    if due.timer.key == REPLAY:
        again = replayed(step.execution, id=ExecutionId(step.around.new_id()), now=step.around.now)
        return begin(step.tx, step.flow, again, step.around)
    step.happen(TimerDue(due.timer.key))
    return None
