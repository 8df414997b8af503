"""How an execution ends (spec/engine 2.6, 5.5)."""

from __future__ import annotations

from dataclasses import replace

from casemate import durations
from casemate.errors import Refused
from casemate.executions.commands import Replay, Write
from casemate.executions.inputs import resolve_outputs
from casemate.executions.lanes import Lanes, final_state
from casemate.executions.model import State
from casemate.executions.sla import holds, unwatch
from casemate.executions.turn import Turn
from casemate.expressions import ExpressionError, NeedsWorld

OUTPUTS_KEY = "outputs"
"""The `Resolve` key of the flow's outputs."""


def end_execution(turn: Turn, main: Lanes) -> None:
    """Nothing is left to run. Waits for one more reply if the flow's outputs need the world."""
    if turn.killing:
        # Kestra says KILLED at once; here it is said when every job has reported, so that KILLED means: all is still.
        verdict = turn.execution.verdict
        close(turn, State.KILLED if verdict is None else verdict.state)
    elif turn.execution.replay_at is not None:
        close(turn, State.RETRIED)
        turn.say(Replay(turn.execution.replay_at))
    elif OUTPUTS_KEY in turn.execution.answers or holds(turn):
        _end_with_outputs(turn, final_state(main, turn.runs, None))


def _end_with_outputs(turn: Turn, state: State) -> None:
    try:
        outputs = _outputs(turn)
    except NeedsWorld:
        return
    except (ExpressionError, Refused) as error:
        turn.say(Write("ERROR", f"Failed to render output values: {error}", kept=True))
        close(turn, State.FAILED)
        return
    turn.execution = replace(turn.execution, outputs=outputs)
    close(turn, state)


def _outputs(turn: Turn) -> dict[str, object] | None:
    if not turn.flow.outputs:
        return None
    written = {output.id: output.value for output in turn.flow.outputs}
    rendered = turn.render(OUTPUTS_KEY, list(written.values()), None)
    assert isinstance(rendered, list)
    return resolve_outputs(turn.flow, dict(zip(written, rendered, strict=True)), turn.context.seal)


def close(turn: Turn, state: State) -> None:
    """The end, but for the tasks that follow it."""
    turn.move_execution(state)
    turn.execution = replace(turn.execution, asked=frozenset(), answers={}, verdict=None, checked=frozenset())
    unwatch(turn)
    _line_up(turn)
    lasted = durations.printed(turn.now - turn.execution.history.start)
    turn.say(Write("INFO", f"Flow completed with state {state} in {lasted}"))


def _line_up(turn: Turn) -> None:
    """Name the tasks that follow the end (spec/engine 5.9); those of an earlier end make room for them."""
    if turn.flow.listeners and not turn.context.listeners:
        turn.say(Write("WARN", "Listeners are not run: kestra.listeners.enabled is false", kept=True))
    listeners = turn.flow.listeners if turn.context.listeners else ()
    tasks = (*turn.flow.after_execution, *(task for listener in listeners for task in listener.tasks))
    turn.execution = replace(turn.execution, after=tuple(task.id for task in tasks if not task.disabled))
    for task in turn.execution.after:
        run = turn.runs.child(None, task, None)
        if run is not None and run.state.terminated:
            turn.remove(run)
    turn.look(None)
