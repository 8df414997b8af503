"""The configuration named on the command line, and what is to be said about it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from casemate.catalog import Catalog, means
from casemate.cli.files import text_of
from casemate.cli.logging import log_to_standard_error
from casemate.cli.traces import readable_by_others
from casemate.core import catalog, configured
from casemate.errors import Problem, Refused
from casemate.flows import unfit_rules
from casemate.plugins import Management, folder_of
from casemate.settings import Loaded, Misconfiguration, Settings, load, unknown_types


def settings_from(*given: Path | None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings that `read_configuration` makes, for commands that need nothing else."""
    return read_configuration(*given, environ=environ).settings


def read_configuration(*given: Path | None, environ: Mapping[str, str] = os.environ) -> Loaded:
    """Settings from the files that are named, later ones over earlier ones, and from the environment; warnings go to
    standard error.

    Raises `Refused` with every problem, `Unreadable` for a file.
    """
    files = [(str(file), text_of(file)) for file in given if file]
    loaded = load(files, environ)
    _refuse_open_files(loaded)
    unfit = _unfit_rules(loaded.settings)
    if fatal := [problem for problem, stops in unfit if stops]:
        raise Refused(fatal)
    for warning in (*loaded.warnings, *_unknown_types(loaded.settings), *(problem for problem, _ in unfit)):
        print(f"casemate: {warning.located(files[-1][0] if files else 'environment')}", file=sys.stderr)
    return loaded


def _refuse_open_files(loaded: Loaded) -> None:
    """Secrets in files that every account of the machine can read are none."""
    if loaded.settings.traces.readable_by_others:
        return
    told = [problem for file, problem in loaded.secrets_in_files.items() if readable_by_others(Path(file))]
    if told:
        raise Refused(told)


def _unfit_rules(settings: Settings) -> list[tuple[Misconfiguration, bool]]:
    if not settings.rules.configured:
        return []
    return list(unfit_rules(catalog().with_rules(settings.rules)))


def types_of(settings: Settings, state: Path | None = None) -> Catalog:
    """The types that there are with these settings, those of installed plugins with them.

    Without a state folder the plugins are those of the server that is started without one.
    """
    log_to_standard_error("warning")
    types = configured(settings)
    Management(types, settings.plugin_management, state or default_state()).refresh()
    return types


def with_plugins(settings: Settings, state: Path | None) -> Settings:
    """The same, with the place where plugins lie said in words; see `types_of`."""
    folder = folder_of(settings.plugin_management, state or default_state())
    return replace(settings, plugin_management=replace(settings.plugin_management, folder=str(folder.absolute())))


def default_state() -> Path:
    """Where a server keeps its state if nothing else is said (XDG base directory specification)."""
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "casemate"


def _unknown_types(settings: Settings) -> Iterable[Problem]:
    """What profiles and lists of types name that is no type here; types are known to the catalogue only."""
    lists = {"includes": settings.plugin_security.includes, "excludes": settings.plugin_security.excludes}
    if settings.isolation.profiles:
        yield from unknown_types(settings.isolation, catalog().every_name())
    for name, entries in lists.items():
        for index, entry in enumerate(entries):
            if not means(entry, catalog().every_name()):
                path = f"kestra.plugins.security.{name}[{index}]"
                yield Problem(code="config.no-effect", message=f"no type here is named {entry}", path=path)
