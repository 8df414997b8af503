"""A bare sandbox for these tests: an empty network namespace and the broker's filter around one program, nothing more.

    box.py SOCKET UID PROGRAM ARGUMENT...

Run by `boxed`. Sends listener and stub over the descriptor SOCKET, then becomes PROGRAM, as UID if it is root.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401 - as another user this interpreter may not find its files any more
import os
import socket
import sys
import tempfile

from casemate.sandbox import stub
from casemate.sandbox.kernel import capabilities, mounts, namespaces, processes, seccomp
from casemate.sandbox.kernel.calls import Opened, do
from casemate.sandbox.notification import broker_rules

TASK = 200_000


def enter(uid: int) -> None:
    """An own, empty network namespace, and no rights."""
    if os.getuid() == 0:
        do(namespaces.unshare(namespaces.NETWORK | namespaces.MOUNT))
        mounts.make_private()
        ask_the_stub()
    else:
        inner, outer = os.getuid(), os.getgid()
        do(namespaces.unshare(namespaces.USER | namespaces.NETWORK))
        itself = os.open("/proc/self", os.O_PATH | os.O_DIRECTORY)
        do(*namespaces.map_identity(itself, TASK, inner, outer))
        os.close(itself)
    stubs = Opened(), Opened()
    do(*namespaces.raise_loopback(), *stub.opened(*stubs))
    if uid:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    capabilities.forbid_new()
    do(*capabilities.drop_all())
    hand_over(*(each.number for each in stubs))


def ask_the_stub() -> None:
    """Let names resolve as they do in a sandbox."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(stub.resolv_conf(""))
        file.flush()
        os.chmod(file.name, 0o644)
        do(mounts.bind(file.name, os.path.realpath("/etc/resolv.conf")))


def hand_over(*stubs: int) -> None:
    listener = do(seccomp.load_listened(seccomp.filter_of(broker_rules(("connect",))), Opened()))
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        socket.send_fds(channel, [b"ready"], [listener, *stubs])
    for each in (listener, *stubs):
        os.close(each)


def main() -> None:
    enter(int(sys.argv[2]))
    if sys.argv[3] == "-":  # stay this very process, as the body of a plugin task does
        do(processes.show_memory())
        exec(sys.argv[4], {"__name__": "__main__"})
    else:
        os.execv(sys.argv[3], sys.argv[3:])


main()
