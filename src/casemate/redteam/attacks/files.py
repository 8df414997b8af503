"""Files that a task must not have: by every name, by every call, for reading, changing or only knowing of them."""

from __future__ import annotations

from functools import partial

from casemate.redteam.model import Area, Attack, Runs

_files = partial(Attack, area=Area.FILES, wall="files")

_ROOT = "the rights of root"
_SHOWN = "a folder that may be shown (/var/lib, /srv, /opt, or a home outside /tmp)"

FILES = (
    _files("fs01", "read a file of the host", "leaked(read(bait.secret))"),
    _files("fs02", "the same from a plugin", "leaked(read(bait.secret))", Runs.PLUGIN),
    _files("fs03", "the same from a shell", 'cat "$BAIT_SECRET" | leaked', Runs.SHELL),
    _files("fs04", "read it through /proc/self/root", "leaked(read('/proc/self/root' + bait.secret))"),
    _files(
        "fs05",
        "read it through /proc/PID/root and /proc/PID/cwd of any process",
        """
        for process in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError): leaked(read(f"/proc/{process}/root{bait.secret}"))
            with contextlib.suppress(OSError): leaked(read(f"/proc/{process}/cwd/secret"))
        """,
    ),
    _files(
        "fs06",
        "read it through a symbolic link",
        """
        os.symlink(bait.secret, "link")
        leaked(read("link"))
        """,
    ),
    _files(
        "fs07",
        "read it through a hard link",
        """
        os.link(bait.secret, "hard")
        leaked(read("hard"))
        """,
        needs="the working directory on the disk of the secret",
    ),
    _files(
        "fs08",
        "read it through /dev/fd, /proc/self/cwd and dots",
        """
        attempts(
            lambda: leaked(read("../" * 40 + bait.secret)),
            lambda: leaked(read("/proc/self/cwd/" + "../" * 40 + bait.secret)),
            lambda: leaked(read("/dev/fd/../../../" + "../" * 40 + bait.secret)),
        )
        """,
    ),
    _files(
        "fs09",
        "read it by openat2 and by an O_PATH descriptor",
        """
        held = os.open(bait.secret, os.O_PATH)
        leaked(read(f"/proc/self/fd/{held}"))
        """,
    ),
    _files("fs10", "see that it exists (stat)", "os.stat(bait.secret); through('it has metadata')"),
    _files("fs11", "see that its folder exists (access, chdir)", "os.chdir(bait.folder); through('one can go there')"),
    _files("fs12", "list its folder", "through(f'{len(os.listdir(bait.folder))} names')"),
    _files(
        "fs13",
        "watch its folder (inotify)",
        """
        watching = libc.inotify_init1(0)
        if libc.inotify_add_watch(watching, bait.folder.encode(), 0xFFF) < 0: raise OSError(ctypes.get_errno(), "watch")
        through("it is watched")
        """,
    ),
    _files(
        "fs14",
        "open it by its handle (name_to_handle_at, open_by_handle_at)",
        """
        handle = ctypes.create_string_buffer(struct.pack("II", 128, 0) + bytes(128))
        mount = ctypes.c_int()
        call((303, 264), -100, bait.secret.encode(), handle, ctypes.byref(mount), 0)
        folder = os.open(bait.folder, os.O_RDONLY)
        opened = call((304, 265), folder, handle, os.O_RDONLY)
        leaked(os.read(opened, 100))
        """,
        needs=_ROOT,
    ),
    _files(
        "fs15",
        "guess handles of the file system below the working directory",
        """
        here = os.open(".", os.O_RDONLY)
        for inode in range(2, 200):
            handle = ctypes.create_string_buffer(struct.pack("IIII", 8, 1, inode, 0), 24)
            try: opened = call((304, 265), here, handle, os.O_RDONLY)
            except OSError as error:
                if error.errno in (errno.EPERM, errno.ENOSYS): raise
                continue
            through("a file was opened by its number")
        through("the kernel took the handles")
        """,
        needs=_ROOT,
    ),
    _files(
        "fs16",
        "map it into memory",
        """
        with open(bait.secret, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
            leaked(mapped[:])
        """,
    ),
    _files("fs17", "run it", "subprocess.run([bait.tool], check=True); through()"),
    _files("fs18", "write to it", "open(bait.scrap + '1', 'w').write('changed'); through()"),
    _files("fs19", "cut it off (truncate)", "os.truncate(bait.scrap + '2', 0); through()"),
    _files("fs20", "rename it", "os.rename(bait.scrap + '3', bait.scrap + '3x'); through()"),
    _files(
        "fs21",
        "rename it into the working directory",
        "os.rename(bait.scrap + '4', 'mine'); through()",
        needs="the working directory on the disk of the secret",
    ),
    _files("fs22", "remove it", "os.unlink(bait.scrap + '5'); through()"),
    _files(
        "fs23",
        "change its rights and its owner",
        """
        os.chmod(bait.scrap + '6', 0o666)
        os.chown(bait.scrap + '6', os.getuid(), os.getgid())
        through()
        """,
    ),
    _files("fs24", "change its times", "os.utime(bait.scrap + '7', (1, 1)); through()"),
    _files(
        "fs25",
        "give it an extended attribute",
        "os.setxattr(bait.scrap + '8', 'user.red', b'x'); through()",
        needs="a file system with extended attributes",
    ),
    _files(
        "fs26",
        "make a file, a folder and a link beside it",
        "open(bait.folder + '/new', 'w'); os.mkdir(bait.folder + '/newer'); through()",
    ),
    _files(
        "fs27",
        "lock it",
        """
        import fcntl
        fcntl.flock(open(bait.secret), fcntl.LOCK_EX | fcntl.LOCK_NB)
        through()
        """,
    ),
    _files(
        "fs28",
        "read a forbidden file in a shown folder",
        "leaked(read(shown('shown') + '/forbidden.txt'))",
        needs=_SHOWN,
    ),
    _files(
        "fs29",
        "list a forbidden folder in a shown one",
        "through(os.listdir(shown('shown') + '/forbidden')[0])",
        needs=_SHOWN,
    ),
    _files(
        "fs30",
        "reach a forbidden file by links that are shown, dots and /proc",
        """
        folder = shown("shown")
        attempts(
            lambda: leaked(read(folder + "/link")),
            lambda: leaked(read(folder + "/./forbidden/../forbidden/secret")),
            lambda: leaked(read("/proc/self/root" + folder + "/forbidden/secret")),
            lambda: leaked(read("/proc/thread-self/root" + folder + "/forbidden.txt")),
        )
        """,
        needs=_SHOWN,
    ),
    _files(
        "fs31",
        "learn the size of a forbidden file",
        "through() if os.stat(shown('shown') + '/forbidden.txt').st_size > 10 else None",
        needs=_SHOWN,
    ),
    _files("fs32", "write into a shown folder", "open(shown('shown') + '/new', 'w'); through()", needs=_SHOWN),
    _files(
        "fs33",
        "change a shown file",
        """
        os.utime(shown('shown') + '/open')
        os.chmod(shown('shown') + '/open', 0o666)
        through()
        """,
        needs=_SHOWN,
    ),
    _files("fs34", "read the state folder", "through(os.listdir(bait.state)[0])"),
    _files("fs35", "read the database", "through() if read(bait.database).startswith(b'SQLite') else None"),
    _files("fs36", "write to the database", "open(bait.database, 'r+b').close(); through()"),
    _files("fs37", "read the configuration", "read(bait.config); through('the configuration was read')"),
    _files("fs38", "read /etc/shadow", "read('/etc/shadow'); through()", needs=_ROOT),
    _files(
        "fs39",
        "read keys and shell history in homes",
        """
        import pwd
        for home in pwd.getpwall():
            with contextlib.suppress(OSError):
                names = os.listdir(home.pw_dir) if home.pw_uid == bait.uid else []
                any(os.path.isfile(os.path.join(home.pw_dir, name)) for name in names) and through(home.pw_dir)
        """,
        needs="a user with a name, and a home with files",
    ),
    _files("fs40", "read what other programs keep in /tmp, /var/tmp and /dev/shm", "leaked(read(bait.shared_file))"),
    _files(
        "fs41",
        "write where the system is (/usr, /etc, /bin, /lib)",
        """
        for place in ('/usr/bin/env', '/etc/passwd', '/etc/ld.so.cache'):
            if os.access(place, os.W_OK):
                os.close(os.open(place, os.O_RDWR)) or through(place)
        os.mkdir('/usr/redteam')
        os.rmdir('/usr/redteam')
        through()
        """,
        needs=_ROOT,
    ),
    _files(
        "fs42",
        "write to kernel.core_pattern",
        "os.close(os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY)); through()",
        needs=_ROOT,
    ),
    _files(
        "fs43",
        "write to other settings of the kernel",
        "os.close(os.open('/proc/sys/kernel/modprobe', os.O_WRONLY)); through()",
        needs="the rights of root, and a kernel that loads modules",
    ),
    _files(
        "fs44",
        "write to /proc/sysrq-trigger",
        "os.close(os.open('/proc/sysrq-trigger', os.O_WRONLY)); through()",
        needs="the rights of root, and a kernel with SysRq",
    ),
    _files("fs45", "look into /sys", "through(os.listdir('/sys/class')[0])"),
    _files(
        "fs46",
        "read the memory of the machine (/dev/mem, /proc/kcore)",
        """
        each(lambda name: os.close(os.open(name, os.O_RDONLY)) or through(name), '/dev/mem', '/proc/kcore')
        """,
        needs="the rights of root, and a kernel with these devices",
    ),
    _files(
        "fs47", "make a device (mknod)", "os.mknod('disk', 0o600 | 0o020000, os.makedev(1, 3)); through()", needs=_ROOT
    ),
    _files(
        "fs48",
        "read the disk itself",
        """
        import glob
        for disk in glob.glob('/dev/[vsn][dv][am]*'):
            os.close(os.open(disk, os.O_RDONLY)) or through(disk)
        """,
        needs="the rights of root, and a disk that is a device",
    ),
    _files(
        "fs49",
        "talk to the engine of Docker",
        """
        for place in ('/var/run/docker.sock', '/run/docker.sock'):
            if os.path.exists(place):
                socket.socket(socket.AF_UNIX).connect(place) or through()
        """,
        needs="an engine of Docker",
    ),
    _files(
        "fs50",
        "write outside of the working directory with set-user-id",
        """
        open('tool', 'w').write('#!/bin/sh\\n')
        os.chmod('tool', 0o4755)
        os.stat('tool').st_mode & 0o4000 and os.statvfs('.').f_flag & 2 == 0 and through('set-user-id counts here')
        """,
        needs="a working directory where set-user-id counts",
    ),
    _files(
        "fs51", "have a link to the secret collected", "os.symlink(bait.secret, 'result.txt')", collects=("result.txt",)
    ),
    _files(
        "fs52", "have a folder linked and collected", "os.symlink(bait.folder, 'results')", collects=("results/secret",)
    ),
    _files(
        "fs53",
        "have a hard link collected",
        "os.link(bait.secret, 'hard.txt')",
        needs="the working directory on the disk of the secret",
        collects=("hard.txt",),
    ),
)
