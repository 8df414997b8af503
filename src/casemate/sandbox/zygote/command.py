"""Runs one program as process 1 of its pid namespace: starts it, reaps orphans, passes on the wish to end.

When this process exits, the kernel kills whatever is left in the namespace.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections.abc import Callable, Mapping

from casemate.sandbox.kernel import seccomp
from casemate.sandbox.kernel.calls import do
from casemate.sandbox.orders import Order, Template
from casemate.sandbox.zygote import contained
from casemate.sandbox.zygote.channel import Channel
from casemate.sandbox.zygote.walls import command_filter

_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
_NO_PROGRAM = "/dev/null/no program"
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
_CHANGED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD)


def run(channel: Channel, order: Order, template: Template) -> int:
    """Hear of one command, run it, tell `{"exited": STATUS}` with a status as of wait(2)."""
    awake, waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    rehearse(channel, template)
    message = channel.hear()
    if message is None:
        return 0
    argv, environment = _command(message, template)
    try:
        process = _started(order, template, argv, environment)
    except (OSError, ValueError) as error:  # ValueError: a name or argument that no program can be given
        channel.tell({"exited": _complained(argv[0], error) << 8})
        return 0
    status = _watched(process, channel, awake)
    channel.tell({"exited": status, **({} if template.contained else _full())})
    return 0


def rehearse(channel: Channel, template: Template) -> None:
    """Go through a start that fails at its last step: memory touched now is not copied while a task waits."""
    places = {"work": "/work", "temporary": "/tmp"}  # noqa: S108 - inside it is private
    message = {"argv": [_NO_PROGRAM], "env": {}, "places": places}
    channel.rehearse(message)
    argv, environment = _command(message, template)
    with contextlib.suppress(OSError):
        _found("true", _SYSTEM_PATH)
        _spawned(_NO_PROGRAM, argv, environment)


def base_environment(template: Template, places: Mapping[str, str]) -> dict[str, str]:
    """What every command finds in its environment: nothing of the worker's. `places` are its folders."""
    path = _SYSTEM_PATH if template.prefix == "/usr" else f"{template.prefix}/bin:{_SYSTEM_PATH}"
    return {"PATH": path, "HOME": places["work"], "LANG": "C.UTF-8", "TMPDIR": places["temporary"]}


def _command(message: Mapping[str, object], template: Template) -> tuple[list[str], dict[str, str]]:
    argv, given, places = message["argv"], message["env"], message["places"]
    assert isinstance(argv, list)
    assert isinstance(given, dict)
    assert isinstance(places, dict)
    return argv, base_environment(template, places) | given


def _started(order: Order, template: Template, argv: list[str], environment: Mapping[str, str]) -> int:
    program = _found(argv[0], environment.get("PATH", _SYSTEM_PATH))
    if order.threads and order.processes and not template.contained:
        return _spawned(program, argv, environment)
    return _forked(lambda: _become(order, template, program, argv, environment))


def _spawned(program: str, argv: list[str], environment: Mapping[str, str]) -> int:
    return os.posix_spawn(program, argv, environment, setsid=True, setsigmask=(), setsigdef=_CHANGED_BY_PYTHON)


def _forked(become: Callable[[], None]) -> int:
    """For a command with walls of its own: only its own process may carry them, since this one must still fork."""
    process = os.fork()
    if process:
        return process
    try:
        become()
    except (OSError, ValueError) as error:
        os._exit(_complained("exec", error))
    finally:
        os._exit(_NOT_EXECUTABLE)


def _become(order: Order, template: Template, program: str, argv: list[str], environment: Mapping[str, str]) -> None:
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in _CHANGED_BY_PYTHON:
        signal.signal(number, signal.SIG_DFL)
    if template.contained:
        contained.enclose(template)
    if program_filter := command_filter(order):
        do(seccomp.load(program_filter))
    os.execve(program, argv, environment)  # noqa: S606 - what the task asked for, behind its walls


def _found(name: str, path: str) -> str:
    """The program that a shell would run under this name. FileNotFoundError: none."""
    if "/" in name:
        return name
    for folder in path.split(":"):
        candidate = os.path.join(folder or ".", name)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    raise FileNotFoundError(2, "command not found", name)


def _complained(name: str, error: Exception) -> int:
    """Say on standard error why a program cannot run, and return the exit code that shells use for it."""
    reason = error.strerror if isinstance(error, OSError) else error
    print(f"{name}: {reason}", file=sys.stderr, flush=True)
    return _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE


def _watched(process: int, channel: Channel, awake: int) -> int:
    """Wait until the command has ended; meanwhile bury orphans and listen to the worker."""
    poller = select.poll()
    poller.register(channel.descriptor, select.POLLIN)
    poller.register(awake, select.POLLIN)
    while True:
        for descriptor, _ in poller.poll():
            if descriptor == awake:
                os.read(awake, 512)
            else:
                _obey(channel)
        status = _buried(process)
        if status is not None:
            return status


def _full() -> dict[str, bool]:
    """The limits of the private /tmp that were reached, by their names: nothing is left there."""
    disk = os.statvfs("/tmp")  # noqa: S108 - inside it is private
    left = {"temporary": disk.f_bfree, "temporary_inodes": disk.f_ffree}
    return {name: True for name, amount in left.items() if amount == 0}


def _obey(channel: Channel) -> None:
    message = channel.hear()
    if message is None:
        os._exit(1)  # the worker is gone, and with this process everything here
    if "terminate" in message:
        try:
            os.kill(-1, signal.SIGTERM)  # everybody in this namespace but ourselves
        except ProcessLookupError:
            return


def _buried(process: int) -> int | None:
    """Reap every child that has ended; the status of `process` if it was among them."""
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if ended == process:
            return status
        if ended == 0:
            return None
