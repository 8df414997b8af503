"""32-bit calls on a 64-bit machine: the same numbers mean other calls, so whoever makes one is killed."""

import os
import signal

import pytest

LEGACY_CALL = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("{code}"))
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
print("before", flush=True)
print("after", call())
"""
GETPID_BY_INTERRUPT = "b814000000cd80c3"
GETPID_AS_X32 = "b8270000400f05c3"
GETPID = "b8270000000f05c3"

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the code is for x86-64")


@pytest.mark.parametrize("code", [GETPID_BY_INTERRUPT, GETPID_AS_X32])
def test_foreign_calls_kill(worker, code):
    outcome = worker.python(LEGACY_CALL.format(code=code))
    assert outcome.stdout == ["before"]
    assert outcome.signal == signal.SIGSYS


def test_native_calls_work(worker):
    outcome = worker.python(LEGACY_CALL.format(code=GETPID))
    before, after = outcome.stdout
    assert (before, after.split()[0]) == ("before", "after")
    assert int(after.split()[1]) > 1
