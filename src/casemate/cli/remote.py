"""Validation by a server, with the operation that Kestra's own command line uses (spec/isolation 11.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from casemate.cli.checking import DEPRECATED, RELOCATED, REMARK, Part, Reader, Verdict
from casemate.cli.connecting import Connection, Question, Unasked, answer
from casemate.errors import Problem


def remote_reader(to: Connection) -> Reader:
    """Judges as the server does, with its task types, defaults and policies."""
    return lambda text, parts: _verdicts(answer(to, _validation(text, to)), parts)


def _validation(text: str, to: Connection) -> Question:
    return Question(
        method="POST",
        path="flows/validate",
        content=text.encode(),
        type="application/x-yaml",
        does="validate flows",
        missing=f"knows no tenant {to.tenant}, or no validation of flows",
    )


def _verdicts(answer: object, parts: Sequence[Part]) -> list[Verdict]:
    """The verdicts in the order of the parts. The server divides the text as we do; where not, nothing is guessed."""
    items = answer if isinstance(answer, list) else None
    if items is None or len(items) != len(parts) or not all(isinstance(item, dict) for item in items):
        raise Unasked("the server's answer does not say something of each flow: is it a Kestra server?")
    by_index = sorted(items, key=lambda item: _count(item.get("index"), "index"))
    return [_verdict(item, part.before) for item, part in zip(by_index, parts, strict=True)]


def _count(said: object, name: str) -> int:
    """A whole number of the answer, 0 where there is none. Raises `Unasked` for anything else."""
    if said is not None and (not isinstance(said, int) or isinstance(said, bool)):
        raise Unasked(f"the server's answer holds a {name} that is no number: is it a Kestra server?")
    return said or 0


def _items(item: Mapping[str, Any], name: str) -> list[Any]:
    """A list of the answer, empty where there is none. Raises `Unasked` for anything else."""
    said = item.get(name)
    if said is not None and not isinstance(said, list):
        raise Unasked(f"the server's answer holds {name} that are no list: is it a Kestra server?")
    return said or []


def _verdict(item: Mapping[str, Any], before: int) -> Verdict:
    name = " / ".join(str(item[key]) for key in ("namespace", "flow") if item.get(key))
    advised = tuple(_placed(_items(item, "advised"), before))
    known = {one.message for one in advised}
    remarks = [(REMARK, str(text)) for text in _items(item, "warnings") if str(text) not in known]
    remarks += [(DEPRECATED, str(path)) for path in _items(item, "deprecationPaths")]
    remarks += [(RELOCATED, str(info)) for info in _items(item, "infos")]
    return Verdict(name=name, problems=tuple(_problems(item, before)), remarks=tuple(remarks), advised=advised)


def _problems(item: Mapping[str, Any], before: int) -> Iterator[Problem]:
    """With their places where the server tells them; Kestra's own gives a line `path: message` for each."""
    if placed := tuple(_placed(_items(item, "problems"), before)):
        yield from placed
    elif item.get("constraints"):
        for line_of_text in str(item["constraints"]).splitlines():
            path, colon, message = line_of_text.partition(": ")
            named = bool(colon) and " " not in path
            yield Problem(code="constraint", message=message if named else line_of_text, path=path if named else "")


def _placed(said: Sequence[Any], before: int) -> Iterator[Problem]:
    """Problems with their places within the document, of which `before` lines of the text stand before."""
    for one in said:
        if not isinstance(one, dict):
            raise Unasked("the server's answer holds a problem that is no object: is it a Kestra server?")
        line, column = max((_count(one.get("line"), "line") or 1) - before, 1), _count(one.get("column"), "column")
        known = {key: str(one.get(key) or "") for key in ("message", "path", "remedy")}
        yield Problem(code=str(one.get("code") or "constraint"), line=line, column=max(column, 1), **known)
