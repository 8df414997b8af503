"""One pass over a document with the rules of a place: every object is changed, then judged, from the root inwards.

The pass calls itself a few times for each list or map inside another, which the limit on a document's depth bounds.
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from casemate.documents import MAX_DEPTH, MAX_NODES, Mapping, Mark, Node, Path, Scalar, printed
from casemate.documents import Sequence as List
from casemate.errors import Problem
from casemate.governance import changes
from casemate.governance.choosing import Around, Choice, choose, named_default, references
from casemate.governance.defaults import DECLARED
from casemate.governance.effort import Effort
from casemate.governance.errors import Unable
from casemate.governance.judging import faults, subject_of
from casemate.governance.laws import Law
from casemate.governance.legacy import modern, whole
from casemate.governance.matching import Types
from casemate.governance.model import Add, Delete
from casemate.governance.outcome import UNABLE, Conflict, Mutation, Violation
from casemate.governance.places import find, type_of
from casemate.governance.sieve import Sieve


@dataclass(slots=True)
class Pass:
    """One pass, with what it has found so far. `room` is how many values the rules may still add.

    `records`: note what they change, which takes a while.
    """

    laws: Sequence[Law]
    types: Types
    room: int = MAX_NODES
    mutations: list[Mutation] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    implied: dict[Path, Node] = field(default_factory=dict)
    """The objects that no one wrote, by their places."""
    records: bool = False
    effort: Effort = field(default_factory=Effort)
    changing: Sieve = field(init=False)
    judging: Sieve = field(init=False)
    sizes: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        changing = [law for law in self.laws if isinstance(law.rule, Add | Delete)]
        judging = [law for law in self.laws if not (isinstance(law.rule, Add | Delete) or law.called)]
        self.changing = Sieve(changing, self.types, self.effort)
        self.judging = Sieve(judging, self.types, self.effort, strict=True)
        self.sizes = {law.order: _size(law.rule.values) for law in self.laws if isinstance(law.rule, Add)}

    def object(self, node: Mapping, around: Around, path: Path, task: str | None = None) -> Mapping:
        """The object with the rules applied to it and to all that is in it. Raises `Unable`."""
        choice = self._chosen(node, around, path)
        task = _id_of(choice.node) or task
        inside = self._implied(choice.node, path)
        entries = []
        for entry in inside.entries:
            if not (around.root and entry.key in DECLARED):
                value = self._below(entry.value, choice.below(entry.key), (*path, entry.key), task)
                entry = replace(entry, value=value)
            entries.append(entry)
        finished = replace(inside, entries=tuple(entries))
        self._judge(finished, around, path, task)
        return finished

    def _below(self, node: Node, around: Around, path: Path, task: str | None) -> Node:
        if len(path) > MAX_DEPTH:
            raise Unable(f"they nest values deeper than {MAX_DEPTH} levels")
        if isinstance(node, Mapping):
            return self.object(node, around, path, task)
        if isinstance(node, List):
            items = []
            for index, item in enumerate(node.items):
                items.append(self._below(item, around, (*path, index), task))
            return replace(node, items=tuple(items))
        return node

    def _chosen(self, node: Mapping, around: Around, path: Path) -> Choice:
        if not around.root and type_of(node) is None:
            return Choice(node, refs=around.refs, around=around)
        written = node if around.root else modern(node, self.types)
        choice = choose(written, around, self.changing)
        self._spend(choice)
        self._noted(choice, written, path)
        return choice

    def _spend(self, choice: Choice) -> None:
        # A few large defaults for thousands of tasks fill any memory.
        self.room -= sum(self.sizes[law.order] for law in choice.laws if law.order in self.sizes)
        if self.room < 0:
            raise Unable(f"the plugin defaults add more than {MAX_NODES} values to the flow")

    def _implied(self, node: Mapping, path: Path) -> Mapping:
        found = whole(node, self.types)
        before = {entry.key for entry in node.entries}
        self.implied.update({(*path, each.key): each.value for each in found.entries if each.key not in before})
        return found

    def _noted(self, choice: Choice, written: Mapping, path: Path) -> None:
        if self.records:
            self.mutations += changes.between(written, choice.node, choice.laws, path)
        self.conflicts += _conflicts(choice, path)
        name = named_default(choice.node)
        if choice.ignored:
            self.notes.append(f"{printed(path)}: a forced plugin default takes the place of '{choice.ignored}'")
        elif name is not None and self._refers(choice) and not any(law.ref for law in choice.laws):
            self._fault(
                f"{UNABLE}no plugin default '{name}' is for type '{type_of(choice.node)}'", path, choice.node.mark
            )
        for each in sorted(references(choice.node) if self._refers(choice) else ()):
            if not any(law.called and law.policy == each for law in self.laws):
                self._fault(f"no policy '{each}' can be referred to here", (*path, "policyRefs"), choice.node.mark)

    def _refers(self, choice: Choice) -> bool:
        """Can it refer to anything? What is only written like a plugin cannot."""
        return choice.around.root or self.types.facts(type_of(choice.node) or "") is not None

    def _fault(self, message: str, path: Path, mark: Mark) -> None:
        problem = Problem(
            code="policy-reference", message=message, path=printed(path), line=mark.line, column=mark.column
        )
        self.faults.append(problem)

    def _judge(self, node: Mapping, around: Around, path: Path, task: str | None) -> None:
        for law in self.judging.of(node, root=around.root):
            rule = law.rule
            assert not isinstance(rule, Add | Delete)
            for fault in faults(rule, node, self.types, self.effort):
                place = find(node, fault.property)
                self.violations.append(
                    Violation(
                        law=law,
                        action=rule.action,
                        path=(*path, *fault.property.split(".")),
                        mark=node.mark if place is None else place.mark,
                        subject=subject_of(node, rule.on),
                        message=fault.message,
                        advice=rule.error_message,
                        task=task,
                    )
                )


def _conflicts(choice: Choice, path: Path) -> list[Conflict]:
    """What one rule adds and another deletes; a flow's own defaults are its author's words, which may be deleted."""
    adds = [law for law in choice.laws if isinstance(law.rule, Add) and law.scope is not None]
    found = []
    for law in choice.laws:
        for name in law.rule.properties if isinstance(law.rule, Delete) else ():
            clashing = [add for add in adds if find(add.values_at(choice.node.mark), name) is not None]
            found += [
                Conflict(path=(*path, *name.split(".")), mark=choice.node.mark, add=add, delete=law) for add in clashing
            ]
    return found


def _id_of(node: Mapping) -> str | None:
    entry = node.entry("id")
    known = entry is not None and isinstance(entry.value, Scalar) and node.entry("type") is not None
    return entry.value.text if known and entry is not None and isinstance(entry.value, Scalar) else None


def _size(value: object) -> int:
    match value:
        case AnyMapping():
            return 1 + sum(_size(each) for each in value.values())
        case list():
            return 1 + sum(_size(each) for each in value)
    return 1
