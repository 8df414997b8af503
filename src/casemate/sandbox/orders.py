"""What the worker tells a zygote: the file tree to show (once) and the sandboxes to start. They travel as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["body", "command"]
Bodies: TypeAlias = Literal["none", "plain", "web"]
"""Which task bodies a zygote has loaded: each page of memory that it carries costs every one of its children."""

_NEED_MUCH = ("core_http", "http", "core_storage_deduplicate")

TASK_ID = 200_000
"""User and group of a task in its user namespace; as root the kernel's own ids count up from here, one a slot."""

ROOT = 0
"""The zygote in the user namespace that it makes, if it makes one."""

TEMPORARY = ".casemate-tmp"
"""In a launch folder: where temporary files go if there is no private /tmp."""

MESSAGE_LIMIT = 64 << 10
"""No order or notice is longer than this many bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The private root of all sandboxes of one zygote.

    `folder` holds the launch folders; `visible` are host paths shown read-only where they are, `writable` ones can be
    written; `forbidden` ones are covered wherever they would show, and so are `hidden` ones, which are the worker's
    own; `found` says what lay at these places; `privileged` says that we are root, so a task gets a kernel user of its
    own, not a namespace's.
    """

    folder: str
    prefix: str
    visible: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    resolv_conf: str = ""
    privileged: bool = False
    nested: bool = False
    """Root of a container that may not make namespaces: it needs a user namespace, in which it keeps its users."""
    users: int = 1
    writable: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    bodies: Bodies = "none"
    contained: bool = False
    """There are no namespaces to be had, and the operator wants what can be had without them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One sandbox to start. Its channel and its standard output and error come along as descriptors."""

    id: int
    kind: Kind
    work: str
    """The launch folder, relative to the template's."""
    uid: int
    threads: bool = False
    processes: bool = False
    listened: tuple[str, ...] = ()
    """The calls that the egress broker is asked about, by their names; none: no network at all."""
    temporary: int = 256 << 20
    temporary_inodes: int = 100_000
    grouped: tuple[str, ...] = ()
    """Controllers of the control groups that it enters first."""
    doors: int = 0
    """How many descriptors lead into those groups, and come along; one group may have several controllers."""
    limits: Mapping[str, float | None] = field(default_factory=dict)


class Own(NamedTuple):
    """What of an order belongs to one sandbox only."""

    id: int
    uid: int
    work: bytes


_SHARED = tuple(each.name for each in fields(Order) if each.name not in (*Own._fields, "limits"))


def bodies_with(module: str) -> Bodies:
    """Where a task body is loaded, by its module's name: what speaks HTTP needs more of the library than others."""
    return "web" if module.rpartition(".")[2].startswith(_NEED_MUCH) else "plain"


def encoded(template: Template) -> bytes:
    """A template as the bytes of one message."""
    return json.dumps({each.name: getattr(template, each.name) for each in fields(template)}).encode()


def ordered(order: Order) -> bytes:
    """An order as the bytes of one message: what is its own on the first line, on the second what all like it share.

    ValueError: the name of its launch folder is more than a line.
    """
    if "\n" in order.work:
        raise ValueError(f"A launch folder must not have a line break in its name: {order.work!r}")
    shared = _shared(tuple(getattr(order, name) for name in _SHARED), tuple(order.limits.items()))
    return b"%d %d %s\n" % (order.id, order.uid, os.fsencode(order.work)) + shared


@lru_cache(maxsize=64)
def _shared(values: tuple[object, ...], limits: tuple[tuple[str, float | None], ...]) -> bytes:
    """Of each kind of launch it is the same every time."""
    return json.dumps(dict(zip(_SHARED, values, strict=True)) | {"limits": dict(limits)}).encode()


def template(message: bytes) -> Template:
    """The template in a message of our own worker; anything else is a defect and raises."""
    fields: dict[str, Any] = json.loads(message)
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
    }
    return Template(**values)


def own(first_line: bytes) -> Own:
    """What is its own in an order of our own worker; anything else is a defect and raises."""
    number, uid, work = first_line.split(b" ", 2)
    return Own(int(number), int(uid), work)


def order(second_line: bytes) -> Order:
    """What an order shares with all like it, under nobody's name."""
    fields: dict[str, Any] = json.loads(second_line)
    lists = {name: tuple(fields[name]) for name in ("listened", "grouped")}
    return Order(**fields | lists | {"id": 0, "work": "", "uid": 0})
