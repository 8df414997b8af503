"""A new user namespace would bring all capabilities back, and old kernel bugs within reach: none can be made."""

import pytest

NEW_NAMESPACES = {
    "user": 0x10000000,
    "mount": 0x00020000,
    "network": 0x40000000,
    "processes": 0x20000000,
    "ipc": 0x08000000,
    "cgroup": 0x02000000,
    "time": 0x00000080,
}
ATTEMPTS = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
flag = {flag}
print("unshare", libc.unshare(flag))
if flag != 0x80:
    made = libc.syscall(56 if os.uname().machine == "x86_64" else 220, flag | 17, None, None, None, None)
    if made == 0: os._exit(0)
    print("clone", made)
made = libc.syscall(435, ctypes.byref((ctypes.c_uint64 * 8)(flag, 0, 0, 0, 17)), 64)
if made == 0: os._exit(0)
print("clone3", made, ctypes.get_errno())
for kind in os.listdir("/proc/self/ns"):
    try:
        handle = os.open("/proc/self/ns/" + kind, os.O_RDONLY)
    except OSError:
        continue
    if libc.setns(handle, 0) == 0: print("entered", kind)
"""


@pytest.mark.parametrize("kind", NEW_NAMESPACES)
def test_no_namespace_can_be_made_or_entered(worker, kind):
    outcome = worker.python(ATTEMPTS.format(flag=NEW_NAMESPACES[kind]))
    assert [line for line in outcome.stdout if not line.startswith("clone3")] in (
        ["unshare -1", "clone -1"],
        ["unshare -1"],
    )
    assert outcome.stdout[-1] == "clone3 -1 38"


def test_ordinary_children_can_be_made(worker):
    assert worker.shell("(echo child)").stdout == ["child"]
