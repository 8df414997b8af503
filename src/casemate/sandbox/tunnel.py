"""The way through an HTTP proxy (RFC 9110 9.3.6): what is asked of it, and where its answer ends. Pure."""

from __future__ import annotations

import errno
import re
from base64 import b64encode

from casemate.sandbox.addresses import Inet
from casemate.sandbox.model import Proxy

LONGEST_ANSWER = 16 << 10
_END = b"\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: [^\r\n]*)?\r\n")


class Unintelligible(ValueError):
    """What came from the proxy is no answer of one."""


def request(to: Inet, name: str, proxy: Proxy) -> bytes:
    """What the proxy is asked for: the name if it is known to lead there, else the address."""
    host = name or (f"[{to.address}]" if ":" in to.address else to.address)
    lines = [f"CONNECT {host}:{to.port} HTTP/1.1", f"Host: {host}:{to.port}"]
    if proxy.credentials:
        lines.append(f"Proxy-Authorization: Basic {b64encode(proxy.credentials.reveal().encode()).decode()}")
    return "\r\n".join((*lines, "", "")).encode()


def answer_ends(answer: bytes) -> int | None:
    """Where the proxy's own words end; None: not yet. Raises `Unintelligible` when they are too long."""
    end = answer.find(_END)
    if end >= 0:
        return end + len(_END)
    if len(answer) >= LONGEST_ANSWER:
        raise Unintelligible("the proxy's answer does not end")
    return None


def status(answer: bytes) -> int:
    """The status of an answer that is complete. Raises `Unintelligible`."""
    found = _STATUS.match(answer)
    if not found:
        raise Unintelligible("not an answer of an HTTP proxy")
    return int(found[1])


def error_of(code: int) -> int:
    """The errno for a status: 0, refused by the proxy, or not reached by it."""
    if code in range(200, 300):
        return 0
    return errno.EHOSTUNREACH if code in range(500, 600) else errno.ECONNREFUSED
