"""Options of containers and commands that take down walls, in whatever words they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import normpath
from typing import Final

import re2

from casemate.scanning.model import Place, Span

_TRUE: Final = re2.compile(r"(?is)\s*(?:true|1|yes|on)\s*|.*\{\{-?\s*(?:'true'|\"true\"|true|1)\s*-?\}\}.*")
_HOST: Final = re2.compile(r"(?is)\s*(?:host|container:.*)\s*|.*\{\{.*['\"](?:host|container:[^'\"]*)['\"].*\}\}.*")
_CAPABILITIES: Final = (
    "ALL|SYS_ADMIN|SYS_PTRACE|SYS_MODULE|SYS_RAWIO|SYS_BOOT|SYS_TIME|NET_ADMIN|BPF|PERFMON|DAC_READ_SEARCH|MAC_ADMIN"
    "|MAC_OVERRIDE|SYSLOG"
)
_HOST_FLAG: Final = re.compile(
    r"(?<![\w-])--(?:net|network|pid|ipc|uts|userns|cgroupns)(?:=|\s+)['\"]?(?:host\b|container:)"
    r"|\b(?:network_mode|pid|ipc)['\"]?\s*[:=]\s*['\"]?(?:host\b|container:)"
)
_PRIVILEGED_FLAG: Final = re.compile(
    r"(?<![\w-])--privileged(?!=false)(?![\w-])"
    rf"|(?<![\w-])--cap-add(?:=|\s+)['\"]?(?:CAP_)?(?:{_CAPABILITIES})\b"
    r"|\bnsenter\s[^\n]{0,80}(?:-t|--target)[= ]?1\b|\bprivileged['\"]?\s*[:=]\s*['\"]?true\b"
    r"|--security-opt(?:=|\s+)['\"]?(?:seccomp|apparmor)[=:]unconfined",
    re.IGNORECASE,
)
_SOCKET: Final = re.compile(
    r"(?:(?<![\w.])(?:/var)?/?run/(?:[\w-]{1,40}/){0,4}|(?<![\w.-])|(?<=%2f))(?:(?:cri-)?dockerd?(?:\.raw)?|podman|containerd|crio|buildkitd)\.sock(?!\w)"
    r"|docker_engine(?!\w)"
    r"|(?:^|(?<=\s))(?:-v|--volume)[= ]\s{0,20}['\"]?/+(?:var/*)?(?:run/*)?:",
    re.IGNORECASE,
)
_ABOVE_SOCKET: Final = re.compile(r"/(?:var)?(?:/?run(?:/docker|/podman|/containerd)?)?", re.IGNORECASE)
_CAPABILITY: Final = re.compile(rf"\s*(?:CAP_)?(?:{_CAPABILITIES})\s*", re.IGNORECASE)
_PIECE: Final = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^'\"]"
_EXPRESSION: Final = re2.compile(rf"(?s)\{{\{{(?:{_PIECE})*?\}}\}}|\{{%(?:{_PIECE})*?%\}}|\{{\{{.*?\}}\}}|\{{%.*?%\}}")
"""An expression; what ends one does not do so within a text of its own."""
_SECRET: Final = re.compile(r"(?<![\w.])secret\s*\(")
_OLDEST: Final = re.compile(r"io\.kestra\.(?:core\.tasks|plugin\.core)\.scripts\.\w+", re.IGNORECASE)
_PROCESS: Final = re.compile(r"io\.kestra\.[\w.]*\.runner\.(?:\w+\.)?Process(?:TaskRunner)?", re.IGNORECASE)
_NAMED_VOLUME: Final = re.compile(r"[a-zA-Z0-9][\w.-]*:/.*", re.DOTALL)


def true(_place: Place, text: str) -> Iterator[Span]:
    """What Kestra reads as true, also as the text or the number, or as an expression of it."""
    if _TRUE.fullmatch(text):
        yield Span(0, len(text))


def host(_place: Place, text: str) -> Iterator[Span]:
    """The network of the host or of another container, also as an expression of it."""
    if found := _HOST.fullmatch(text):
        yield Span(0, len(text), found[0].strip()[:60])


def host_flag(_place: Place, text: str) -> Iterator[Span]:
    """The same as an option of a container's client in a command."""
    yield from _all(_HOST_FLAG, text)


def privileged_flag(_place: Place, text: str) -> Iterator[Span]:
    """Options of a container's client that give a container the rights of the host."""
    yield from _all(_PRIVILEGED_FLAG, text)


def capability(_place: Place, text: str) -> Iterator[Span]:
    """A capability with which a process leaves its container."""
    if _CAPABILITY.fullmatch(text):
        yield Span(0, len(text), text.strip())


def socket(_place: Place, text: str) -> Iterator[Span]:
    """The socket of a container engine: who reaches it is root on the host."""
    yield from _all(_SOCKET, text)


def folder_of_socket(_place: Place, text: str) -> Iterator[Span]:
    """A volume that is a folder of the host in which the socket of an engine is."""
    if _is_above_socket(text) and not _SOCKET.search(text):
        yield Span(0, len(text), text.strip()[:80])


def _is_above_socket(volume: str) -> bool:
    folder = volume.strip().partition(":")[0]
    return folder.startswith("/") and _ABOVE_SOCKET.fullmatch(f"/{normpath(folder).lstrip('/')}") is not None


def folder_of_host(_place: Place, text: str) -> Iterator[Span]:
    """A volume that is a folder of the host, not one of the engine's by name. The socket has a rule of its own."""
    if not _NAMED_VOLUME.fullmatch(text) and not _SOCKET.search(text) and not _is_above_socket(text):
        yield Span(0, len(text), text.strip()[:80])


def mounted(_place: Place, text: str) -> Iterator[Span]:
    """The working directory of the worker within the container."""
    if text.strip().upper() == "MOUNT":
        yield Span(0, len(text))


def secret_in_text(_place: Place, text: str) -> Iterator[Span]:
    """A secret that an expression writes into the text of a command."""
    for expression in _EXPRESSION.finditer(text):
        if found := _SECRET.search(expression[0]):
            yield Span(expression.start() + found.start(), expression.end())


def runner_name(_place: Place, text: str) -> Iterator[Span]:
    """The value of the older `runner` property."""
    if text.strip().upper() in ("PROCESS", "DOCKER"):
        yield Span(0, len(text), text.strip())


def oldest_type(_place: Place, text: str) -> Iterator[Span]:
    """A script task of the oldest kind, which runs as a process of the worker unless it says otherwise."""
    if _OLDEST.fullmatch(text.strip()):
        yield Span(0, len(text))


def process_type(_place: Place, text: str) -> Iterator[Span]:
    """The task runner that starts processes beside the worker."""
    if _PROCESS.fullmatch(text.strip()):
        yield Span(0, len(text))


def _all(shape: re.Pattern[str], text: str) -> Iterator[Span]:
    for found in shape.finditer(text):
        yield Span(found.start(), found.end(), " ".join(found[0].split())[:60])
