"""Time of check, time of use: what changes while a wall looks."""

from __future__ import annotations

from functools import partial

from casemate.redteam.model import Area, Attack

_races = partial(Attack, area=Area.RACES, wall="files")

RACES = (
    _races(
        "rc01",
        "a path that is a link to the secret every other moment",
        """
        open("mine", "w").write("mine")
        os.symlink(bait.secret, "theirs")
        over = time.monotonic() + 1
        def swap():
            while time.monotonic() < over:
                os.symlink("mine", "new"); os.replace("new", "path")
                os.symlink(bait.secret, "new"); os.replace("new", "path")
        threading.Thread(target=swap, daemon=True).start()
        while time.monotonic() < over:
            with contextlib.suppress(OSError): leaked(read("path"))
        time.sleep(0.2)
        leaked(read("path"))
        """,
    ),
    _races(
        "rc02",
        "an address that changes while the broker looks",
        """
        bad, good = socket.inet_aton("127.0.0.1"), socket.inet_aton(bait.good)
        raw = ctypes.create_string_buffer(struct.pack("=HH4s8x", 2, socket.htons(bait.port), good), 16)
        place, over = ctypes.addressof(raw) + 4, time.monotonic() + 1.5
        def flip():
            while time.monotonic() < over:
                ctypes.memmove(place, bad, 4); ctypes.memmove(place, good, 4)
        threading.Thread(target=flip, daemon=True).start()
        while time.monotonic() < over:
            with socket.socket() as asking:
                if libc.connect(asking.fileno(), raw, 16) == 0 and asking.getpeername()[0] == "127.0.0.1":
                    leaked(asking.recv(100))
        time.sleep(0.1)
        ctypes.memmove(place, bad, 4)
        with socket.socket() as asking:
            worked(libc.connect(asking.fileno(), raw, 16))
            leaked(asking.recv(100))
        """,
        wall="network",
    ),
    _races(
        "rc03",
        "a descriptor that is another socket every other moment",
        """
        good, over = socket.create_connection((bait.good, bait.good_port), 5), time.monotonic() + 1.5
        mine = socket.socket(); place = os.dup(mine.fileno())
        def swap():
            while time.monotonic() < over:
                os.dup2(good.fileno(), place); os.dup2(mine.fileno(), place)
        threading.Thread(target=swap, daemon=True).start()
        bad = struct.pack("=HH4s8x", 2, socket.htons(bait.port), socket.inet_aton("127.0.0.1"))
        while time.monotonic() < over:
            libc.connect(place, struct.pack("=H14x", 0), 16)
            if libc.connect(place, bad, 16) == 0:
                with contextlib.suppress(OSError): leaked(os.read(place, 100))
        """,
        wall="network",
    ),
    _races(
        "rc04",
        "a result that becomes a link while it is collected",
        """
        open("result", "w").write("mine")
        if os.fork() == 0:
            over = time.monotonic() + 3
            while time.monotonic() < over:
                os.symlink(bait.secret, "new"); os.replace("new", "result")
            os._exit(0)
        time.sleep(0.05)
        """,
        collects=("result",),
    ),
    _races(
        "rc05",
        "a folder that is swapped for a link while it is collected",
        """
        os.mkdir("results"); open("results/secret", "w").write("mine")
        if os.fork() == 0:
            over = time.monotonic() + 3
            with contextlib.suppress(OSError):
                os.rename("results", "old"); os.symlink(bait.folder, "results")
            os._exit(0)
        time.sleep(0.05)
        """,
        collects=("results/secret",),
    ),
    _races(
        "rc06",
        "climbing out of a folder that is moved away (rename and ..)",
        """
        os.makedirs("a/b/c"); over = time.monotonic() + 1
        def move():
            while time.monotonic() < over:
                with contextlib.suppress(OSError): os.rename("a/b/c", "c"); os.rename("c", "a/b/c")
        threading.Thread(target=move, daemon=True).start()
        path = "a/b/c/" + "../" * 40 + bait.secret.lstrip("/")
        while time.monotonic() < over:
            with contextlib.suppress(OSError): leaked(read(path))
        """,
    ),
)
