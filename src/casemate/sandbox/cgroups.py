"""The control groups of all slots of one folder: found by trying at the start, removed at the end or the next start."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
from contextlib import ExitStack
from pathlib import Path

from casemate.sandbox.cells import Cell
from casemate.sandbox.kernel import cgroups
from casemate.sandbox.kernel.cgroups import Group, Tree

RECORD = ".cgroups"
"""The file beside the launch folders that names the groups, for whoever removes them after a kill -9."""
_DELEGATION = (
    "The memory of several processes together is only watched, and a limit of cpu is refused. Run the worker as root, "
    "or in a control group that is delegated to it, as `systemd-run --user --scope -p Delegate=yes` starts it."
)
_WANTED = ("memory", "pids", "cpu")
_TRIAL = {"memory": 64 << 20, "processes": 8, "cpu": 1.0}


class Cgroups:
    """A cell for each slot; none where this machine lends us no control groups, and `missing` says why."""

    def __init__(self, cells: tuple[Cell, ...], missing: str, undo: ExitStack) -> None:
        self._cells = cells
        self._undo = undo
        self.missing = missing

    @classmethod
    def found(cls, folder: Path, slots: int) -> Cgroups:
        """Those for the launch folders in `folder`, which is ours alone; what a killed worker has left goes first."""
        remove_left(folder)
        with ExitStack() as undo:
            bases, missing = _bases(_name(folder), undo)
            _record(folder, tuple(bases.values()))
            undo.callback((folder / RECORD).unlink, missing_ok=True)
            cells = tuple(_cell(bases, slot, undo) for slot in range(slots)) if bases else ()
            return cls(cells, missing, undo.pop_all())

    @property
    def controllers(self) -> tuple[str, ...]:
        """What is counted and limited for each sandbox as a whole: of `memory`, `pids`, `cpu`, `cpuacct`."""
        return self._cells[0].controllers if self._cells else ()

    @property
    def doors(self) -> int:
        """How many groups a sandbox enters; in one tree of version 2 it is one, whatever is counted there."""
        return len(self._cells[0].doors) if self._cells else 0

    @property
    def remedy(self) -> str:
        """What is not limited and why, and what to do about it; nothing if all is."""
        return f"No control group can be made ({self.missing}). {_DELEGATION}" if self.missing else ""

    def of(self, slot: int) -> Cell | None:
        """The cell of a slot, if there are cells."""
        return self._cells[slot] if self._cells else None

    def close(self) -> None:
        """Remove all of them, and end what should still be in there."""
        self._undo.close()


def remove_left(folder: Path) -> None:
    """Remove the groups that a killed worker of this folder has left, and end what should still be in there."""
    record = folder / RECORD
    with contextlib.suppress(OSError, ValueError):
        for path, second in json.loads(record.read_text()):
            if Path(path).name == _name(folder):
                _remove(Group(path, second))
    record.unlink(missing_ok=True)


def _name(folder: Path) -> str:
    return "casemate-" + hashlib.sha256(str(folder).encode()).hexdigest()[:12]


def _record(folder: Path, bases: tuple[Group, ...]) -> None:
    (folder / RECORD).write_text(json.dumps([(base.path, base.second) for base in dict.fromkeys(bases)]))


def _remove(group: Group) -> None:
    with contextlib.suppress(OSError):  # the next start tries again
        cgroups.remove(group)


def _bases(name: str, undo: ExitStack) -> tuple[dict[str, Group], str]:
    """Our own group in each tree of use, by controller; and why controllers are missing, in words."""
    bases: dict[str, Group] = {}
    reasons: dict[str, str] = {}
    for tree in filter(lambda tree: tree.controllers, cgroups.trees()):
        try:
            with ExitStack() as undo_one:
                base = _base(tree, name, undo_one)
                undo.enter_context(undo_one.pop_all())
        except OSError as error:
            reasons |= dict.fromkeys(tree.controllers, error.strerror or str(error))
        else:
            bases |= dict.fromkeys(tree.controllers, base)
    missing = [each for each in _WANTED if each not in bases]
    return bases, ", ".join(f"{each}: {reasons.get(each, 'not offered here')}" for each in missing)


def _base(tree: Tree, name: str, undo: ExitStack) -> Group:
    """Our group in one tree, in which groups for slots can be made and take limits. OSError: it is of no use."""
    if tree.own.second:
        _share(tree.own, f"{name}-worker", tree.controllers, undo)
    base = cgroups.below(tree.own, name)
    undo.callback(_remove, base)
    if tree.own.second:
        cgroups.hand_on(base, tree.controllers)
    trial = cgroups.below(base, "trial")
    cell = Cell(dict.fromkeys(tree.controllers, trial))
    try:
        cell.prepare(_TRIAL)
    finally:
        cell.close()
        _remove(trial)
    return base


def _share(own: Group, leaf: str, controllers: tuple[str, ...], undo: ExitStack) -> None:
    """Hand controllers on to groups below our own one; if need be we move into one ourselves, and back at the end.

    OSError: EBUSY if others are in our own group, too: version 2 hands nothing on where processes are.
    """
    try:
        cgroups.hand_on(own, controllers)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        aside = cgroups.below(own, leaf)
        undo.callback(_remove, aside)
        undo.callback(_return, own, controllers)
        aside.write("cgroup.procs", 0)
        cgroups.hand_on(own, controllers)


def _return(own: Group, controllers: tuple[str, ...]) -> None:
    with contextlib.suppress(OSError):  # others may have made use of it meanwhile
        cgroups.take_back(own, controllers)
        own.write("cgroup.procs", 0)


def _cell(bases: dict[str, Group], slot: int, undo: ExitStack) -> Cell:
    made = {base: cgroups.below(base, f"slot-{slot}") for base in dict.fromkeys(bases.values())}
    cell = Cell({controller: made[base] for controller, base in bases.items()})
    undo.callback(cell.close)
    return cell
