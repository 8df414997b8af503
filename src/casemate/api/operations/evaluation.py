"""Trying out an expression on an execution, with the variables that its templates saw."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import not_found
from casemate.api.operation import TEXT, Answer, Operation, Permission
from casemate.api.operations.executions import named
from casemate.executions import variables_of
from casemate.expressions import Budget, ExpressionError, Unanswerable, printed, render
from casemate.identifiers import TaskRunId

_SECONDS = 5.0
"""What an expression may take."""


async def eval_expression(call: Call) -> Answer:
    """Render an expression as the execution sees it, or as the task run of the query does."""
    return await _evaluated(call, call.text("taskRunId"))


async def eval_task_run_expression(call: Call) -> Answer:
    """Render an expression as a task run sees it."""
    return await _evaluated(call, call.part("task_run_id"))


async def _evaluated(call: Call, task_run: str | None) -> Answer:
    execution = await named(call)
    run = None if task_run is None else TaskRunId(task_run)
    if run is not None and run not in execution.task_runs:
        raise not_found(f"task run {run}")
    place = (execution.namespace, execution.flow_id, execution.flow_revision)
    flow = await call.deps.orchestrator.flow_of(call.tenant, *place)
    # Whoever may look at an execution may not open what is sealed in it, nor ask for secrets in its name.
    shown = replace(call.deps.context, unseal=None)
    world = Unanswerable(now=call.deps.now(), zone=shown.zone)
    variables = variables_of(flow, execution, run, shown)
    until = time.monotonic() + _SECONDS
    budget = Budget(expired=lambda: time.monotonic() > until)
    try:
        value = await asyncio.to_thread(render, await call.body_text(), variables, world, budget=budget)
    except ExpressionError as error:
        return {"error": str(error)}
    return {"result": printed(value)}


_EVAL = "/api/v1/{tenant}/executions/{execution_id}/actions/eval"
_OUTPUTS: Permission = ("EXECUTION", "ACCESS_OUTPUTS")

TABLE = (
    Operation(
        "POST",
        _EVAL,
        can=_OUTPUTS,
        audit="execution:evaluate",
        body=TEXT,
        asks={"taskRunId": str},
        returns=shapes.Evaluated,
        run=eval_expression,
    ),
    Operation(
        "POST",
        _EVAL + "/{task_run_id}",
        can=_OUTPUTS,
        audit="execution:evaluate",
        body=TEXT,
        returns=shapes.Evaluated,
        run=eval_task_run_expression,
    ),
)
