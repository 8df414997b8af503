"""Processes of the host: they cannot be seen, signalled, traced or written to."""

from tests.attacks.workers import Attack


def test_only_own_processes_are_visible(worker):
    outcome = worker.python("import os; print({int(p) for p in os.listdir('/proc') if p.isdigit()} - {os.getpid()})")
    assert outcome.said == "{1}"


def test_the_worker_cannot_be_signalled(worker):
    outcome = worker.shell(f"kill -9 {worker.pid}; kill -9 -{worker.pid}; kill -9 1; echo still here")
    assert outcome.stdout == ["still here"]
    assert worker.process.poll() is None


def test_killing_everything_kills_only_oneself(worker):
    bystander = Attack(argv=("sh", "-c", "sleep 0.3; echo alive"))
    killer = Attack(argv=("sh", "-c", "sleep 60 & kill -9 -1; wait $!; echo $?"))
    outcome, killing = worker.together(bystander, killer)
    assert outcome.stdout == ["alive"]
    assert killing.stdout == ["137"]
    assert worker.process.poll() is None


def test_own_children_can_be_signalled(worker):
    outcome = worker.shell("sleep 60 & kill $!; wait $!; echo $?")
    assert outcome.stdout == ["143"]
