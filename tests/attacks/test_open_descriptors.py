"""Descriptors left open: the worker's files and sockets are not there inside."""

from tests.attacks.workers import SECRET, Attack

LOOK = """
import os
for number in range(4096):
    try:
        print(number, os.readlink(f"/proc/self/fd/{number}").partition(":")[0])
    except OSError:
        pass
"""
READ = """
import os
for number in range(3, 256):
    try:
        os.lseek(number, 0, 0); print(os.read(number, 100))
    except OSError:
        pass
"""


def test_a_command_has_its_three_streams_only(worker):
    assert worker.python(LOOK).stdout == ["0 /dev/null", "1 pipe", "2 pipe"]


def test_a_file_the_worker_has_open_cannot_be_read(worker):
    assert SECRET not in worker.python(READ).said


def test_a_restricted_command_has_no_more(worker):
    assert worker.python(LOOK, threads=False, processes=False).stdout == ["0 /dev/null", "1 pipe", "2 pipe"]


def test_a_body_has_its_channel_besides(worker):
    outcome = worker.run(
        Attack(body={"module": "casemate.inside.core_debug_echo", "job": {"properties": {"format": "x"}}})
    )
    assert outcome.told == [{"log": {"level": "INFO", "message": "x"}}]
