"""The name server of the red team's own network."""

import socket
import struct

from casemate.redteam.servers import resolved


def question(name: str, kind: int) -> bytes:
    labels = b"".join(bytes((len(part),)) + part.encode() for part in name.split("."))
    return struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", kind, 1)


def test_a_name_that_it_knows_has_its_address():
    answer = resolved(question("metadata.redteam.test", 1))
    assert struct.unpack(">6H", answer[:12]) == (7, 0x8180, 1, 1, 0, 0)
    assert answer.endswith(socket.inet_aton("169.254.169.254"))


def test_other_names_and_other_kinds_have_no_answer():
    for asked in (question("example.org", 1), question("metadata.redteam.test", 28)):
        assert struct.unpack(">6H", resolved(asked)[:12]) == (7, 0x8180, 1, 0, 0, 0)
