"""Where no pid namespace ends everything with its first process: one that stands beside a sandbox and does.

It runs nothing of the task and cannot be reached by it. All that the sandbox starts stays below it, whoever else dies;
at the end it kills all of that in one call, which no fork can outrun, and buries it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import traceback
from collections.abc import Callable
from typing import NoReturn

from casemate.sandbox.kernel import landlock, limits, processes
from casemate.sandbox.kernel.calls import do

_FAILED = 70
_CALLS = {signal.SIGTERM, signal.SIGCHLD}


def stand_beside(live: Callable[[int], NoReturn], uid: int | None, zygote: int) -> NoReturn:
    """Start a sandbox and stay until it ends, or SIGTERM or the end of the zygote ends it; then end as it has ended.

    `live` is given a pidfd of the process beside it. `uid` is the sandbox's own kernel user, None if it has none;
    `zygote` is a pidfd.
    """
    status = _FAILED << 8
    try:
        status = _watched(live, uid, zygote)
    except BaseException:
        traceback.print_exc()
    finally:
        _end_as(status)


def _watched(live: Callable[[int], NoReturn], uid: int | None, zygote: int) -> int:
    signal.pthread_sigmask(signal.SIG_BLOCK, _CALLS)
    do(*limits.limit(core=limits.NO_CORE))
    processes.adopt_orphans()
    do(*processes.die_with_parent(zygote, by=signal.SIGTERM))
    itself = os.pidfd_open(os.getpid())
    # Below here nobody can be signalled but what is here: without it `_strike` would reach all of a user.
    if landlock.version() >= landlock.KNOWS_SCOPES:
        landlock.scope()
    elif uid is None:
        raise RuntimeError("processes of one user cannot be told apart")
    leader = os.fork()
    if leader == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _CALLS)
        live(itself)
    do(*processes.keep_only(0, 1, 2))
    status = _awaited(leader)
    if status is None:
        os.kill(leader, signal.SIGKILL)  # it may not be its own user yet
    _end_all(uid)
    return signal.SIGKILL if status is None else status


def _awaited(leader: int) -> int | None:
    """The status of the sandbox that has ended, None if it is to be ended; orphans are buried meanwhile."""
    while signal.sigwait(_CALLS) != signal.SIGTERM:
        if (status := _buried(leader)) is not None:
            return status
    return None


def _buried(leader: int) -> int | None:
    while True:
        ended, status = os.waitpid(-1, os.WNOHANG)
        if ended == leader:
            return status
        if ended == 0:
            return None


def _end_all(uid: int | None) -> None:
    """Nothing of the sandbox is left. Everything that it started is below us: when we have no child, there is none."""
    _strike(uid)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def _strike(uid: int | None) -> None:
    """SIGKILL to all of the sandbox at once: as its user, or as one of its user's processes that reaches no others."""
    if uid is None:
        _kill_all()
    elif os.fork() == 0:
        try:
            os.setresuid(uid, uid, uid)
            _kill_all()
        finally:
            os._exit(0)


def _kill_all() -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(-1, signal.SIGKILL)


def _end_as(status: int) -> NoReturn:
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        with contextlib.suppress(OSError):  # SIGKILL and SIGSTOP cannot be set
            signal.signal(-code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 128 - code)
