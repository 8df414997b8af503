"""Daemons: whatever a task leaves behind dies with it, however it hides."""

import uuid

from tests.attacks.workers import Attack, processes_saying

HIDE = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, {terminated})
for _ in range({children}):
    if os.fork() == 0:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(number, signal.SIG_IGN)
        if os.fork() == 0:
            time.sleep(600)  # {mark}
        os._exit(0)
print("hidden", flush=True)
{rest}
"""


GOODBYE = """
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: os.write(1, b"bye\\n") and os._exit(7))
print("on", flush=True)
time.sleep(600)
"""
FAMILY = """
import os, signal, sys, time
reader, writer = os.pipe()
child = os.fork()
def goodbye(*_):
    os.write(1, b"parent\\n" if child else b"child\\n")
    if child: os.waitpid(child, 0)
    os._exit(0)
signal.signal(signal.SIGTERM, goodbye)
if child:
    os.read(reader, 1)
    print("on", flush=True)
    time.sleep(600)
os.write(writer, b"x")
time.sleep(600)
"""


def test_nothing_outlives_a_task_that_ends(worker):
    mark = uuid.uuid4().hex
    outcome = worker.python(HIDE.format(children=20, mark=mark, terminated="signal.SIG_DFL", rest=""))
    assert outcome.stdout == ["hidden"]
    assert outcome.exit_code == 0
    assert processes_saying(mark) == []


def test_nothing_outlives_a_task_that_is_killed(worker):
    mark = uuid.uuid4().hex
    script = HIDE.format(children=20, mark=mark, terminated="signal.SIG_IGN", rest="time.sleep(600)")
    outcome = worker.python(script, kill_at="hidden", grace=0.2)
    assert outcome.killed == "attack over"
    assert outcome.signal == 9
    assert processes_saying(mark) == []


def test_a_task_asked_to_end_may_say_goodbye(worker):
    outcome = worker.python(GOODBYE, kill_at="on", grace=20)
    assert outcome.stdout == ["on", "bye"]
    assert outcome.exit_code == 7


def test_children_are_asked_to_end_too(worker):
    outcome = worker.python(FAMILY, kill_at="on", grace=20)
    assert sorted(outcome.stdout) == ["child", "on", "parent"]


def test_orphans_are_buried_while_the_task_runs(worker):
    script = "for i in $(seq 30); do (sleep 0.01 &) ; done; sleep 0.3; grep -l '^State:.Z' /proc/[0-9]*/status | wc -l"
    assert worker.run(Attack(argv=("sh", "-c", script))).stdout == ["0"]
