"""What the worker tells a zygote: the file tree to show (once) and the sandboxes to start. They travel as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["body", "command"]
Bodies: TypeAlias = Literal["none", "plain", "web"]
"""Which task bodies a zygote has loaded: each page of memory that it carries costs every one of its children."""

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
    listened: str = ""
    """The egress broker's filter in base64; empty: no network at all."""
    temporary: int = 256 << 20
    temporary_inodes: int = 100_000
    grouped: tuple[str, ...] = ()
    """Controllers of the control groups that it enters first; their `cgroup.procs` come along as descriptors."""
    limits: Mapping[str, float | None] = field(default_factory=dict)


def bodies_with(module: str) -> Bodies:
    """Where a task body is loaded, by its module's name: what speaks HTTP needs more of the library than all others."""
    return "web" if module.rpartition(".")[2].startswith(("core_http", "http")) else "plain"


def encoded(value: Template | Order) -> bytes:
    """One order as the bytes of one message."""
    return json.dumps({each.name: getattr(value, each.name) for each in fields(value)}).encode()


def template(message: bytes) -> Template:
    """The template in a message of our own worker; anything else is a defect and raises."""
    fields: dict[str, Any] = json.loads(message)
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
    }
    return Template(**values)


def order(message: bytes) -> Order:
    """The order in a message of our own worker; anything else is a defect and raises."""
    fields: dict[str, Any] = json.loads(message)
    return Order(**fields | {"grouped": tuple(fields["grouped"])})
