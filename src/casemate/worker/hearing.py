"""What a task says, taken into its job: log entries, measurements, outputs, and that it failed."""

from __future__ import annotations

from datetime import datetime

from casemate.masking import TOO_SHORT, maskable
from casemate.sandbox import Command, Line
from casemate.secret import Secret
from casemate.worker import decode
from casemate.worker.errors import Malformed
from casemate.worker.model import Job


def hear_line(job: Job, line: Line) -> None:
    """A line of a script, or of a body that prints."""
    if line.stream == "stderr":
        job.complained = True
        _complain(job, line.text)
    if isinstance(job.what, Command) and decode.marked(line.text):
        try:
            take(job, decode.from_line(line.text), line.at)
        except Malformed as error:
            job.log.write("WARN", f"Invalid outputs '{error}'", line.at)
    else:
        job.log.write("ERROR" if line.stream == "stderr" else "INFO", line.text, line.at, cut=_is_cut(job, line))


def _is_cut(job: Job, line: Line) -> bool:
    """May it have gone on? It was cut by bytes, and what is no text in it has become longer."""
    limit = job.policy.limits.line - len("\r") if job.policy is not None else 0
    return 4 * len(line.text) >= limit and len(line.text.encode()) >= limit


def take(job: Job, said: decode.Said, at: datetime) -> None:
    """One message, decoded."""
    for value in said.masks:
        _mask(job, value, at)
    for text in said.confided.values():
        # No warning of short ones: a PIN is as well kept in an envelope as anything longer.
        job.mask.add(Secret(text))
    job.confided.add(said.confided)
    for level, message in said.logs:
        job.log.write(level, message, at)
    for metric in said.metrics:
        job.log.measure(metric)
    if said.outputs is not None:
        job.gathered.add(said.outputs)
        job.spoke = True
    if said.failure is not None:
        job.failed = True
        _complain(job, f"{said.failure.message}\n{said.failure.trace}")
        job.log.write("ERROR", said.failure.message, at)
        if said.failure.trace:
            job.log.write("TRACE", said.failure.trace, at)


def _mask(job: Job, value: str, at: datetime) -> None:
    # A line of output is one line, so a value of several comes with its line ends written as such, or line by line.
    if not maskable(value):
        job.log.write("WARN", f"A value that the task wants masked {TOO_SHORT}", at)
    elif not job.mask.derive(value):
        raise Malformed("it masks more than can be covered in logs")


def _complain(job: Job, text: str) -> None:
    if job.denials is not None:
        job.denials.hear(text)
