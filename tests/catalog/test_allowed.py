"""Lists of allowed and refused types: what an entry means, and what the catalog then has."""

from __future__ import annotations

import time

import pytest

from casemate.catalog import Allowed, BadManifest, means
from casemate.core import catalog
from casemate.governance import Rulebook, configured

LOG = "io.kestra.plugin.core.log.Log"
OLD_LOG = "io.kestra.core.tasks.log.Log"
ECHO = "io.kestra.plugin.core.debug.Echo"
OLD_ECHO = "io.kestra.core.tasks.debugs.Echo"
SHELL = "io.kestra.plugin.scripts.shell.Commands"


def types_of(*, includes=(), excludes=()):
    return catalog().restricted_to(Allowed(tuple(includes), tuple(excludes)))


def test_no_lists_allow_every_type():
    assert len(types_of().all()) == len(catalog().all())


@pytest.mark.parametrize(
    ("entry", "allowed", "refused"),
    [
        ("io.kestra.*", [LOG, ECHO, SHELL], []),
        (LOG, [LOG], [ECHO, SHELL]),
        (r"io\.kestra\.plugin\.core\..*", [LOG, ECHO], [SHELL]),
        (r".*\.(Log|Echo)", [LOG, ECHO], [SHELL]),
        ("io.kestra.plugin.core", [], [LOG, ECHO, SHELL]),
        ("kestra.plugin.core.log.Log", [], [LOG]),
        ("io.kestra.plugin.core.log.Lo", [], [LOG]),
    ],
)
def test_an_entry_means_whole_names(entry, allowed, refused):
    types = types_of(includes=[entry])
    assert [name for name in (LOG, ECHO, SHELL) if types.find(name)] == allowed
    assert all(types.is_restricted(name) for name in refused)


def test_what_is_excluded_stays_so_whatever_includes_it():
    types = types_of(includes=["io.kestra.*", ECHO], excludes=[ECHO])
    assert types.find(ECHO) is None
    assert types.find(LOG) is not None


@pytest.mark.parametrize("entry", [ECHO, OLD_ECHO, r".*\.debugs\..*"])
@pytest.mark.parametrize("asked", [ECHO, OLD_ECHO])
def test_a_type_is_excluded_under_each_of_its_names(entry, asked):
    types = types_of(excludes=[entry])
    assert types.is_restricted(asked)
    assert types.find(asked) is None


def test_a_type_is_included_by_an_older_name():
    types = types_of(includes=[OLD_LOG])
    assert [manifest.type for manifest in types.all()] == [LOG]


def test_an_unknown_type_is_not_a_restricted_one():
    assert not types_of(includes=[LOG]).is_restricted("io.kestra.nothing.Here")


def test_the_parts_of_a_type_go_with_it():
    whole, part = "io.kestra.plugin.core.flow.ForEachItem", "io.kestra.plugin.core.flow.ForEachItem$ForEachItemSplit"
    assert types_of(includes=[whole]).find(part) is not None
    assert types_of(excludes=[whole]).find(part) is None


def test_the_lists_outlive_other_changes_of_a_catalog():
    types = (
        types_of(excludes=[ECHO])
        .with_rules(Rulebook(configured=configured("k", [{"type": LOG, "values": {"a": 1}}])))
        .joined(())
    )
    assert types.is_restricted(ECHO)


def test_a_refused_type_still_keeps_its_names_to_itself():
    types = types_of(excludes=[ECHO])
    with pytest.raises(BadManifest, match="more than once"):
        types.joined([catalog().find(ECHO)])


@pytest.mark.parametrize("entry", ["(a+)+$", "(a|a)*b", "(.*)*x", "((a{0,30}){0,30})"])
def test_no_entry_can_hang(entry):
    before = time.monotonic()
    means(entry, ["a" * 5000 + "!"])
    assert time.monotonic() - before < 2


def test_an_entry_that_is_no_expression_is_only_a_name():
    assert not means("io.kestra.[", [LOG])
    assert means("io.kestra.[", ["io.kestra.["])
