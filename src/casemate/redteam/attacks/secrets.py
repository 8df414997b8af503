"""Secrets: those of the worker, of other processes, of other tasks; and the own ones where they must not appear."""

from __future__ import annotations

from functools import partial

from casemate.redteam.model import Area, Attack, Runs

_secrets = partial(Attack, area=Area.SECRETS, wall="processes")

_MEMORY = """
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
    for line in maps:
        start, _, end = line.split()[0].partition("-")
        with contextlib.suppress(OSError, OverflowError, ValueError):
            memory.seek(int(start, 16))
            leaked(memory.read(min(int(end, 16) - int(start, 16), 32 << 20)))
file = os.open(f"/proc/{bait.sibling}/mem", os.O_RDONLY)
leaked(os.pread(file, 64, bait.sibling_address))
"""

SECRETS = (
    _secrets("sc01", "the environment of a process", "leaked(read(f'/proc/{bait.sibling}/environ'))"),
    _secrets("sc02", "the environment of the worker", "read(f'/proc/{bait.worker}/environ') and through()"),
    _secrets(
        "sc03",
        "the environment of process 1",
        "read('/proc/1/environ') and through()",
        needs="the rights of root, and a process 1 with an environment",
    ),
    _secrets(
        "sc04",
        "the environment of any process",
        """
        for name in os.listdir('/proc'):
            if name.isdigit() and int(name) != os.getpid():
                with contextlib.suppress(OSError): leaked(read(f"/proc/{name}/environ"))
        """,
    ),
    _secrets(
        "sc05",
        "the arguments of any process",
        """
        for name in os.listdir('/proc'):
            with contextlib.suppress(OSError): leaked(read(f"/proc/{name}/cmdline"))
        """,
    ),
    _secrets(
        "sc06",
        "the arguments of a process, from a shell",
        "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | leaked",
        Runs.SHELL,
    ),
    _secrets(
        "sc07",
        "descriptors that were left open",
        """
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2:
                with contextlib.suppress(OSError): leaked(os.pread(int(name), 100, 0))
        leaked(read(f"/proc/{bait.sibling}/fd/{bait.sibling_descriptor}"))
        """,
    ),
    _secrets(
        "sc08",
        "the memory that the own process began with",
        _MEMORY,
        needs="tracing of processes of the same user",
    ),
    _secrets(
        "sc09",
        "the same in the process of a plugin",
        _MEMORY,
        Runs.PLUGIN,
        needs="tracing of processes of the same user",
    ),
    _secrets("sc10", "the own secret in the log", "print('the token is', os.environ['TOKEN'])", wall="", echoes=True),
    _secrets(
        "sc11",
        "the own secret in the log, from a shell that shows its commands",
        'set -x; : $TOKEN; echo "$TOKEN" >&2',
        Runs.SHELL,
        wall="",
        echoes=True,
    ),
    _secrets(
        "sc12",
        "the own secret in an error",
        "print(f'failed: {os.environ[\"TOKEN\"]}', file=sys.stderr)",
        wall="",
        echoes=True,
    ),
    _secrets("sc13", "POSIX shared memory of the host", "leaked(read(bait.shared_file))", wall="files"),
    _secrets("sc14", "the working directory of another task", "leaked(read(bait.task_file))", wall="files"),
    _secrets(
        "sc15",
        "the working directories of all tasks",
        """
        folder = os.path.dirname(os.path.dirname(bait.task_file))
        for name in os.listdir(folder):
            with contextlib.suppress(OSError): leaked(read(f"{folder}/{name}/mine"))
        """,
        wall="files",
    ),
    _secrets("sc16", "the environment of another task", "leaked(read(f'/proc/{bait.task_process}/environ'))"),
    _secrets(
        "sc17", "the files of another task by its process", "leaked(read(f'/proc/{bait.task_process}/root/work/mine'))"
    ),
    _secrets("sc18", "the temporary files of another task", "leaked(read(f'/proc/{bait.task_process}/root/tmp/mine'))"),
    _secrets("sc19", "end another task", "os.kill(bait.task_process, 0); through()"),
    _secrets(
        "sc20",
        "an abstract unix socket of another task",
        """
        held = os.open(f"/proc/{bait.task_process}/ns/net", os.O_RDONLY)
        in_child(lambda: (worked(libc.setns(held, 0x40000000)), through()))
        """,
        needs="the rights of root",
        wall="network",
    ),
    _secrets(
        "sc21",
        "ask the worker for what the task type may not have",
        """
        channel = socket.socket(fileno=os.dup(3))
        channel.settimeout(2)
        for function in ("kv.get", "kv.keys", "logs.fetch", "namespace.list", "storage.size", "files.keep", "secret"):
            given = {"key": "x", "path": "/etc/passwd", "paths": ["../../casemate.db"]}
            channel.sendall(json.dumps({"ask": {"function": function, "arguments": given}}).encode() + b"\\n")
            "answer" in json.loads(channel.recv(65536)) and through(function)
        """,
        Runs.PLUGIN,
        needs="a channel to a worker",
        wall="rights",
    ),
)
