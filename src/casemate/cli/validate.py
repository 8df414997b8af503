"""`casemate flow validate`: every problem of every flow file, each with its place (spec/isolation 11.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from casemate.catalog import Catalog
from casemate.cli.configuration import settings_from
from casemate.cli.failures import FAILED, told
from casemate.cli.files import Unreadable, flow_files, text_of
from casemate.core import catalog
from casemate.documents import read
from casemate.errors import CasemateError, Problem
from casemate.flows import Flow, read_flow, split_documents, warnings
from casemate.identifiers import MAIN


def validate(
    paths: Annotated[tuple[Path, ...], Parameter(negative=())],
    /,
    *,
    config: Annotated[Path | None, Parameter(name=("-c", "--config"))] = None,
) -> int:
    """Check flow files and folders.

    Parameters
    ----------
    paths
        Files, and folders that are searched for .yaml and .yml files.
    config
        A `kestra:` configuration file, for its plugin defaults.
    """
    try:
        types = catalog().with_defaults(settings_from(config).plugin_defaults)
    except CasemateError as error:
        told(error, config or "environment")
        return FAILED
    verdicts = [_judge(file, types) for file in flow_files(paths)]
    return 0 if all(verdicts) else FAILED


def _judge(file: Path, catalog: Catalog) -> bool:
    if file.is_dir():
        print(f"✘ - {file}: no .yaml or .yml file in this folder")
        return False
    try:
        text = text_of(file)
    except Unreadable as error:
        print(f"✘ - {error}")
        return False
    verdicts = [_document(file, before, part, catalog) for before, part in split_documents(text)]
    return all(verdicts)


def _document(file: Path, before: int, text: str, catalog: Catalog) -> bool:
    """One of the file's documents, after so many lines of others."""
    flow = read_flow(text, catalog, MAIN)
    if isinstance(flow, Flow):
        print(f"✓ - {flow.namespace} / {flow.id}")
        for remark in _remarks(flow, text, catalog):
            print(remark)
        return True
    print(f"✘ - {file}")
    for problem in flow:
        print(f"  {_shifted(problem, before).located(str(file))}")
    return False


def _remarks(flow: Flow, text: str, catalog: Catalog) -> Iterator[str]:
    found = warnings(flow, read(text), catalog)
    for warning in found.warnings:
        yield f"⚠ - {warning}"
    for path in found.deprecations:
        yield f"⚠ - {path} is deprecated"
    for info in found.infos:
        yield f"ℹ - {info}"


def _shifted(problem: Problem, lines: int) -> Problem:
    return replace(problem, line=(problem.line or 1) + lines)
