"""One step of one execution: what was brought to it is decided on and written, inside one transaction.

Everything that a crash must not separate happens here: the execution is decided, and its header, task runs, jobs,
timers, log entries and messages are written together. Nothing here waits, and nothing is sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from casemate.executions import (
    Call,
    Command,
    Context,
    CountSlots,
    Decision,
    Event,
    Execution,
    ForgetJob,
    ForgetTimer,
    KillJob,
    KillSubflows,
    MergeOutputs,
    OfferJob,
    Replay,
    Resolve,
    SlotsCounted,
    StartSubflow,
    State,
    TaskFinished,
    WakeAt,
    Write,
    broken,
    decide,
)
from casemate.flows import Flow
from casemate.identifiers import TaskRunId, TenantId
from casemate.orchestrator import entries, telling, weighing
from casemate.orchestrator.errors import Undecidable
from casemate.orchestrator.rules import Rules
from casemate.store import (
    Job,
    JobState,
    LogEntry,
    Timer,
    Tx,
    executions,
    flows,
    jobs,
    logs,
    outbox,
    replies,
    slots,
    stopped,
    timers,
)
from casemate.store.flows import Revision
from casemate.store.outbox import Message
from casemate.triggers import stops_after

REPLAY = "replay"
"""The key of the timer at which a RETRIED execution is run again as a new one."""


def _always(_tenant: TenantId, _revision: Revision, _state: State) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a step needs of the world: the date, new ids, dice; the installation's values; the rules."""

    now: datetime
    new_id: Callable[[], str]
    chance: Callable[[], float]
    context: Context
    rules: Rules
    hears: Callable[[TenantId, Revision, State], bool] = _always
    """May a Flow trigger of this flow wait for an execution to come to this state?"""

    def new_run(self) -> TaskRunId:
        """The id of a new task run."""
        return TaskRunId(self.new_id())


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a step wrote, and what is to be done about it once it is committed."""

    execution: Execution
    changed: bool
    messages: tuple[Message, ...]
    timers: tuple[Timer, ...]
    forgotten: tuple[str, ...]
    questions: tuple[Resolve, ...]
    notes: tuple[Write, ...]
    logged: bool


@dataclass(slots=True, kw_only=True)
class Step:
    """A step under way. It does not outlive its transaction."""

    tx: Tx
    flow: Flow
    before: Execution
    around: Surroundings
    execution: Execution = field(init=False)
    changed: dict[TaskRunId, None] = field(default_factory=dict)
    offers: list[OfferJob] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    questions: list[Resolve] = field(default_factory=list)
    notes: list[Write] = field(default_factory=list)
    entries: list[LogEntry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.execution = self.before

    def happen(self, event: Event) -> None:
        """Decide on an event, and on whatever follows from carrying out the decision."""
        self.follow(self._decided(event))

    def follow(self, decision: Decision) -> None:
        """Carry out a decision, and decide on whatever follows from that."""
        waiting = deque(self._take(decision))
        while waiting:
            waiting += self._take(self._decided(waiting.popleft()))

    def _decided(self, event: Event) -> Decision:
        try:
            return decide(
                self.flow,
                self.execution,
                event,
                now=self.around.now,
                new_id=self.around.new_run,
                context=self.around.context,
                chance=self.around.chance,
            )
        except Exception as error:  # the top of the engine: an error of its own would come again with every event
            # Its text may hold any value of the execution, and goes into a log that more people read than those.
            raise Undecidable(type(error).__name__) from error

    def _take(self, decision: Decision) -> list[Event]:
        self.execution = decision.execution
        self.changed |= dict.fromkeys(decision.changed)
        follows = [self._carry_out(command) for command in decision.commands]
        self._offer()
        return [event for event in follows if event is not None]

    def _carry_out(self, command: Command) -> Event | None:
        if not isinstance(command, OfferJob):
            self._offer()
        match command:
            case OfferJob():
                self.offers.append(command)
            case KillJob():
                return self._kill(command)
            case StartSubflow():
                self._ask("subflow", command.call)
            case MergeOutputs():
                self._ask("merge", command.call)
            case KillSubflows():
                for subflow in executions.called_by(self.tx, self.execution.tenant, self.execution.id):
                    self.send("stop", tenant=self.execution.tenant, execution=subflow)
            case ForgetJob():
                self._forget(command)
            case WakeAt():
                self.wake(command.key, command.at)
            case ForgetTimer():
                self._forget_timer(command.key)
            case CountSlots():
                return self._slots()
            case Replay():
                self.wake(REPLAY, command.at)
            case Resolve():
                self.questions.append(command)
            case Write():
                self._write(command)
            case _:
                assert_never(command)
        return None

    def _offer(self) -> None:
        """Offer what was to be offered in a row: a loop may offer thousands, which are written together."""
        offered, self.offers = [self._job(command) for command in self.offers], []
        if len(offered) == 1:
            if jobs.offer(self.tx, offered[0], self.around.now):
                self.hint(offered[0])
        elif offered:
            new = jobs.offer_all(self.tx, offered, self.around.now)
            hints = [_hint(job) for job in new if job.queue != jobs.FOLDER]
            self.messages += outbox.add_all(self.tx, "hint", hints)

    def _job(self, command: OfferJob) -> Job:
        return Job(
            id=jobs.named(command.task_run, command.attempt),
            tenant=self.execution.tenant,
            execution=self.execution.id,
            task_run=command.task_run,
            attempt=command.attempt,
            queue="default" if command.within is None else jobs.FOLDER,
        )

    def _ask(self, kind: str, call: Call) -> None:
        """Ask the service for something that a task run waits for."""
        self.send(kind, **telling.asking(self.execution, call))

    def _kill(self, command: KillJob) -> Event | None:
        """Tell the holder; without one drop the job, and end the attempt that nobody will report on."""
        job = jobs.of_task_run(self.tx, self.execution.tenant, self.execution.id, command.task_run)
        if job is not None and job.held:
            if job.state is JobState.RUNNING:
                jobs.stop(self.tx, job)
            self.send("kill", job=job.id, fence=job.fence, worker=job.worker)
            return None
        if job is not None:
            self.drop(job)
        run = self.execution.task_runs.get(command.task_run)
        if run is None or run.state is not State.RUNNING:
            return None
        return TaskFinished(task_run=run.id, attempt=len(run.attempts), state=State.KILLED)

    def _forget(self, command: ForgetJob) -> None:
        job = jobs.of_task_run(self.tx, self.execution.tenant, self.execution.id, command.task_run)
        if job is None:
            return
        if job.held:
            self.send("kill", job=job.id, fence=job.fence, worker=job.worker)
        self.drop(job)

    def drop(self, job: Job) -> None:
        """Let nobody have a job any more."""
        jobs.drop(self.tx, job)
        replies.forget(self.tx, job)

    def _write(self, write: Write) -> None:
        if write.task_run is None and not write.kept:
            self.notes.append(write)
        else:
            self.entries.append(entries.of_write(self.execution, write, self.around.now))

    def wake(self, key: str, at: datetime) -> None:
        """Set a timer of this execution."""
        timer = Timer(self.execution.tenant, self.execution.id, key, at)
        timers.put(self.tx, timer)
        self.timers.append(timer)

    def _forget_timer(self, key: str) -> None:
        timers.forget(self.tx, self.execution.tenant, self.execution.id, key)
        self.forgotten.append(key)

    def _slots(self) -> SlotsCounted:
        """The one writer of the database runs one transaction after the other, so nobody can count the same now."""
        taken = slots.taken(self.tx, self.execution)
        return SlotsCounted(taken.running, taken.waiting, taken.concurrency)

    def hint(self, job: Job) -> None:
        """Let workers know, once this is committed, that a job waits."""
        if job.queue != jobs.FOLDER:
            self.send("hint", **_hint(job))

    def send(self, kind: str, **body: object) -> None:
        """Send a message once this is committed."""
        self.messages.append(outbox.add(self.tx, kind, body))

    def _tell_caller(self) -> None:
        """Once nothing of it is left to run, whoever started it hears of its end; one that takes over tells instead."""
        execution, caller = self.execution, self.execution.caller
        if caller is None or caller.told or executions.is_open(execution):
            return
        self.execution = replace(execution, caller=replace(caller, told=True))
        if execution.state is not State.RETRIED:
            self.send("ended", **telling.end_of(execution, caller))

    def _tell_listeners(self) -> None:
        """Flow triggers hear of every state that it has come to; that it was created is none (spec/engine 9.3)."""
        execution, known = self.execution, len(self.before.history.moments)
        states = [moment.state for moment in execution.history.moments]
        if len(states) == known:
            return
        own = (execution.namespace, execution.flow_id)
        others = [each for each in flows.listening(self.tx, execution.tenant) if each[:2] != own]
        for entry, state in enumerate(states[known:], known):
            if any(self.around.hears(execution.tenant, each, state) for each in others):
                self.send(telling.CHANGED, **telling.change_of(execution, entry))

    def _stop_trigger(self) -> None:
        """What started it may be stopped by how it ends (spec/engine 9.1)."""
        execution = self.execution
        if not execution.state.terminated or execution.history == self.before.history:
            return
        trigger = stops_after(self.flow, execution.trigger, execution.state.value)
        if trigger is not None:
            stopped.add(self.tx, execution.tenant, execution.namespace, execution.flow_id, trigger)

    def _end_if_overgrown(self) -> None:
        """Outputs are kept with their execution, and every change hands all of them on: they must have an end."""
        if self.execution is self.before or self.execution.over:
            return
        reason = weighing.overgrown(self.before, self.execution, self.around.rules.message_bytes)
        if reason is not None:
            self.follow(broken(self.execution, reason, now=self.around.now))

    def write(self, *, new: bool = False) -> Written:
        """Write what changed; raises the store's `Conflict` if someone else changed the execution first."""
        self._end_if_overgrown()
        self._tell_caller()
        self._tell_listeners()
        self._stop_trigger()
        changed = new or self.execution is not self.before
        if new:
            self.execution = executions.insert(self.tx, self.execution)
        elif changed:
            self.execution = executions.save(self.tx, self.before, self.execution, self.changed)
        if self.before.holds_slot and not self.execution.holds_slot:
            flow = (self.execution.tenant, self.execution.namespace, self.execution.flow_id)
            self.timers += slots.wake(self.tx, flow, self.around.now)
        logs.append(self.tx, self.entries)
        return Written(
            execution=self.execution,
            changed=changed,
            messages=tuple(self.messages),
            timers=tuple(self.timers),
            forgotten=tuple(self.forgotten),
            questions=tuple(self.questions),
            notes=tuple(self.notes),
            logged=bool(self.entries),
        )


def _hint(job: Job) -> dict[str, str]:
    return {"job": job.id, "queue": job.queue}
