"""Tasks that share a working directory: when its worker holds the folder, and which task runs belong in it.

A WorkingDirectory (spec/engine 4.6) is a flowable and a job at once: the engine decides which child comes next, as in a
Sequential, while the job of the parent holds the folder on one worker. The children's jobs go to that worker only. Its
attempt is open as long as the folder is there.
"""

from __future__ import annotations

from casemate.catalog import Role
from casemate.executions.chart import task_of
from casemate.executions.model import Execution, State, TaskRun
from casemate.executions.runs import TaskRuns
from casemate.flows import Flow, Task
from casemate.identifiers import TaskRunId

WORKING_DIRECTORY = "io.kestra.plugin.core.flow.WorkingDirectory"


def keeps_folder(task: Task) -> bool:
    """Do its children share a working directory?"""
    return task.canonical == WORKING_DIRECTORY


def for_worker(task: Task) -> bool:
    """Is there a job for it?"""
    return keeps_folder(task) or (task.role is Role.RUNNABLE and not task.branches)


def is_open(run: TaskRun) -> bool:
    """Does a worker hold a folder for this task run of a WorkingDirectory?"""
    return run.state is State.RUNNING and bool(run.attempts) and not run.attempts[-1].history.current.terminated


def at_work(task: Task, run: TaskRun) -> bool:
    """Is its job on a worker, as far as the engine knows?"""
    return is_open(run) if keeps_folder(task) else for_worker(task) and run.state is State.RUNNING


def folder_of(flow: Flow, runs: TaskRuns, run: TaskRun) -> TaskRun | None:
    """The task run of the WorkingDirectory in whose folder a task run works; its `errors` have no part in it."""
    if run.parent is None:
        return None
    parent = runs[run.parent]
    task = task_of(flow, parent.task_id)
    inside = keeps_folder(task) and any(child.id == run.task_id for child in task.branches.get("tasks", ()))
    return parent if inside else None


def is_over(execution: Execution, task_run: TaskRunId) -> bool:
    """Will no further task run come in this open folder? Then its worker takes what it leaves and reports."""
    runs = TaskRuns.of(execution.task_runs)
    return not execution.state.frozen and is_open(runs[task_run]) and not runs.open(task_run)
