"""Inputs given on the command line: `-i NAME=VALUE`, `-i NAME=@FILE` for a file to upload, and `--inputs FILE`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from casemate.cli.files import text_of
from casemate.documents import plain, read
from casemate.errors import Problem, Refused
from casemate.flows import Input


@dataclass(frozen=True, slots=True)
class Given:
    """What the user gave: values by input id, and files to upload by input id."""

    values: Mapping[str, object] = field(default_factory=dict)
    uploads: Mapping[str, Path] = field(default_factory=dict)


def given(pairs: Iterable[str], file: Path | None, inputs: tuple[Input, ...]) -> Given:
    """What was given for these inputs of a flow. Pairs win over the file; the value of a FILE input is a path.

    Raises `Refused` for a pair without `=`, a name that is no input (its value would be lost in silence) and a file
    that is not a map, `Unreadable` for one that cannot be read.
    """
    values = dict(_of_file(file)) if file else {}
    problems = []
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if equals and name:
            values[name] = value
        else:
            # What stands there may be a password that lost its name: it is not told again.
            problems.append(Problem(code="input.form", message="-i without a name: expected NAME=VALUE"))
    problems += _unknown(values, [one.id for one in inputs])
    if problems:
        raise Refused(problems)
    files = [one.id for one in inputs if one.type == "FILE" and one.id in values]
    uploads = {name: _path(values.pop(name)) for name in files if not _stored(values[name])}
    return Given(values, uploads)


def _of_file(file: Path) -> Mapping[str, object]:
    content = plain(read(text_of(file), subject="inputs").root)
    if not isinstance(content, dict):
        raise Refused([Problem(code="input.form", message="expected a map of input names to values", line=1, column=1)])
    return content


def _unknown(values: Mapping[str, object], ids: list[str]) -> Iterator[Problem]:
    known = {*ids, *(name.partition(".")[0] for name in ids)}
    remedy = f"its inputs are: {', '.join(ids)}" if ids else "it has no inputs"
    for name in values:
        if name not in known:
            yield Problem(code="input.unknown", message=f"{name} is no input of this flow", remedy=remedy)


def _stored(value: object) -> bool:
    return str(value).startswith("kestra://")


def _path(value: object) -> Path:
    return Path(str(value).removeprefix("@"))
