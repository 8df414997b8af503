"""Watchers of files (inotify) are counted for each kernel user, and an ordinary user's tasks are all that user."""

from tests.attacks.workers import Attack

TAKE = """
import ctypes, time
libc = ctypes.CDLL(None, use_errno=True)
made = 0
while made < 1000 and libc.inotify_init1(0) >= 0: made += 1
print(made, flush=True)
time.sleep(1.5)
"""
TAKE_ONE = "import ctypes; print(ctypes.CDLL(None).inotify_init1(0) >= 0)"


def test_a_task_that_takes_all_watchers_leaves_some_to_others(worker):
    greedy = Attack(argv=("python3", "-c", TAKE))
    other = Attack(argv=("python3", "-c", TAKE_ONE), after=("import time; time.sleep(0.6)",))
    taken, modest = worker.together(greedy, other)
    assert int(taken.said) > 0
    assert modest.stdout == ["True"]
