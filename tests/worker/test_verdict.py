"""How an attempt ended."""

import pytest

from casemate.sandbox import End, Isolation, Level
from casemate.worker import verdict


def end(
    exit_code: int | None = 0,
    signal: int | None = None,
    limits: tuple[str, ...] = (),
    killed: str | None = None,
    met: tuple[str, ...] = (),
) -> End:
    walls = Isolation(level=Level.FULL, walls={"files": "private root"}, policy="0123", limits_hit=limits)
    return End(exit_code=exit_code, signal=signal, isolation=walls, killed=killed, met=met)


@pytest.mark.parametrize(("seen", "code"), [(end(0), 0), (end(3), 3), (end(None, 9), 137), (end(None, 15), 143)])
def test_a_signal_counts_as_a_shell_counts_it(seen, code):
    assert verdict.exit_code(seen) == code


@pytest.mark.parametrize(
    ("seen", "warn", "judged"),
    [
        (end(0), False, ("SUCCESS", ())),
        (end(0), True, ("WARNING", ())),
        (end(1), True, ("FAILED", ("Command failed with exit code 1",))),
        (end(None, 9, killed="memory limit 1 MiB"), False, ("FAILED", ("killed: memory limit 1 MiB",))),
        (
            end(2, met=("process limit 8",)),
            False,
            ("FAILED", ("Command failed with exit code 2", "The sandbox reached its process limit 8")),
        ),
    ],
)
def test_a_script_is_judged_by_its_exit_code(seen, warn, judged):
    assert verdict.of_script(seen, warn=warn) == judged


@pytest.mark.parametrize(
    ("seen", "failed", "state", "words"),
    [
        (end(0), False, "SUCCESS", ""),
        (end(0), True, "FAILED", ""),
        (end(1), True, "FAILED", ""),
        (end(1), False, "FAILED", "The task ended unexpectedly, with exit code 1"),
        (end(None, 11), False, "FAILED", "The task ended unexpectedly, by signal 11"),
        (end(None, 9, killed="memory limit 1 MiB"), False, "FAILED", "killed: memory limit 1 MiB"),
    ],
)
def test_a_body_that_is_silent_about_its_failure_is_spoken_for(seen, failed, state, words):
    judged, messages = verdict.of_body(seen, failed=failed)
    assert (judged, " ".join(messages)) == (state, words)


def test_the_report_is_json_in_kestras_spelling():
    assert verdict.report(end(limits=("output",)).isolation) == {
        "level": "full",
        "walls": {"files": "private root"},
        "policy": "0123",
        "allowed": {},
        "denied": [],
        "reached": [],
        "limitsHit": ["output"],
        "resources": {},
    }
