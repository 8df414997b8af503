"""From the texts of configuration files and the environment to settings: read, merge, resolve, convert, check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from casemate import documents
from casemate.errors import Problem, Refused
from casemate.settings.build import built
from casemate.settings.checks import contradicting, odd
from casemate.settings.exposure import secret_variables, written_secrets
from casemate.settings.finding import Finding
from casemate.settings.keys import Kind, segments
from casemate.settings.known import KNOWN
from casemate.settings.model import Loaded, Misconfiguration
from casemate.settings.placeholders import Resolver
from casemate.settings.profiles import entries
from casemate.settings.showing import shown
from casemate.settings.sources import (
    Place,
    Source,
    Written,
    from_environment,
    from_text,
    is_unset,
    place_of,
    sets_a_key,
)
from casemate.settings.values import meaning

INLINE = "KESTRA_CONFIGURATION"
_OF_MICRONAUT = "MICRONAUT_CONFIG_FILES"


def load(files: Sequence[tuple[str, str]], environ: Mapping[str, str]) -> Loaded:
    """The settings that files (name and text, later ones win) and the environment (wins over files) make together.

    YAML in `KESTRA_CONFIGURATION` counts as one more file behind the others. Raises `Refused` with every problem there
    is: unreadable YAML, wrong values, unresolved placeholders, contradictions, protections that do not stand here.
    """
    inline = [(f"environment variable {INLINE}", environ[INLINE])] if environ.get(INLINE) else []
    sources = [*(from_text(name, text, KNOWN) for name, text in (*files, *inline)), from_environment(environ, KNOWN)]
    merged = _merged(sources)
    resolver = Resolver(environ, merged)
    resolved = {name: resolver.resolved(value) for name, value in merged.items()}
    written = {name: value for name, value in resolved.items() if value is not None}
    values, wrong, of_profiles = _meanings(written)
    places = {**written, **of_profiles}
    settings = replace(built(values, environ.get("HOME", "/")), files=tuple(name for name, _ in files))
    # What is missing only because it could not be read contradicts nothing.
    contradictions = [
        found for found in contradicting(settings, values) if not set(found.keys) & merged.keys() - values.keys()
    ]
    oddities = [_placed(found, places) for found in odd(settings, values)]
    problems = [problem for source in sources for problem in source.problems]
    problems += [
        *resolver.problems,
        *wrong,
        *(_placed(found, places) for found in contradictions),
        *_guarded(values, written),
    ]
    if problems:
        raise Refused(_once(problems))
    own = [value for source in sources for value in source.values]
    settings = replace(
        settings, traces=replace(settings.traces, variables=tuple(secret_variables(environ, own, merged)))
    )
    unnamed = {name: value for name, value in environ.items() if name not in resolver.variables}
    unknown = [*_unknown(written, resolver.used), *_unknown_variables(unnamed, settings.variables.env_vars_prefix)]
    named = {name for name, _ in files}
    in_files = {file: where for file, where in written_secrets(own).items() if file in named}
    return Loaded(settings, (*unknown, *oddities, *_without_effect(written)), in_files, shown(written.values()))


def _merged(sources: Iterable[Source]) -> dict[str, Written]:
    merged: dict[str, Written] = {}
    for source in sources:
        for written in source.values:
            before = merged.get(written.name)
            merged[written.name] = _over(before, written) if before else written
    return {name: written for name, written in merged.items() if not is_unset(written.node)}


def _over(before: Written, after: Written) -> Written:
    """Maps grow key by key, sections of options at every depth; all else is replaced, but never by nothing."""
    if is_unset(after.node):
        return before
    if after.key is None or not isinstance(before.node, documents.Mapping):
        return after
    if not isinstance(after.node, documents.Mapping):
        return after
    if after.key.kind is Kind.MAP:
        entries = {entry.key: entry for entry in (*before.node.entries, *after.node.entries)}
        return replace(after, node=replace(after.node, entries=tuple(entries.values())))
    # One file may say where a store of secrets is, and another, for the server only, how it is opened.
    is_section = after.key.kind is Kind.TREE and after.key.secret
    return replace(after, node=_grown(before.node, after.node)) if is_section else after


def _grown(before: documents.Mapping, after: documents.Mapping) -> documents.Mapping:
    entries = {segments(entry.key): entry for entry in before.entries}
    for entry in after.entries:
        old = entries.get(segments(entry.key))
        if old and isinstance(old.value, documents.Mapping) and isinstance(entry.value, documents.Mapping):
            entries[segments(entry.key)] = replace(entry, value=_grown(old.value, entry.value))
        else:
            entries[segments(entry.key)] = entry
    return replace(after, entries=tuple(entries.values()))


def _meanings(
    written: Mapping[str, Written],
) -> tuple[dict[str, object], list[Misconfiguration], Mapping[str, Written]]:
    """The values, what is wrong with them, and where those of profiles stand."""
    values: dict[str, object] = {}
    problems: list[Misconfiguration] = []
    places: Mapping[str, Written] = {}
    for name, value in written.items():
        if value.key is None:
            continue
        if value.key.kind is Kind.ENTRIES:
            read = entries(value)
            values[name], places = read.profiles, read.written or {}
            problems += read.problems
            continue
        try:
            values[name] = meaning(value.key, value.node)
        except ValueError as wrong:
            problems.append(value.place.problem("config.type", f"must be {wrong}", path=value.spelled))
    return values, problems, places


def _placed(finding: Finding, written: Mapping[str, Written]) -> Misconfiguration:
    """A finding at the first of its keys that someone wrote."""
    at = next((written[name] for name in finding.keys if name in written), None)
    place, path = (at.place, at.spelled) if at else (Place(""), finding.keys[0])
    return place.problem(finding.code, finding.message, path=path, remedy=finding.remedy)


def _guarded(values: Mapping[str, object], written: Mapping[str, Written]) -> Iterable[Misconfiguration]:
    for name, value in written.items():
        if value.key and value.key.guard and values.get(name):
            message = f"asks for a protection that does not stand here yet: {value.key.guard}"
            remedy = "Remove the key to start without this protection"
            yield value.place.problem("config.unprotected", message, path=value.spelled, remedy=remedy)


def _without_effect(written: Mapping[str, Written]) -> Iterable[Misconfiguration]:
    for value in written.values():
        if value.key and value.key.later:
            yield value.place.problem("config.no-effect", f"has no effect: {value.key.later}", path=value.spelled)


def _unknown(written: Mapping[str, Written], used: set[str]) -> Iterable[Misconfiguration]:
    """Keys that nobody knows; those a placeholder refers to have their use."""
    for name, value in written.items():
        if value.key is None and name not in used:
            yield value.place.problem("config.unknown", "is not a known key", path=value.spelled, remedy=_meant(name))


def _meant(name: str) -> str:
    nearest = KNOWN.nearest(tuple(name.split(".")))
    return f"Did you mean {nearest}?" if nearest else ""


def _unknown_variables(environ: Mapping[str, str], shown_to_flows: str) -> Iterable[Misconfiguration]:
    if environ.get(_OF_MICRONAUT):
        message, remedy = "names files that are not read", "Name each of them with -c"
        yield place_of(_OF_MICRONAUT).problem("config.no-effect", message, remedy=remedy)
    for variable in sorted(environ):
        if not variable.startswith(("KESTRA_", "CASEMATE_")) or sets_a_key(variable, KNOWN):
            continue
        if shown_to_flows and variable.startswith(shown_to_flows):
            continue
        near = KNOWN.nearest_variable(variable)
        remedy = f"Did you mean {near}?" if near else ""
        yield place_of(variable).problem("config.unknown", "names no known key", remedy=remedy)


def _once(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(dict.fromkeys(problems))
