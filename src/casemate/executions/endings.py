"""How a task run's outcome is judged, and how an execution ends (spec/engine 2.6, 5.5)."""

from __future__ import annotations

from dataclasses import replace

from casemate import durations
from casemate.errors import Refused
from casemate.executions.commands import Replay, Write
from casemate.executions.inputs import resolve_outputs
from casemate.executions.lanes import Lanes, final_state
from casemate.executions.model import State
from casemate.executions.turn import Turn
from casemate.expressions import ExpressionError, NeedsWorld
from casemate.flows import Task

OUTPUTS_KEY = "outputs"
"""The `Resolve` key of the flow's outputs."""


def forgiven(task: Task, state: State, *, forgiving: bool = False) -> State:
    """The state after `allowFailure` and `allowWarning`."""
    if state is State.FAILED and (task.allow_failure or forgiving):
        state = State.WARNING
    if state is State.WARNING and task.allow_warning:
        state = State.SUCCESS
    return state


def end_execution(turn: Turn, main: Lanes) -> None:
    """Nothing is left to run. Waits for one more reply if the flow's outputs need the world."""
    if turn.killing:
        # Kestra says KILLED at once; here it is said when every job has reported, so that KILLED means: all is still.
        _close(turn, State.KILLED)
    elif turn.execution.replay_at is not None:
        _close(turn, State.RETRIED)
        turn.say(Replay(turn.execution.replay_at))
    else:
        _end_with_outputs(turn, final_state(main, turn.runs, None))


def _end_with_outputs(turn: Turn, state: State) -> None:
    try:
        outputs = _outputs(turn)
    except NeedsWorld:
        return
    except (ExpressionError, Refused) as error:
        turn.say(Write("ERROR", f"Failed to render output values: {error}", kept=True))
        _close(turn, State.FAILED)
        return
    turn.execution = replace(turn.execution, outputs=outputs)
    _close(turn, state)


def _outputs(turn: Turn) -> dict[str, object] | None:
    if not turn.flow.outputs:
        return None
    written = {output.id: output.value for output in turn.flow.outputs}
    rendered = turn.render(OUTPUTS_KEY, list(written.values()), None)
    assert isinstance(rendered, list)
    return resolve_outputs(turn.flow, dict(zip(written, rendered, strict=True)), turn.context.seal)


def _close(turn: Turn, state: State) -> None:
    turn.move_execution(state)
    turn.execution = replace(turn.execution, asked=frozenset(), answers={})
    lasted = durations.printed(turn.now - turn.execution.history.start)
    turn.say(Write("INFO", f"Flow completed with state {state} in {lasted}"))
