"""What comes next in a folder that a worker holds (spec/engine 4.6): read from rows, thus the same after a crash."""

from __future__ import annotations

from casemate.executions import Execution, TaskRun, TaskRuns, folder_of, is_over
from casemate.flows import Flow
from casemate.identifiers import JobId
from casemate.jobs import Hint, Over
from casemate.store import Job, JobState, Tx, jobs


def next_within(tx: Tx, execution: Execution, holder: Job) -> Hint | Over | None:
    """The job that waits for the folder; None if nothing does, but something still may."""
    if is_over(execution, holder.task_run):
        return Over()
    for run in TaskRuns.of(execution.task_runs).children(holder.task_run):
        if run.state.created:
            job = jobs.of_task_run(tx, execution.tenant, execution.id, run.id)
            if job is not None and job.state is JobState.QUEUED:
                return Hint(job.id, job.queue)
    return None


def folder_job(flow: Flow, execution: Execution, run: TaskRun) -> JobId | None:
    """The job in whose folder this task run works."""
    folder = folder_of(flow, TaskRuns.of(execution.task_runs), run)
    return None if folder is None else jobs.named(folder.id, len(folder.attempts))
