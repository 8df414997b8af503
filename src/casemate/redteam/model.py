"""What an attack is, and how it went: values only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from textwrap import dedent

from casemate.errors import CasemateError


class Area(StrEnum):
    """What an attack goes for."""

    FILES = "files"
    PROCESSES = "processes"
    NETWORK = "network"
    KERNEL = "kernel"
    RESOURCES = "resources"
    RIGHTS = "rights"
    SECRETS = "secrets"
    RACES = "races"
    WELCOME = "allowed"  #: no attack: what a task must be able to do


class Runs(StrEnum):
    """What carries a payload out."""

    PYTHON = "python"  #: a `python.Script` task
    SHELL = "shell"  #: a `shell.Commands` task
    PLUGIN = "plugin"  #: the body of a task type whose manifest asks for nothing
    HTTP = "http"  #: an `http.Request` task; the code is the address, with names of bait in braces


class Verdict(StrEnum):
    """How an attack, or something allowed, went inside."""

    BLOCKED = "blocked"
    THROUGH = "GOT THROUGH"
    WORKS = "works"
    BROKEN = "BROKEN"
    NOT_HELD = "not held"  #: nobody counts here what it uses up, which was told
    UNKNOWN = "UNKNOWN"  #: it did not come to an end that says anything


@dataclass(frozen=True, slots=True)
class Attack:
    """One payload and what is expected of it.

    `wall` is the wall of the isolation report that is to stop it. `needs` says in words what a place must have for the
    payload to be alive there unsandboxed; without it the payload must be alive everywhere. Besides by what it says, a
    payload got through if a process with its mark is left (`survives`), if the secret is in a file that was collected
    (`collects`, patterns of `outputFiles`), or in the logs (`echoes`). What only a control group can count (`counted`)
    is not promised where the worker may make none.
    """

    id: str
    title: str
    code: str
    runs: Runs = Runs.PYTHON
    _: KW_ONLY
    area: Area
    wall: str = ""
    needs: str = ""
    survives: bool = False
    collects: tuple[str, ...] = ()
    echoes: bool = False
    counted: str = ""

    @property
    def text(self) -> str:
        """The code without the indentation that it has where it is written."""
        return dedent(self.code).strip("\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one run of a payload said and left behind.

    `got` is how it got through, by its own word or by what it left; `stopped` what it met instead.
    """

    got: str = ""
    stopped: str = ""
    ended: str = ""
    """How its process ended, if that was not a quiet exit."""

    @property
    def conclusive(self) -> bool:
        """Whether it came to an end that says something: its own word, or the end of its process."""
        return bool(self.got or self.stopped or self.ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """An attack with both its runs. `walls` is the isolation report's map of walls to mechanisms."""

    attack: Attack
    control: Seen
    inside: Seen
    walls: Mapping[str, str]

    @property
    def alive(self) -> bool:
        """Whether the payload did unsandboxed what it is to do."""
        return bool(self.control.got)

    @property
    def verdict(self) -> Verdict:
        """How it went inside."""
        if not self.inside.conclusive:
            return Verdict.UNKNOWN
        if self.attack.area is Area.WELCOME:
            return Verdict.WORKS if self.inside.got else Verdict.BROKEN
        if not self.inside.got:
            return Verdict.BLOCKED
        return Verdict.NOT_HELD if self._uncounted else Verdict.THROUGH

    @property
    def well(self) -> bool:
        """Whether it went as it should."""
        return self.verdict in (Verdict.BLOCKED, Verdict.WORKS, Verdict.NOT_HELD)

    @property
    def _uncounted(self) -> bool:
        return bool(self.attack.counted) and f"control groups ({self.attack.counted}" not in self.walls.get(
            "limits", ""
        )

    @property
    def reason(self) -> str:
        """What it met inside."""
        return self.inside.got or self.inside.stopped or self.inside.ended


class NoSuchAttack(CasemateError):
    """No attack has this id, and no class of attacks this name."""


def chosen(attacks: Iterable[Attack], only: str | None) -> tuple[Attack, ...]:
    """All attacks, those of one class, or the one with this id. Raises `NoSuchAttack`."""
    given = tuple(attacks)
    if only is None:
        return given
    found = tuple(attack for attack in given if only in (attack.id, attack.area.value))
    if not found:
        raise NoSuchAttack(f"{only} is neither the id of an attack nor a class: {', '.join(Area)}.")
    return found
