"""The properties of the Docker task runner (spec/isolation 7.3), from rendered values to typed ones. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal, NoReturn, TypeAlias, cast, get_args

from casemate import durations, sizes
from casemate.containers.credentials import Credentials, read_config, read_credentials
from casemate.containers.errors import OptionRefused

PullPolicy: TypeAlias = Literal["IF_NOT_PRESENT", "ALWAYS", "NEVER"]
FileHandling: TypeAlias = Literal["VOLUME", "MOUNT"]

LONGEST_GRACE: Final = timedelta(minutes=5)
"""No flow can put off a kill for longer."""
_PORT: Final = re.compile(
    r"(?:(?P<ip>[0-9.]+|\[[0-9a-fA-F:]+\]):)?(?P<host>[0-9]{1,5}):(?P<inner>[0-9]{1,5})(?:/(?P<protocol>tcp|udp|sctp))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A folder of the engine's machine, or a named volume, at a place in the container."""

    source: str
    target: str
    read_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of the container, published on the engine's machine."""

    ip: str
    host: str
    inner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """`memory`: sizes in bytes, swappiness in percent."""

    memory: int | None = None
    swap: int | None = None
    swappiness: int | None = None
    reservation: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a flow asks of the runner. None: it does not say."""

    host: str | None = None
    credentials: tuple[Credentials, ...] = ()
    user: str | None = None
    entry_point: tuple[str, ...] = ("",)
    extra_hosts: tuple[str, ...] = ()
    network: str | None = None
    ports: tuple[Port, ...] = ()
    volumes: tuple[Volume, ...] = ()
    pull_policy: PullPolicy = "IF_NOT_PRESENT"
    devices: tuple[Mapping[str, object], ...] = ()
    cpus: float | None = None
    memory: Memory = field(default_factory=Memory)
    shared_memory: int | None = None
    privileged: bool = False
    files: FileHandling = "VOLUME"
    delete: bool = True
    wait: bool = True
    grace: timedelta = timedelta()
    resume: bool = True


def read_options(rendered: Mapping[str, object]) -> Options:
    """The properties as values. Raises `OptionRefused` for what means nothing, or can be had from no engine."""
    _none_unknown(rendered)
    given = {name: value for name, value in rendered.items() if value not in (None, "")}
    return Options(
        host=_text(given, "host"),
        credentials=(*read_credentials(_map(given, "credentials")), *read_config(_map(given, "config"))),
        user=_text(given, "user"),
        entry_point=_texts(given, "entryPoint") or ("",),
        extra_hosts=_texts(given, "extraHosts"),
        network=_text(given, "networkMode"),
        ports=tuple(map(_port, _texts(given, "portBindings"))),
        volumes=tuple(map(_volume, _texts(given, "volumes"))),
        pull_policy=cast("PullPolicy", _choice(given, "pullPolicy", get_args(PullPolicy), "IF_NOT_PRESENT")),
        devices=tuple(_device(each) for each in _list(given, "deviceRequests")),
        cpus=_cpus(_map(given, "cpu")),
        memory=_memory(_map(given, "memory")),
        shared_memory=_size(given, "shmSize"),
        privileged=_flag(given, "privileged", default=False),
        files=cast("FileHandling", _choice(given, "fileHandlingStrategy", get_args(FileHandling), "VOLUME")),
        delete=_flag(given, "delete", default=True),
        wait=_flag(given, "wait", default=True),
        grace=_grace(given, "killGracePeriod"),
        resume=_flag(given, "resume", default=True),
    )


PROPERTIES: Final = frozenset(
    (
        *("host", "config", "credentials", "user", "entryPoint", "extraHosts", "networkMode", "portBindings"),
        *("volumes", "pullPolicy", "deviceRequests", "cpu", "memory", "shmSize", "privileged", "wait", "delete"),
        *("fileHandlingStrategy", "killGracePeriod", "resume"),
    )
)
_BESIDE: Final = frozenset(("type", "version", "image"))
"""What else may stand there; the image of the older `docker` property is read by the worker."""


def _none_unknown(rendered: Mapping[str, object]) -> None:
    # A task that only rendering brings to light was held against no schema.
    if unknown := sorted(rendered.keys() - PROPERTIES - _BESIDE):
        raise OptionRefused(f"The Docker task runner has no property '{unknown[0]}'.")


def _cpus(written: Mapping[str, object]) -> float | None:
    value = _known("cpu", written, ("cpus",)).get("cpus")
    try:
        found = None if value is None else float(str(value))
    except ValueError:
        _refuse("cpu.cpus", value, "a number of cores is expected")
    if found is not None and not 0 < found < 100_000:
        _refuse("cpu.cpus", value, "a number of cores is expected")
    return found


def _memory(written: Mapping[str, object]) -> Memory:
    names = ("memory", "memorySwap", "memorySwappiness", "memoryReservation", "kernelMemory", "oomKillDisable")
    given = {name: value for name, value in _known("memory", written, names).items() if value not in (None, "")}
    if "kernelMemory" in given:
        raise OptionRefused("`memory.kernelMemory` is gone from the engines; `memory.memory` limits all of it.")
    if _flag(given, "oomKillDisable", default=False):
        raise OptionRefused("`memory.oomKillDisable` would let a task hang for ever at its limit; leave it out.")
    return Memory(
        memory=_size(given, "memory"),
        swap=_size(given, "memorySwap"),
        swappiness=_percent(given),
        reservation=_size(given, "memoryReservation"),
    )


def _percent(given: Mapping[str, object]) -> int | None:
    value = str(given.get("memorySwappiness", ""))
    if value and not (value.isascii() and value.isdigit() and int(value) <= 100):
        _refuse("memory.memorySwappiness", value, "a number from 0 to 100 is expected")
    return int(value) if value else None


def _port(text: str) -> Port:
    found = _PORT.fullmatch(text.strip())
    if found is None:
        _refuse("portBindings", text, "[ip:]host:container[/protocol] is expected")
    inner = f"{found['inner']}/{found['protocol'] or 'tcp'}"
    return Port(ip=(found["ip"] or "").strip("[]"), host=found["host"], inner=inner)


def _volume(text: str) -> Volume:
    source, target, *modes = text.strip().split(":")[:3] if text.count(":") in (1, 2) else ("", "")
    if not source or not target.startswith("/") or not set(modes) <= {"ro", "rw"}:
        _refuse("volumes", text, "source:target or source:target:ro is expected")
    return Volume(source=source, target=target, read_only=modes == ["ro"])


def _device(written: object) -> Mapping[str, object]:
    known = {"driver": "Driver", "count": "Count", "deviceIds": "DeviceIDs", "capabilities": "Capabilities"}
    names = {**known, "options": "Options"}
    if not isinstance(written, Mapping):
        _refuse("deviceRequests", written, "a map is expected")
    given = _known("deviceRequests", written, tuple(names))
    return {names[name]: value for name, value in given.items() if value is not None}


def _known(where: str, written: Mapping[str, object], names: tuple[str, ...]) -> Mapping[str, object]:
    if unknown := sorted(written.keys() - set(names)):
        raise OptionRefused(f"`{where}` has no property '{unknown[0]}'.")
    return written


def _text(given: Mapping[str, object], name: str) -> str | None:
    value = given.get(name)
    return None if value is None else str(value).strip()


def _texts(given: Mapping[str, object], name: str) -> tuple[str, ...]:
    return tuple(str(item) for item in _list(given, name))


def _list(given: Mapping[str, object], name: str) -> tuple[object, ...]:
    value = _parsed(given.get(name), "[")
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _map(given: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = _parsed(given.get(name), "{")
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        # Its text is not told: it may hold a password.
        raise OptionRefused(f"Invalid `{name}` of the Docker task runner: a map is expected.")
    return {str(key): item for key, item in value.items()}


def _parsed(value: object, opening: str) -> object:
    if isinstance(value, str) and value.lstrip().startswith(opening):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _flag(given: Mapping[str, object], name: str, *, default: bool) -> bool:
    value = given.get(name, default)
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text not in ("true", "false"):
        _refuse(name, value, "true or false is expected")
    return text == "true"


def _choice(given: Mapping[str, object], name: str, choices: tuple[str, ...], default: str) -> str:
    value = str(given.get(name, default)).strip().upper()
    if value not in choices:
        _refuse(name, value, f"one of {', '.join(choices)} is expected")
    return value


def _size(given: Mapping[str, object], name: str) -> int | None:
    value = given.get(name)
    try:
        return None if value is None else sizes.parse(str(value))
    except sizes.NotASize as error:
        raise OptionRefused(str(error)) from error


def _grace(given: Mapping[str, object], name: str) -> timedelta:
    value = given.get(name)
    try:
        found = timedelta() if value is None else max(durations.parse(str(value)), timedelta())
    except durations.NotADuration as error:
        _refuse(name, value, str(error))
    if found > LONGEST_GRACE:
        # Who may put off a kill for a day needs no longer time than that.
        _refuse(name, value, f"at most {durations.printed(LONGEST_GRACE)} is possible, since a kill waits for it")
    return found


def _refuse(name: str, value: object, expected: str) -> NoReturn:
    raise OptionRefused(f"Invalid `{name}` of the Docker task runner, '{str(value)[:200]}': {expected}.")
