"""The kernel: calls that give other views of the machine, more rights, or old code to try one's luck on."""

from __future__ import annotations

from functools import partial

from casemate.redteam.model import Area, Attack

_kernel = partial(Attack, area=Area.KERNEL, wall="system calls")

_ROOT = "the rights of root"
_X86 = "an x86-64 machine"

_MACHINE_CODE = """
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("{code}"))
if not AMD64: raise OSError(errno.ENOSYS, "code for x86-64")
ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))() > 0 and through()
raise OSError(errno.ENOSYS, "the kernel has no such calls")
"""
"""Instructions for x86-64 that ask for the own process id as another kind of program would."""

KERNEL = (
    _kernel(
        "kn01",
        "a new user namespace",
        "in_child(lambda: libc.unshare(0x10000000) == 0 and through())",
        needs="user namespaces for everybody",
    ),
    _kernel(
        "kn02",
        "a new mount, network, pid, ipc, uts, cgroup or time namespace",
        """
        for flag in (0x20000, 0x40000000, 0x20000000, 0x8000000, 0x4000000, 0x2000000, 0x80):
            in_child(lambda: libc.unshare(flag) == 0 and through())
        """,
        needs=_ROOT,
    ),
    _kernel(
        "kn03",
        "a child in new namespaces (clone)",
        """
        child = call((56, 220), 0x10000000 | 17, None, None, None, None)
        child or os._exit(0)
        os.waitpid(child, 0)
        through()
        """,
        needs="user namespaces for everybody",
    ),
    _kernel(
        "kn04",
        "a child in new namespaces (clone3)",
        """
        child = call(435, (ctypes.c_uint64 * 8)(0x10000000, 0, 0, 0, 17), 64)
        child or os._exit(0)
        os.waitpid(child, 0)
        through()
        """,
        needs="user namespaces for everybody",
    ),
    _kernel(
        "kn05",
        "enter the namespaces of another process (setns)",
        """
        in_child(lambda: libc.setns(os.open(f'/proc/{bait.sibling}/ns/mnt', os.O_RDONLY), 0) == 0 and through())
        """,
        needs=_ROOT,
    ),
    _kernel(
        "kn06",
        "enter them by a pidfd",
        "in_child(lambda: libc.setns(os.pidfd_open(bait.sibling), 0x20000) == 0 and through())",
        needs=_ROOT,
    ),
    _kernel(
        "kn07",
        "mount a file system",
        """
        os.mkdir("m")
        in_child(lambda: (own_mounts(), worked(libc.mount(b"none", b"m", b"tmpfs", 0, None)), through()))
        """,
        needs=_ROOT,
    ),
    _kernel(
        "kn08",
        "take a mount away",
        """
        in_child(lambda: (own_mounts(), worked(libc.umount2(b'/proc', 2)), through()))
        """,
        needs=_ROOT,
    ),
    _kernel(
        "kn09",
        "make a read-only mount writable",
        """
        in_child(lambda: (own_mounts(), worked(libc.mount(b'none', b'/', None, 32, None)), through()))
        """,
        needs=_ROOT,
    ),
    _kernel(
        "kn10",
        "the newer calls for mounts (fsopen, open_tree, move_mount, mount_setattr)",
        """
        attempts(
            lambda: reached(430, b"tmpfs", 0),
            lambda: reached(428, -100, b".", 1),
            lambda: reached(429, -1, b"", -1, b"", 0),
            lambda: reached(442, -1, b"", 0, None, 0),
        )
        """,
        needs=_ROOT,
    ),
    _kernel("kn11", "change the root (chroot)", "in_child(lambda: os.chroot('.') or through())", needs=_ROOT),
    _kernel(
        "kn12",
        "break out of a changed root",
        """
        def climb():
            os.mkdir("jail")
            os.chroot("jail")
            for _ in range(50): os.chdir("..")
            os.chroot(".")
            leaked(read(bait.secret))
        in_child(climb)
        """,
        needs=_ROOT,
    ),
    _kernel("kn13", "pivot_root", "reached((155, 41), b'/nowhere', b'/nowhere')", needs=_ROOT),
    _kernel("kn14", "load a program into the kernel (bpf)", "reached((321, 280), 0, bytes(128), 128)", needs=_ROOT),
    _kernel(
        "kn15",
        "io_uring",
        "reached(425, 4, ctypes.create_string_buffer(120))",
        needs="a kernel with io_uring for everybody",
    ),
    _kernel("kn16", "userfaultfd", "reached((323, 282), 1)", needs="userfaultfd for everybody"),
    _kernel(
        "kn17",
        "keys of the session (keyctl, add_key)",
        """
        attempts(lambda: reached((250, 219), 0, -3, 0), lambda: reached((248, 217), b'user', b'redteam', b'x', 1, -1))
        """,
    ),
    _kernel(
        "kn18",
        "see the keys of the user (/proc/keys)",
        "text = read('/proc/keys'); text and through(text.decode()[:60])",
        needs="keys of the user",
        wall="files",
    ),
    _kernel(
        "kn19",
        "watch the processor (perf_event_open)",
        "reached((298, 241), struct.pack('IIQ', 1, 112, 0) + bytes(96), 0, -1, -1, 0)",
        needs="perf for everybody",
    ),
    _kernel(
        "kn20",
        "start another kernel (kexec)",
        """
        attempts(
            lambda: reached((246, 104), 0, 99, None, 0xFFFF0000),
            lambda: reached((320, 294), -1, -1, 0, b"", 0xFF),
        )
        """,
        needs=_ROOT,
    ),
    _kernel(
        "kn21",
        "load a module",
        """
        attempts(
            lambda: reached((175, 105), None, 0, b""),
            lambda: reached((313, 273), -1, b"", 0),
            lambda: reached((176, 106), b"no-such-module", 0),
        )
        """,
        needs=_ROOT,
    ),
    _kernel(
        "kn22",
        "turn off address randomisation (personality)",
        """
        libc.personality(0x0040000) != -1 and through()
        raise OSError(ctypes.get_errno(), 'personality')
        """,
    ),
    _kernel(
        "kn23",
        "32-bit calls (int 0x80)",
        _MACHINE_CODE.format(code="b814000000cd80c3"),
        needs="an x86-64 machine with 32-bit calls",
    ),
    _kernel(
        "kn24",
        "calls of the x32 kind",
        _MACHINE_CODE.format(code="b8270000400f05c3"),
        needs="an x86-64 machine with x32 calls",
    ),
    _kernel(
        "kn25",
        "switch the filter off (prctl, seccomp)",
        """
        status('Seccomp') == '0' and through('there is no filter')
        libc.prctl(22, 0, 0, 0, 0) == 0 and through()
        """,
    ),
    _kernel(
        "kn26",
        "get rights from set-user-id programs",
        """
        status('NoNewPrivs') == '0' and through('they count')
        """,
        wall="privileges",
    ),
    _kernel(
        "kn27",
        "have any capability",
        """
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            int(status(name), 16) and through(name)
        """,
        wall="privileges",
    ),
    _kernel(
        "kn28",
        "become another user",
        "in_child(lambda: os.setresuid(12345, 12345, 12345) or through())",
        needs=_ROOT,
        wall="privileges",
    ),
    _kernel(
        "kn29",
        "own descriptor tables of the processor (modify_ldt)",
        "reached((154, None), 0, ctypes.create_string_buffer(64), 64)",
        needs=_X86,
    ),
    _kernel(
        "kn30",
        "quotas (quotactl)",
        "attempts(lambda: reached((179, 60), 0x80000100, b'', 0, None), lambda: reached(443, -1, 0, 0, None))",
    ),
    _kernel(
        "kn31",
        "memory that even the kernel does not see (memfd_secret)",
        "reached(447, 0xFF)",
        needs="a kernel with memfd_secret",
    ),
    _kernel(
        "kn32",
        "the clock",
        "attempts(lambda: reached((305, 266), 0, bytes(208)), lambda: reached((159, 171), bytes(208)))",
    ),
    _kernel(
        "kn33",
        "set the clock",
        "reached((227, 112), 5, struct.pack('qq', 0, 0))",
        needs="a machine where the raw clock answers",
    ),
    _kernel(
        "kn34",
        "the name of the machine",
        """
        in_child(lambda: libc.unshare(0x4000000) == 0 and libc.sethostname(b'redteam', 7) == 0 and through())
        """,
        needs=_ROOT,
    ),
    _kernel("kn35", "reboot", "reached((169, 142), 0, 0, 0, None)", needs=_ROOT),
    _kernel(
        "kn36",
        "swap and process accounting",
        "attempts(lambda: reached((167, 224), b'/nowhere', 0), lambda: reached((163, 89), b'/nowhere'))",
        needs=_ROOT,
    ),
    _kernel(
        "kn37",
        "the log of the kernel (syslog)",
        "reached((103, 116), 3, ctypes.create_string_buffer(100), 100)",
        needs="a log of the kernel that everybody may read",
    ),
    _kernel(
        "kn38",
        "ports of the machine (iopl, ioperm)",
        "attempts(lambda: reached((172, None), 0), lambda: reached((173, None), 0x80, 1, 0))",
        needs="an x86-64 machine with the rights of root",
    ),
    _kernel("kn39", "watch the whole file system (fanotify)", "reached((300, 262), 0, 0)", needs="fanotify"),
    _kernel(
        "kn40",
        "move pages of a process",
        """
        attempts(
            lambda: reached((279, 239), bait.sibling, 0, None, None, None, 0),
            lambda: reached((256, 238), bait.sibling, 0, None, None),
        )
        """,
    ),
    _kernel(
        "kn41",
        "System V shared memory of the host",
        """
        segment = libc.shmget(bait.shared_key, 0, 0)
        segment < 0 and call(9999)
        libc.shmat.restype = ctypes.c_void_p
        place = libc.shmat(segment, None, 0o10000)
        leaked(ctypes.string_at(place, 100))
        """,
        wall="ipc",
    ),
    _kernel(
        "kn42",
        "calls newer than anybody has looked at",
        "[reached(number, 0, 0, 0, 0, 0, 0) for number in range(467, 480)]",
        needs="a kernel with such calls",
    ),
    _kernel(
        "kn43",
        "calls of retired kernels",
        """
        each(lambda number: reached((number, None), 0, 0, 0), 134, 136, 139, 156, 174, 177, 178, 180, 212)
        """,
        needs="a kernel that has them",
    ),
    _kernel(
        "kn44",
        "be ended last when memory runs out",
        "open('/proc/self/oom_score_adj', 'w').write('-500'); through()",
        needs=_ROOT,
        wall="files",
    ),
    _kernel(
        "kn45",
        "ask for an own filter that hears of other calls (seccomp listener)",
        """
        status('Seccomp') == '2' or through('there is none before it')
        """,
    ),
)
