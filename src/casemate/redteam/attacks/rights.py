"""Threads and processes of a task type that asks for neither: by every call that makes one."""

from __future__ import annotations

from functools import partial

from casemate.redteam.model import Area, Attack, Runs

_rights = partial(Attack, area=Area.RIGHTS, wall="rights", runs=Runs.PLUGIN)

_X86 = "an x86-64 machine"
_CHILD = "child or os._exit(0); os.waitpid(child, 0); through()"

RIGHTS = (
    _rights("th01", "start a thread", "threading.Thread(target=int).start(); through()"),
    _rights(
        "th02", "start a thread below Python (_thread)", "import _thread; _thread.start_new_thread(int, ()); through()"
    ),
    _rights(
        "th03",
        "start a thread in C (pthread_create)",
        """
        ran = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(lambda _: None)
        libc.pthread_create(ctypes.byref(ctypes.c_ulong()), None, ran, None) == 0 and (time.sleep(0.1), through())
        """,
    ),
    _rights(
        "th04",
        "a pool of threads",
        """
        from concurrent.futures import ThreadPoolExecutor
        ThreadPoolExecutor(1).submit(int).result(5)
        through()
        """,
    ),
    _rights("th05", "fork", "child = os.fork(); child or os._exit(0); os.waitpid(child, 0); through()"),
    _rights(
        "th06",
        "fork by number",
        """
        child = call((57, None), )
        child or os._exit(0)
        os.waitpid(child, 0)
        through()
        """,
        needs=_X86,
    ),
    _rights(
        "th07",
        "vfork",
        """
        if not AMD64: raise OSError(errno.ENOSYS, "code for x86-64")
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(bytes.fromhex("b83a0000000f0585c0750931ffb83c0000000f05c3"))
        made = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
        made > 0 and through()
        raise OSError(-made, os.strerror(-made))
        """,
        needs=_X86,
    ),
    _rights(
        "th08",
        "clone",
        """
        child = call((56, 220), 17, None, None, None, None)
        child or os._exit(0)
        os.waitpid(child, 0)
        through()
        """,
    ),
    _rights(
        "th09",
        "clone a thread by number",
        """
        stack = ctypes.create_string_buffer(1 << 16)
        reached((56, 220), 0x10900, None, None, None, None)
        """,
        needs="a kernel that answers clone with EINVAL",
    ),
    _rights(
        "th10",
        "clone3",
        """
        child = call(435, (ctypes.c_uint64 * 8)(0, 0, 0, 0, 17), 64)
        child or os._exit(0)
        os.waitpid(child, 0)
        through()
        """,
    ),
    _rights("th11", "posix_spawn", "os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0); through()"),
    _rights("th12", "a program (subprocess, system)", "subprocess.run(['true'], check=True); through()"),
    _rights(
        "th13",
        "become another program (execve)",
        """
        said = "::" + json.dumps({"outputs": {"through": "it became another program"}}) + "::"
        os.execv("/bin/echo", ["echo", said])
        """,
    ),
    _rights(
        "th14",
        "become a program in memory (execveat, memfd)",
        """
        said = b"::" + json.dumps({"outputs": {"through": "it became another program"}}).encode() + b"::"
        held = os.memfd_create("program")
        os.write(held, read("/bin/echo"))
        call((322, 281), held, b"", (ctypes.c_char_p * 3)(b"echo", said, None), (ctypes.c_char_p * 1)(None), 0x1000)
        """,
    ),
    _rights(
        "th15",
        "a timer that starts threads (SIGEV_THREAD)",
        """
        notify = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: None)
        place = ctypes.cast(notify, ctypes.c_void_p).value
        event = ctypes.create_string_buffer(struct.pack("qiiQQ", 0, 0, 2, place, 0), 64)
        timer = ctypes.c_void_p()
        libc.timer_create(1, event, ctypes.byref(timer)) == 0 and len(os.listdir('/proc/self/task')) > 1 and through()
        """,
    ),
    _rights(
        "th16",
        "io_uring, whose threads are the kernel's",
        "reached(425, 4, ctypes.create_string_buffer(120))",
        needs="a kernel with io_uring for everybody",
        wall="system calls",
    ),
    _rights(
        "th17",
        "asynchronous input and output of C (aio_read)",
        """
        library = ctypes.CDLL('librt.so.1')
        block = ctypes.create_string_buffer(168)
        struct.pack_into('iii', block, 0, os.open('/dev/zero', 0), 0, 0)
        data = ctypes.create_string_buffer(8)
        struct.pack_into('QQ', block, 16, ctypes.addressof(data), 8)
        library.aio_read(block) == 0 and len(os.listdir('/proc/self/task')) > 1 and through()
        """,
    ),
    _rights(
        "th18",
        "processes of multiprocessing",
        """
        import multiprocessing
        child = multiprocessing.get_context('fork').Process(target=int)
        child.start()
        child.join()
        through()
        """,
    ),
    _rights(
        "th19",
        "threads of the resolver (getaddrinfo_a)",
        """
        library = ctypes.CDLL('libanl.so.1')
        block = ctypes.create_string_buffer(64)
        struct.pack_into('Q', block, 0, ctypes.cast(ctypes.c_char_p(b'localhost'), ctypes.c_void_p).value)
        lists = (ctypes.c_void_p * 1)(ctypes.addressof(block))
        library.getaddrinfo_a(1, lists, 1, None) == 0 and (time.sleep(0.2), through())
        """,
        needs="libanl",
    ),
)
