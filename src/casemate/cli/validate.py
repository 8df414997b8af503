"""`casemate flow validate`: what is wrong with flow files, and what in them may do harm (spec/isolation 11)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from casemate import __version__
from casemate.cli.checking import Check, Reader, local_reader
from casemate.cli.configuration import settings_from, types_of
from casemate.cli.connecting import Asked, Unasked, connection
from casemate.cli.failures import FAILED, INVALID
from casemate.cli.files import flow_files, regular_text_of
from casemate.cli.listing import as_text, safe
from casemate.cli.remote import remote_reader
from casemate.errors import CasemateError, Refused
from casemate.scanning import ABOUT, Report, Ruleset, Severity, about_entries, as_json, as_junit, as_sarif, extended
from casemate.worker import container_judge

BUILTIN = "builtin"
"""Given instead of a file: the built-in rules alone."""

Level = Literal["error", "warning", "note"]
Form = Literal["text", "json", "sarif", "junit"]


def validate(
    paths: Annotated[tuple[Path, ...], Parameter(negative=())],
    /,
    *,
    scan: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    form: Annotated[Form, Parameter(name="--format")] = "text",
    fail_on: Level = "warning",
    local: Annotated[bool, Parameter(negative=())] = False,
    server: str | None = None,
    user: str | None = None,
    api_token: str | None = None,
    tenant: str | None = None,
    headers: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    config: Annotated[Path | None, Parameter(name=("-c", "--config"))] = None,
) -> int:
    """Check flow files and folders.

    Parameters
    ----------
    paths
        Files, and folders that are searched for .yaml and .yml files.
    scan
        Looks for what may do harm, too: with `builtin` by the built-in rules, with a file also by those that it adds.
    form
        How the report is written: text, json, sarif or junit.
    fail_on
        The least grave finding with which the exit status is 1.
    local
        Validate with the task types of this installation. That is so anyway, unless a server is named.
    server
        Validate on the server with this address.
    user
        USERNAME:PASSWORD for the server. Better in CASEMATE_USER: others can see command lines.
    api_token
        A token for the server. Better in CASEMATE_API_TOKEN: others can see command lines.
    tenant
        The tenant on the server, `main` unless another is named.
    headers
        NAME=VALUE, a header that is sent to the server, as often as needed.
    config
        A `kestra:` configuration file, for its plugin defaults, its policies and the types that it allows.
    """
    asked = Asked(server=server, user=user, api_token=api_token, tenant=tenant, headers=headers)
    try:
        reader = _reader(asked, local, config)
        ruleset = _ruleset(scan) if scan else None
        check = Check(reader, ruleset, date.today())  # noqa: DTZ011  a day ends where the command is run
        report = _report(check, paths, Severity(fail_on))
    except Misread as error:
        for problem in error.problems:
            print(safe(problem.located(error.file)), file=sys.stderr)
        return INVALID
    except CasemateError as error:
        print(safe(f"casemate: {error}"), file=sys.stderr)
        return INVALID
    print(_written(report, form, scanned=ruleset is not None))
    return FAILED if report.fails else 0


class Misread(Refused):
    """A configuration or a file of rules is not valid; `file` is where its problems have their places."""

    def __init__(self, file: str, cause: Refused) -> None:
        super().__init__(cause.problems)
        self.file = file


def _reader(asked: Asked, local: bool, config: Path | None) -> Reader:
    """Who judges the flows. Raises `Unasked` for options that contradict each other."""
    if asked.server is None:
        if asked.names_more:
            raise Unasked("--user, --api-token, --tenant and --headers are for a --server")
        try:
            settings = settings_from(config)
            types = types_of(settings)
            return local_reader(types, container_judge(types, settings))
        except Refused as error:
            raise Misread(str(config or "environment"), error) from error
    if local:
        raise Unasked("give --local or --server, not both")
    if config is not None:
        raise Unasked("--config is for validation without a --server, which has a configuration of its own")
    return remote_reader(connection(asked, os.environ))


def _ruleset(scan: Iterable[str]) -> Ruleset:
    """The built-in rules with what all these files say. Raises `Misread`, or `Unreadable`."""
    ruleset = Ruleset()
    for name in scan:
        if name != BUILTIN:
            text = regular_text_of(Path(name))
            try:
                ruleset = extended(ruleset, text, name)
            except Refused as error:
                raise Misread(name, error) from error
    return ruleset


def _report(check: Check, paths: Iterable[Path], least: Severity) -> Report:
    checked = tuple(check.all_of(flow_files(paths)))
    if check.ruleset is None:
        return Report(checked=checked, least=least)
    about = tuple(about_entries(check.ruleset, frozenset(check.used), check.today))
    return Report(checked=checked, about_rules=about, rules=(*check.ruleset.rules, *ABOUT), least=least)


def _written(report: Report, form: Form, *, scanned: bool) -> str:
    match form:
        case "json":
            return as_json(report)
        case "sarif":
            return as_sarif(report, __version__)
        case "junit":
            return as_junit(report)
        case "text":
            return "\n".join(as_text(report, scanned=scanned))
