"""Using things up: only just past the low limits of the trial, so that it does no harm where nothing stops it."""

from __future__ import annotations

from functools import partial

from casemate.redteam.model import Area, Attack, Runs

_resources = partial(Attack, area=Area.RESOURCES, wall="limits")

RESOURCES = (
    _resources("rs01", "memory of one process", "bytearray(300 << 20); through()"),
    _resources("rs02", "the same in a plugin", "bytearray(300 << 20); through()", Runs.PLUGIN),
    _resources(
        "rs03",
        "memory by the heap of C",
        """
        libc.malloc.restype = ctypes.c_void_p
        place = libc.malloc(ctypes.c_size_t(300 << 20))
        place or call(9999)
        ctypes.memset(place, 1, 300 << 20)
        through()
        """,
    ),
    _resources(
        "rs04",
        "processes",
        """
        children = []
        try:
            for _ in range(70):
                child = os.fork()
                if child == 0: time.sleep(30); os._exit(0)
                children.append(child)
        finally:
            for child in children: os.kill(child, 9); os.waitpid(child, 0)
        through()
        """,
    ),
    _resources(
        "rs05",
        "threads",
        """
        for _ in range(70):
            threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
        through()
        """,
    ),
    _resources("rs06", "descriptors", "[os.dup(0) for _ in range(300)]; through()", needs="room for 300 descriptors"),
    _resources(
        "rs07",
        "the size of a file",
        """
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        file = open('big', 'wb')
        os.truncate('big', 17 << 20)
        through()
        """,
    ),
    _resources(
        "rs08",
        "space for temporary files",
        """
        file = open('/tmp/' + bait.mark, 'wb')
        os.unlink(file.name)
        for _ in range(15):
            file.write(bytes(1 << 20)), file.flush()
        other = open('/tmp/' + bait.mark, 'wb')
        os.unlink(other.name)
        for _ in range(4):
            other.write(bytes(1 << 20)), other.flush()
        through()
        """,
    ),
    _resources(
        "rs09",
        "shared memory files",
        """
        files = [open(f"/dev/shm/{bait.mark}{number}", "wb") for number in range(6)]
        for number in range(6): os.unlink(f"/dev/shm/{bait.mark}{number}")
        for file in files:
            os.posix_fallocate(file.fileno(), 0, 15 << 20)
        through()
        """,
    ),
    _resources(
        "rs10",
        "files (inodes) for temporary files",
        """
        for n in range(10):
            os.close(os.open(f'/tmp/{bait.mark}-{n}', os.O_CREAT | os.O_WRONLY)) or os.unlink(f'/tmp/{bait.mark}-{n}')
        os.statvfs('/tmp').f_files > 1_000_000 and through()
        """,
        needs="a disk of more than a million files",
    ),
    _resources(
        "rs11",
        "a flood of output",
        """
        os.set_blocking(1, True)
        [os.write(1, b'x' * 99 + b'\\n') for _ in range(60_000)]
        through()
        """,
    ),
    _resources("rs12", "a flood of errors", "[os.write(2, b'x' * 99 + b'\\n') for _ in range(60_000)]; through()"),
    _resources(
        "rs13",
        "dump a core",
        """
        resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
        resource.getrlimit(resource.RLIMIT_CORE)[0] != 1 and through("the host is given the memory of what crashes")
        """,
        needs="cores allowed",
    ),
    _resources(
        "rs14",
        "POSIX message queues",
        """
        call((240, 180), b"redteam", 0o102, 0o600, None)
        call((241, 181), b"redteam")
        through()
        """,
        needs="message queues",
    ),
    _resources(
        "rs15",
        "pending signals",
        "resource.getrlimit(resource.RLIMIT_SIGPENDING)[0] > 4096 and through()",
        needs="a high limit",
    ),
    _resources(
        "rs16",
        "locked memory",
        """
        libc.mlock(ctypes.create_string_buffer(2 << 20), 2 << 20) == 0 and through()
        raise OSError(ctypes.get_errno(), 'mlock')
        """,
        needs="room for locked memory",
    ),
    _resources(
        "rs17",
        "semaphores of System V, which are the kernel's memory",
        """
        made = [libc.semget(0, 30000, 0o1600) for _ in range(3)]
        [libc.semctl(each, 0, 0) for each in made if each >= 0]
        min(made) >= 0 and through()
        raise OSError(ctypes.get_errno(), 'semget')
        """,
    ),
    _resources(
        "rs18",
        "message queues of System V",
        """
        made = [libc.msgget(0, 0o1600) for _ in range(100)]
        [libc.msgctl(each, 0, None) for each in made if each >= 0]
        min(made) >= 0 and through()
        raise OSError(ctypes.get_errno(), 'msgget')
        """,
    ),
    _resources(
        "rs19",
        "shared memory of System V",
        """
        made = [libc.shmget(0, 16 << 20, 0o1600) for _ in range(5)]
        [libc.shmctl(each, 0, None) for each in made if each >= 0]
        min(made) >= 0 and through()
        raise OSError(ctypes.get_errno(), 'shmget')
        """,
    ),
    _resources(
        "rs20",
        "memory over several processes",
        """
        children = []
        for _ in range(6):
            child = os.fork()
            if child == 0:
                held = bytearray(60 << 20)
                time.sleep(3)
                os._exit(0)
            children.append(child)
        ended = [os.waitpid(child, 0)[1] for child in children]
        any(ended) or through()
        raise MemoryError("a process was ended")
        """,
        counted="memory",
    ),
    _resources(
        "rs21",
        "memory that processes could share (mmap)",
        """
        held = mmap.mmap(-1, 300 << 20)
        for place in range(0, 300 << 20, 4096): held[place] = 1
        time.sleep(2)
        through()
        """,
        counted="memory",
    ),
    _resources(
        "rs22",
        "a file in memory (memfd)",
        """
        for _ in range(24):
            held = os.memfd_create("x")
            for _ in range(13): os.write(held, bytes(1 << 20))
        time.sleep(2)
        through()
        """,
        counted="memory",
    ),
    _resources(
        "rs23",
        "the disk, over several files",
        """
        for number in range(6):
            with open(f"big-{number}", "wb") as file:
                for _ in range(15): file.write(bytes(1 << 20))
        time.sleep(2)
        through()
        """,
    ),
    _resources(
        "rs24",
        "files without number",
        """
        for number in range(3000): open(f"file-{number}", "w").close()
        time.sleep(2)
        through()
        """,
    ),
    _resources(
        "rs25",
        "a line that does not end",
        """
        for _ in range(80): os.write(2, b"x" * 65536)
        os.write(2, b"\\n")
        through()
        """,
    ),
    _resources(
        "rs26",
        "descriptors that are sent to oneself and never taken",
        """
        import array
        pair, handed = socket.socketpair(), array.array("i", [0] * 200)
        for _ in range(4): pair[0].sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handed)])
        through()
        """,
        needs="room for 800 descriptors",
    ),
)
