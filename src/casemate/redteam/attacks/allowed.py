"""What a task must be able to do in spite of all walls."""

from __future__ import annotations

from functools import partial

from casemate.redteam.model import Area, Attack, Runs

_allowed = partial(Attack, area=Area.WELCOME)

WELCOME = (
    _allowed(
        "ok01",
        "connect to a host that the policy opens",
        """
        socket.create_connection((bait.good, bait.good_port), 5).recv(200).endswith(b'welcome') and through()
        """,
    ),
    _allowed(
        "ok02",
        "start a thread in a script",
        "thread = threading.Thread(target=int); thread.start(); thread.join(); through()",
    ),
    _allowed("ok03", "start a process in a script", "in_child(through)"),
    _allowed("ok04", "pipes of a shell", "[ \"$(printf 'b\\na\\n' | sort | head -n1)\" = a ] && through", Runs.SHELL),
    _allowed(
        "ok05",
        "the working directory",
        """
        open('made', 'w').write('x')
        os.mkdir('folder')
        os.rename('made', 'folder/moved')
        os.remove('folder/moved')
        through()
        """,
    ),
    _allowed(
        "ok06",
        "temporary files",
        """
        tempfile.NamedTemporaryFile().write(b'x')
        open('/dev/shm/' + bait.mark, 'w').write('x')
        os.unlink('/dev/shm/' + bait.mark)
        through()
        """,
    ),
    _allowed(
        "ok07",
        "names",
        "socket.getaddrinfo('good.redteam.test', 80)[0][4][0] == bait.good and through()",
        needs="a network of the red team's own",
    ),
    _allowed(
        "ok08",
        "time zones",
        "import zoneinfo; zoneinfo.ZoneInfo('Europe/Berlin'); through()",
        needs="time zones on this machine",
    ),
    _allowed(
        "ok09",
        "a TLS context with the machine's certificates",
        """
        import ssl
        ssl.create_default_context().cert_store_stats()['x509_ca'] and through()
        """,
        needs="certificates on this machine",
    ),
    _allowed(
        "ok10",
        "talk to itself over the loopback",
        """
        here = socket.create_server(('127.0.0.1', 0))
        there = socket.create_connection(here.getsockname(), 2)
        there.send(b'x')
        here.accept()[0].recv(1) == b'x' and through()
        """,
    ),
    _allowed("ok11", "asyncio", "import asyncio; asyncio.run(asyncio.to_thread(int)) == 0 and through()"),
    _allowed(
        "ok12",
        "processes of multiprocessing, with their locks",
        """
        import multiprocessing
        context = multiprocessing.get_context('fork')
        lock = context.Lock()
        child = context.Process(target=lock.acquire)
        child.start()
        child.join(5)
        child.exitcode == 0 and through()
        """,
    ),
    _allowed(
        "ok13",
        "git",
        """
        git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x
        git log --oneline | grep -q x && through
        """,
        Runs.SHELL,
        needs="git",
    ),
    _allowed("ok14", "compute in a plugin", "sum(range(10)) == 45 and through()", Runs.PLUGIN),
    _allowed(
        "ok15", "temporary files in a plugin", "tempfile.NamedTemporaryFile().write(b'x'); through()", Runs.PLUGIN
    ),
    _allowed(
        "ok16",
        "signals to own children",
        """
        child = subprocess.Popen(['sleep', '9'])
        child.terminate()
        child.wait(5) == -15 and through()
        """,
    ),
    _allowed(
        "ok17",
        "the user's name",
        "import pwd; pwd.getpwuid(os.getuid()).pw_name and through()",
        needs="a name of the user on this machine",
    ),
    _allowed(
        "ok18",
        "unix sockets of one's own",
        """
        here = socket.socket(socket.AF_UNIX)
        here.bind('own')
        here.listen()
        there = socket.socket(socket.AF_UNIX)
        there.connect('own')
        through()
        """,
    ),
)
