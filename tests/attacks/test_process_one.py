"""Process 1 holds the way to the worker: a task cannot look into it, take its descriptors or stop it."""

TRACE = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
class Piece(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
buffer = ctypes.create_string_buffer(8)
here, there = Piece(ctypes.addressof(buffer), 8), Piece(0x400000, 8)
print("attach", libc.ptrace(16, 1, None, None))
print("read", libc.process_vm_readv(1, ctypes.byref(here), 1, ctypes.byref(there), 1, 0))
handle = os.pidfd_open(1)
print("take", libc.syscall(438, handle, 3, 0))
"""


def test_it_cannot_be_traced_read_or_robbed(worker):
    outcome = worker.python(TRACE)
    assert outcome.stdout == ["attach -1", "read -1", "take -1"]


def test_its_memory_and_descriptors_are_closed(worker):
    outcome = worker.shell(
        "head -c1 /proc/1/mem; ls -l /proc/1/fd; cat /proc/1/maps; cat /proc/self/maps | head -n1 | wc -l"
    )
    assert outcome.stdout == ["1"]


def test_it_cannot_be_stopped(worker):
    outcome = worker.shell("kill -STOP 1; kill -KILL 1; kill -TERM 1; sleep 0.05; echo on")
    assert outcome.stdout == ["on"]
