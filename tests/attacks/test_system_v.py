"""System V objects are the kernel's memory, which no limit of a process counts: their number and size have an end."""

MAKE = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def count(make):
    made = 0
    while made < 5000 and make() >= 0: made += 1
    return made
print(count(lambda: libc.semget(0, 250, 0o1600)), libc.semget(0, 30000, 0o1600))
print(count(lambda: libc.msgget(0, 0o1600)))
print(count(lambda: libc.shmget(0, 8 << 20, 0o1600)))
"""


def test_semaphores_queues_and_segments_have_an_end(worker):
    outcome = worker.python(MAKE)
    assert outcome.stdout == ["4 -1", "32", "8"], outcome.complained
