"""Keys of the worker's user: no namespace hides them, so their list is covered and the calls for them are refused."""

ASK = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall({keyctl}, 0, -4, 0), libc.syscall({add_key}, b"user", b"x", b"x", 1, -4))
"""


def test_the_keys_of_the_user_cannot_be_listed(worker):
    assert worker.shell("cat /proc/keys /proc/key-users").said == ""


def test_keys_cannot_be_asked_for(worker):
    machine = __import__("os").uname().machine
    keyctl, add_key = (250, 248) if machine == "x86_64" else (219, 217)
    assert worker.python(ASK.format(keyctl=keyctl, add_key=add_key)).stdout == ["-1 -1"]
