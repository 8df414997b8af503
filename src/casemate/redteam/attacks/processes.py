"""Other processes: seeing, signalling, tracing, reading them; and staying alive when the task is over."""

from __future__ import annotations

from functools import partial

from casemate.redteam.model import Area, Attack, Runs

_processes = partial(Attack, area=Area.PROCESSES, wall="processes")

_TRACING = "tracing of processes of the same user"
_DAEMON = '["python3", "-c", "import time; time.sleep(30)", bait.mark]'

PROCESSES = (
    _processes(
        "ps01",
        "see the worker",
        """
        os.stat(f'/proc/{bait.worker}')
        open(f'/proc/{bait.worker}/cmdline').read() and through()
        """,
    ),
    _processes(
        "ps02",
        "see any process that is not the task's",
        """
        own = (os.getsid(0), 0)
        others = [name for name in os.listdir("/proc") if name.isdigit() and os.getsid(int(name)) not in own]
        len(others) > 2 and through(f'{len(others)} processes')
        """,
    ),
    _processes("ps03", "signal the worker", "os.kill(bait.worker, 0); through()"),
    _processes("ps04", "signal a process of the same user", "os.kill(bait.sibling, signal.SIGCONT); through()"),
    _processes(
        "ps05",
        "signal it through a pidfd",
        "held = os.pidfd_open(bait.sibling); signal.pidfd_send_signal(held, 0); through()",
    ),
    _processes(
        "ps06",
        "read the memory of process 1",
        """
        os.close(os.open('/proc/1/mem', os.O_RDONLY))
        through()
        """,
        needs="the rights of root",
    ),
    _processes(
        "ps07",
        "trace a process (ptrace)",
        """
        worked(libc.ptrace(16, bait.sibling, 0, 0))
        libc.waitpid(bait.sibling, None, 0x40000000)
        libc.ptrace(17, bait.sibling, 0, 0)
        through()
        """,
        needs=_TRACING,
        wall="system calls",
    ),
    _processes(
        "ps08",
        "trace the worker (ptrace seize)",
        """
        worked(libc.ptrace(0x4206, bait.worker, 0, 0))
        through()
        """,
        needs=_TRACING,
        wall="system calls",
    ),
    _processes(
        "ps09",
        "read the memory of a process (process_vm_readv)",
        """
        here = ctypes.create_string_buffer(64)
        local = struct.pack("QQ", ctypes.addressof(here), 64)
        remote = struct.pack("QQ", bait.sibling_address, 64)
        call((310, 270), bait.sibling, local, 1, remote, 1, 0)
        leaked(here.raw)
        """,
        needs=_TRACING,
        wall="system calls",
    ),
    _processes(
        "ps10",
        "write the memory of a process (process_vm_writev)",
        """
        here = ctypes.create_string_buffer(b"redteam")
        local = struct.pack("QQ", ctypes.addressof(here), 7)
        remote = struct.pack("QQ", bait.sibling_address, 7)
        call((311, 271), bait.sibling, local, 1, remote, 1, 0)
        through()
        """,
        needs=_TRACING,
        wall="system calls",
    ),
    _processes(
        "ps11",
        "read the memory of a process (/proc/PID/mem)",
        """
        file = os.open(f'/proc/{bait.sibling}/mem', os.O_RDONLY)
        leaked(os.pread(file, 64, bait.sibling_address))
        """,
        needs=_TRACING,
    ),
    _processes(
        "ps12",
        "take a descriptor of a process (pidfd_getfd)",
        "leaked(os.pread(call(438, os.pidfd_open(bait.sibling), bait.sibling_descriptor, 0), 100, 0))",
        needs=_TRACING,
        wall="system calls",
    ),
    _processes(
        "ps13",
        "open a descriptor of a process (/proc/PID/fd)",
        "leaked(read(f'/proc/{bait.sibling}/fd/{bait.sibling_descriptor}'))",
    ),
    _processes(
        "ps14",
        "compare with a process (kcmp)",
        "reached((312, 272), os.getpid(), bait.sibling, 0, 0, 0)",
        needs=_TRACING,
        wall="system calls",
    ),
    _processes(
        "ps15",
        "advise on the memory of a process (process_madvise)",
        "reached(440, -1, None, 0, 0, 0)",
        wall="system calls",
    ),
    _processes(
        "ps16",
        "change the priority of a process",
        "os.setpriority(os.PRIO_PROCESS, bait.sibling, os.getpriority(os.PRIO_PROCESS, 0)); through()",
    ),
    _processes(
        "ps17", "raise the own priority", "os.nice(-5); through()", needs="the rights of root", wall="privileges"
    ),
    _processes(
        "ps18",
        "take a real-time priority",
        """
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        through()
        """,
        needs="the rights of root",
        wall="privileges",
    ),
    _processes(
        "ps19",
        "change the limits of a process (prlimit)",
        "resource.prlimit(bait.sibling, resource.RLIMIT_CORE); through()",
    ),
    _processes(
        "ps20",
        "move a process to other processors",
        """
        os.sched_setaffinity(bait.sibling, os.sched_getaffinity(bait.sibling))
        through()
        """,
    ),
    _processes(
        "ps21",
        "leave a process running",
        'subprocess.Popen(["python3", "-c", "import time; time.sleep(30)", bait.mark])',
        survives=True,
    ),
    _processes(
        "ps22",
        "leave one in a session of its own",
        """
        command = ["python3", "-c", "import time; time.sleep(30)", bait.mark]
        subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        """,
        survives=True,
    ),
    _processes(
        "ps23",
        "leave a daemon (double fork, no descriptors, no signals)",
        """
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for number in (1, 2, 15): signal.signal(number, signal.SIG_IGN)
                os.closerange(0, 256)
                command = ["python3", "-c", "import time; time.sleep(30)", bait.mark]
                os.execvp(command[0], command)
            os._exit(0)
        time.sleep(0.2)
        """,
        survives=True,
    ),
    _processes(
        "ps24",
        "leave one with nohup and setsid",
        'nohup setsid sh -c "sleep 30; : $BAIT_MARK" >/dev/null 2>&1 & sleep 0.2',
        Runs.SHELL,
        survives=True,
    ),
    _processes(
        "ps25",
        "have at or cron run something later",
        """
        echo ": $BAIT_MARK" | at now + 1 hour 2>/dev/null && { atrm $(atq | cut -f1 | tail -n1); through; }
        crontab -l 2>/dev/null | crontab - 2>/dev/null && through
        """,
        Runs.SHELL,
        needs="at or cron",
    ),
    _processes(
        "ps26",
        "type into a terminal (TIOCSTI)",
        """
        import fcntl, pty
        ends = pty.openpty()
        os.setsid() if os.getpid() != os.getsid(0) else None
        fcntl.ioctl(ends[1], 0x540E, 0)
        fcntl.ioctl(ends[1], 0x5412, b'x')
        through()
        """,
        needs="a kernel with TIOCSTI",
        wall="system calls",
    ),
    _processes(
        "ps27",
        "paste into the console (TIOCLINUX)",
        """
        import fcntl
        console = os.open('/dev/tty1', os.O_RDWR)
        fcntl.ioctl(console, 0x541C, b'\\x07')
        through()
        """,
        needs="a console",
        wall="system calls",
    ),
    _processes(
        "ps28",
        "be adopted by a process outside (PR_SET_CHILD_SUBREAPER, orphans)",
        """
        if os.fork() == 0:
            if os.fork() == 0:
                command = ["python3", "-c", "import time; time.sleep(30)", bait.mark]
                os.execvp(command[0], command)
            os._exit(0)
        time.sleep(0.2)
        """,
        survives=True,
    ),
)
