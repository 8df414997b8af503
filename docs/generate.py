"""The reference pages that follow from the code. `scripts/docs` writes them; a test compares them with the files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Final

from casemate.api.operation import PUBLIC, Operation
from casemate.api.table import TABLE
from casemate.catalog import Capability, Kind, Manifest, Role
from casemate.catalog.schema import Schema
from casemate.core import catalog
from casemate.executions.flowables import shape_of
from casemate.flows import Task
from casemate.scanning import ABOUT, BUILTIN, Rule
from casemate.scanning.addresses import METADATA, NAMES
from casemate.scanning.credentials import TOKENS
from casemate.settings.keys import Key
from casemate.settings.known import KNOWN

FOLDER: Final = Path(__file__).parent / "reference"
_BY_CODE: Final = "<!-- Written by scripts/docs from the code; change that. -->\n"
_KINDS: Final = {
    Kind.TASK: "Tasks",
    Kind.TRIGGER: "Triggers",
    Kind.CONDITION: "Conditions of triggers",
    Kind.TASK_RUNNER: "Task runners",
}
_UNSEEN: Final = (
    "an address put together from variables, by `printf` and the like, by escapes of a language (`\\x2e`), by `base64`",
    "an address with a blank, a tab or an end of line within, which some clients drop, and patterns of curl (`{169}`)",
    "an address within a YAML `!!binary`, and a public name of one's own that leads to such an address",
    "a path that goes around (`metadata/./computeMetadata`) behind a short name without a scheme",
    "options of containers that an expression joins from texts (`{{ 'ho' ~ 'st' }}`), or that variables or inputs name",
    "images that variables or inputs name, of ephemeral containers, and of tasks such as `docker.Run`; `lts` as a tag",
    "what a templated task holds within a templated task, and what `render()` makes of a variable",
    "`--mount type=bind` of a folder that holds the socket of an engine, in a command",
    "`secret()` that gets into a command by a variable of the flow",
)
"""What the scan is known not to find."""


def pages() -> dict[str, str]:
    """Every generated page by its file name."""
    makers: Mapping[str, Callable[[], Iterator[str]]] = {
        "configuration.md": _configuration,
        "task-types.md": _task_types,
        "http-api.md": _http_api,
        "scan-rules.md": _scan_rules,
    }
    return {name: _BY_CODE + "\n".join(make()) + "\n" for name, make in makers.items()}


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    titles = tuple(heads)
    yield _row(titles)
    yield _row("---" for _ in titles)
    for row in rows:
        yield _row(row)
    yield ""


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _configuration() -> Iterator[str]:
    yield "# Configuration keys\n"
    yield "How files, environment and placeholders work together: [Configure](../how-to/configure.md)."
    yield "A `*` stands for any name. A key that is not here is reported with the nearest one that is.\n"
    yield "## Keys with an effect\n"
    working = [key for key in KNOWN.keys if not key.later and not key.guard]
    yield from _table(("key", "value", "default"), ((f"`{key.name}`", _value(key), _default(key)) for key in working))
    yield "## Refused when set\n"
    yield "These keys ask for a protection that does not stand yet. Setting one is an error:"
    yield "nobody shall rely on a wall that is not there.\n"
    yield from _table(("key", "why"), ((f"`{key.name}`", key.guard) for key in KNOWN.keys if key.guard))
    yield "## Known, without effect\n"
    yield "These keys are checked for their form. Setting one prints a warning with the reason.\n"
    yield from _table(("key", "why"), ((f"`{key.name}`", key.later) for key in KNOWN.keys if key.later))


def _scan_rules() -> Iterator[str]:
    yield "# Rules of the scan\n"
    yield "What `casemate flow validate --scan builtin` looks for. How to add rules, and to say of a finding that it"
    yield "may stay: [Check flows in CI](../how-to/check-flows-in-ci.md).\n"
    yield from _table(("rule", "severity", "what it finds", "what to do"), map(_scan_rule, BUILTIN))
    yield "## About suppressions\n"
    yield from _table(("rule", "severity", "what it finds", "what to do"), map(_scan_rule, ABOUT))
    yield "## Tokens\n"
    shapes = ", ".join(name for name, _ in TOKENS)
    yield f"`credential-token` knows {len(TOKENS)} shapes: {shapes}."
    yield "A text that calls itself an example or a placeholder is none.\n"
    yield "## Metadata addresses\n"
    yield f"`metadata-address` finds every address within {_listed(METADATA)}, in one to four parts, each"
    yield "decimal, octal or hexadecimal; IPv6 in any form, and what leads through IPv6 to one of these; also where"
    yield "percent signs, quotes of a shell, invisible characters or digits of another script hide it, or an"
    yield "expression or a program joins it from texts. Keys of maps count like values. The names are"
    yield f"{_listed(sorted(NAMES))}.\n"
    yield "## Not found\n"
    yield "The scan reads texts and runs nothing. What a program works out when it runs, it does not see:\n"
    for one in _UNSEEN:
        yield f"- {one}"
    yield "\nWhat a task reaches is decided by the walls around it, not by this scan.\n"
    yield "## Problems\n"
    yield "What the reader of flows says comes under the names `flow/...`, for instance `flow/unknown-type`. It is"
    yield "never suppressed."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _scan_rule(rule: Rule) -> tuple[str, str, str, str]:
    return f"`{rule.id}`", rule.severity, rule.title, rule.remedy


def _value(key: Key) -> str:
    words = ", ".join(f"`{choice}`" for choice in key.choices) or key.kind.value
    least = "" if key.least is None else f", at least {key.least}"
    return f"{words}{least}{' (secret)' if key.secret else ''}"


def _default(key: Key) -> str:
    match key.default:
        case None:
            return ""
        case bool() as flag:
            return f"`{_json(flag)}`"
        case timedelta() as duration:
            return f"`{int(duration.total_seconds())}s`"
        case tuple() as values:
            return ", ".join(f"`{value}`" for value in values) or "none"
        case value:
            return f"`{value}`"


def _task_types() -> Iterator[str]:
    yield "# Task types\n"
    yield "All types that flows may name. The properties every task has are not repeated: `id`, `type`, `retry`,"
    yield "`timeout`, `allowFailure`, `disabled`, `runIf` and so on. *Not run yet* means: a flow with it is valid and"
    yield "can be saved, and its execution fails at that task.\n"
    types = sorted(catalog().all(), key=lambda one: (list(_KINDS).index(one.kind), one.type))
    for kind, group in groupby(types, key=lambda one: one.kind):
        yield f"## {_KINDS[kind]}\n"
        for manifest in group:
            yield from _type(manifest)


def _type(manifest: Manifest) -> Iterator[str]:
    yield f"### {manifest.type}\n"
    notes = ("deprecated",) * manifest.deprecated + ("not run yet",) * (not _runs(manifest))
    yield manifest.title + (f" *({', '.join(notes)})*" if notes else "") + "\n"
    if manifest.description:
        yield f"{manifest.description}\n"
    if manifest.aliases:
        yield f"Also: {', '.join(f'`{alias}`' for alias in manifest.aliases)}\n"
    if manifest.capabilities:
        yield f"Needs: {', '.join(sorted(manifest.capabilities))}\n"
    if properties := manifest.schema.properties:
        rows = (_property(name, schema, manifest.schema) for name, schema in properties.items())
        yield from _table(("property", "value", "default", "what it is for"), rows)


def _property(name: str, schema: Schema, owner: Schema) -> tuple[str, str, str, str]:
    if schema.alias_of:
        return f"`{name}`", f"same as `{schema.alias_of}`", "", ""
    value = ", ".join(f"`{choice}`" for choice in schema.choices) or schema.format or " or ".join(sorted(schema.types))
    needed = ", required" if name in owner.required or schema.must_not_be or schema.not_empty else ""
    default = "" if schema.default is None else f"`{_json(schema.default)}`"
    unused = f" Without effect here: {schema.unused}." if schema.unused else ""
    return f"`{name}`", (value or "any") + needed, default, schema.description + unused


def _json(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _runs(manifest: Manifest) -> bool:
    if manifest.kind is not Kind.TASK:
        return True
    match manifest.role:
        case Role.FLOWABLE:
            return shape_of(Task(id="x", type=manifest.type, canonical=manifest.type, role=manifest.role)) is not None
        case Role.RUNNABLE:
            return manifest.body is not None or Capability.RUNS_CODE in manifest.capabilities
        case Role.UPDATING | Role.EXECUTABLE:
            return True


def _http_api() -> Iterator[str]:
    yield "# HTTP API\n"
    yield "The operations that exist in this version. Paths, bodies and answers are Kestra's. The tenant is always"
    yield "`main`. An operation of Kestra's that is not here answers 501 with its name.\n"
    yield "How to use them: [Use the API](../how-to/use-the-api.md). What `isolation` of a task run says:"
    yield "[Isolation report](isolation-report.md).\n"
    rows = sorted(TABLE, key=lambda row: row.audit.partition(":")[0])
    for resource, group in groupby(rows, key=lambda row: row.audit.partition(":")[0]):
        yield f"## {resource}\n"
        yield from _table(("request", "what it does", "query parameters"), (_operation(row) for row in group))


def _operation(row: Operation) -> tuple[str, str, str]:
    summary = (row.run.__doc__ or row.title).strip().splitlines()[0]
    anyone = " *(without credentials)*" if row.can is PUBLIC else ""
    path = row.path.replace(":path}", "}")
    return f"`{row.verb} {path}`", f"{summary}{anyone}", ", ".join(f"`{name}`" for name in row.asks)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, text in pages().items():
        (FOLDER / file).write_text(text, encoding="utf-8")
