"""Who wrote which value where: configuration files and environment variables as lists of written values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from casemate import documents
from casemate.documents import Mark, Node, Scalar, Sequence
from casemate.errors import Problem, Refused
from casemate.settings.keys import Key, Kind, Table, environment_name, segments
from casemate.settings.model import Misconfiguration

NOT_KEYS = frozenset({"KESTRA_CONFIGURATION", "KESTRA_CONFIGURATION_PATH", "KESTRA_PLUGINS_PATH", "KESTRA_JAVA_OPTS"})
"""Variables of Kestra's launcher that name no key. The first holds YAML and is read as one more file."""

_NOWHERE = Mark(1, 1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands. A variable of the environment has no mark."""

    file: str
    mark: Mark | None = None

    def problem(self, code: str, message: str, *, path: str = "", remedy: str = "") -> Misconfiguration:
        """A problem at this place."""
        line, column = (self.mark.line, self.mark.column) if self.mark else (None, None)
        return Misconfiguration(
            code=code, message=message, path=path, line=line, column=column, remedy=remedy, file=self.file
        )


@dataclass(frozen=True, slots=True)
class Written:
    """One value as someone wrote it. `name` is canonical; `key` is None where no key of that name is known."""

    name: str
    spelled: str
    key: Key | None
    node: Node
    place: Place


@dataclass(frozen=True, slots=True)
class Source:
    """One file, or the environment: what it says and what is wrong with it."""

    values: tuple[Written, ...] = ()
    problems: tuple[Misconfiguration, ...] = ()


def from_text(file: str, text: str, table: Table) -> Source:
    """What a configuration file says. What is readable beside a mistake is read too, so that all are told at once."""
    if all(line.split("#")[0].strip() in ("", "---") for line in text.splitlines()):
        return Source()
    reading = documents.examine(text, subject="configuration", aliases=False)
    unreadable = tuple(_unreadable(problem, file, text) for problem in reading.problems)
    said = _said(file, reading.document.root, table) if reading.document else Source()
    return Source(said.values, unreadable + said.problems + _more_documents(file, text))


def within(entry: documents.Mapping, spelled: str, place: Place, table: Table) -> Source:
    """What one entry of a list says, whose keys are those of `table`; problems are told below `spelled`."""
    return _collected(_walk(entry, Written("", spelled, None, entry, place), table))


def _more_documents(file: str, text: str) -> tuple[Misconfiguration, ...]:
    """What stands behind a second `---` would be read by nobody."""
    starts = [Mark(before + 1, 1) for before, _ in documents.split_documents(text)]
    message = "a second document begins here; a configuration is one"
    return tuple(Place(file, mark).problem("config.section", message) for mark in starts[1:2])


def _said(file: str, root: Node, table: Table) -> Source:
    place = Place(file, root.mark)
    if isinstance(root, documents.Mapping):
        return _collected(_walk(root, Written("", "", None, root, place), table))
    return Source(problems=(place.problem("config.section", "a configuration is a map of keys"),))


def _unreadable(problem: Problem, file: str, text: str) -> Misconfiguration:
    lines = text.splitlines()
    line = lines[problem.line - 1] if problem.line and problem.line <= len(lines) else ""
    remedy = 'inside { } or [ ] a placeholder needs quotes: "${NAME}"' if re.search(r"[{\[].*\$\{", line) else ""
    return Misconfiguration(
        code=problem.code,
        message=problem.message,
        path=problem.path,
        line=problem.line,
        column=problem.column,
        remedy=remedy or problem.remedy,
        file=file,
    )


def _walk(mapping: documents.Mapping, parent: Written, table: Table) -> Iterator[Written | Misconfiguration]:
    for entry in mapping.entries:
        path = (*filter(None, parent.name.split(".")), *segments(entry.key))
        spelled = f"{parent.spelled}.{entry.key}" if parent.spelled else entry.key
        place = Place(parent.place.file, entry.mark)
        written = Written(".".join(path), spelled, table.find(path), entry.value, place)
        if written.key or not table.is_section(path):
            yield written
        elif isinstance(entry.value, documents.Mapping):
            yield from _walk(entry.value, written, table)
        elif not is_unset(entry.value):
            yield place.problem("config.section", "is a section and has keys of its own", path=spelled)


def _collected(findings: Iterable[Written | Misconfiguration]) -> Source:
    values: dict[str, Written] = {}
    problems: list[Misconfiguration] = []
    for finding in findings:
        if isinstance(finding, Misconfiguration):
            problems.append(finding)
        elif finding.name in values:
            problems.append(_twice(values[finding.name], finding))
        else:
            values[finding.name] = finding
    return Source(tuple(values.values()), tuple(problems))


def _twice(first: Written, second: Written) -> Misconfiguration:
    where = f" (line {first.place.mark.line})" if first.place.mark else ""
    message = f"is the same key as {first.spelled}{where}"
    return second.place.problem("config.duplicate", message, path=second.spelled, remedy="Keep one of the two")


def is_unset(node: Node) -> bool:
    """A key with nothing behind it sets nothing."""
    return isinstance(node, Scalar) and (node.value is None or (node.plain and not node.text))


def from_environment(environ: Mapping[str, str], table: Table) -> Source:
    """What the variables say that are named after known keys (spec/security 8.3). Their values are taken literally."""
    findings = (found for key in table.keys for found in _variable(key, environ))
    return _collected(found for found in findings if _best(found, table))


def _best(found: Written | Misconfiguration, table: Table) -> bool:
    """A variable may fit several keys with `*`; the one that a file would mean counts."""
    return isinstance(found, Misconfiguration) or table.find(tuple(found.name.split("."))) is found.key


def sets_a_key(variable: str, table: Table) -> bool:
    """True for a variable that `from_environment` reads, or that belongs to Kestra's launcher."""
    return variable in NOT_KEYS or any(re.fullmatch(_pattern(key), variable) for key in table.keys)


def _pattern(key: Key) -> str:
    further = {Kind.MAP: "(_.+)?", Kind.TEXTS: "(_[0-9]+)?", Kind.PATHS: "(_[0-9]+)?"}.get(key.kind, "")
    return environment_name(key.name).replace("*", "[A-Z0-9]+") + further


def _variable(key: Key, environ: Mapping[str, str]) -> Iterator[Written | Misconfiguration]:
    match key.kind:
        case Kind.MAP:
            yield from _map_variables(key, environ)
        case Kind.TREE | Kind.ENTRIES:
            yield from _tree_variables(key, environ)
        case Kind.TEXTS | Kind.PATHS:
            yield from _list_variables(key, environ)
        case _:
            for variable, name in _named(key, environ):
                yield Written(name, variable, key, _literal(environ[variable]), place_of(variable))


def _named(key: Key, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if "*" not in key.name:
        variable = environment_name(key.name)
        return iter([(variable, key.name)] if variable in environ else [])
    pattern = re.compile(environment_name(key.name).replace("*", "([A-Z0-9]+)"))
    matches = ((variable, pattern.fullmatch(variable)) for variable in sorted(environ))
    return ((variable, _chosen(key.name, match.groups())) for variable, match in matches if match)


def _chosen(name: str, chosen: tuple[str, ...]) -> str:
    for word in chosen:
        name = name.replace("*", word.lower(), 1)
    return name


def _list_variables(key: Key, environ: Mapping[str, str]) -> Iterator[Written]:
    for variable, name in _named(key, environ):
        yield Written(name, variable, key, _literal(environ[variable]), place_of(variable))
        return
    prefix = environment_name(key.name) + "_"
    numbered = sorted(
        (int(v[len(prefix) :]), v) for v in environ if v.startswith(prefix) and v[len(prefix) :].isdecimal()
    )
    if numbered:
        items = tuple(_literal(environ[variable]) for _, variable in numbered)
        yield Written(key.name, numbered[0][1], key, Sequence(items, _NOWHERE), place_of(numbered[0][1]))


def _map_variables(key: Key, environ: Mapping[str, str]) -> Iterator[Written | Misconfiguration]:
    yield from _tree_variables(key, environ)
    prefix = environment_name(key.name) + "_"
    entries = tuple(
        documents.Entry(variable[len(prefix) :].lower().replace("_", "-"), _NOWHERE, _literal(environ[variable]))
        for variable in sorted(environ)
        if variable.startswith(prefix)
    )
    if entries and environment_name(key.name) not in environ:
        yield Written(key.name, prefix + "*", key, documents.Mapping(entries, _NOWHERE), place_of(prefix + "*"))


def _tree_variables(key: Key, environ: Mapping[str, str]) -> Iterator[Written | Misconfiguration]:
    """A list or map in one variable is written as YAML."""
    for variable, name in _named(key, environ):
        try:
            node = documents.read(environ[variable], subject="value", aliases=False).root
        except Refused:
            yield place_of(variable).problem("config.unreadable", "must hold YAML", path=name)
        else:
            yield Written(name, variable, key, node, place_of(variable))


def place_of(variable: str) -> Place:
    """The place of a variable of the environment."""
    return Place(f"environment variable {variable}")


def _literal(text: str) -> Scalar:
    return Scalar(text=text, value=text, mark=_NOWHERE, plain=False)
