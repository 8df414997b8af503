"""Plugin defaults with a name: for those that refer to them, instead of those that only fill."""

import pytest

LOG = "io.kestra.plugin.core.log.Log"


def default(level, *, ref=None, forced=False, type_=LOG):
    named = {} if ref is None else {"ref": ref}
    return {"type": type_, "values": {"level": level}, "forced": forced, **named}


def test_a_named_default_is_for_those_that_refer_to_it(governed, task):
    defaults = [default("WARN", ref="quiet")]
    assert "level" not in task(governed({"type": LOG}, defaults=defaults))
    assert task(governed({"type": LOG, "pluginDefaultsRef": "quiet"}, defaults=defaults))["level"] == "WARN"


def test_it_stands_in_for_those_that_only_fill(governed, task):
    also = {"type": LOG, "values": {"message": "of all"}}
    found = task(governed({"type": LOG, "pluginDefaultsRef": "quiet"}, defaults=[also, default("WARN", ref="quiet")]))
    assert found == {"pluginDefaultsRef": "quiet", "level": "WARN"}


def test_a_forced_one_takes_over_and_says_so(governed, task):
    outcome = governed(
        {"type": LOG, "pluginDefaultsRef": "quiet"},
        defaults=[default("ERROR", forced=True), default("WARN", ref="quiet")],
    )
    assert task(outcome)["level"] == "ERROR"
    assert [each.message for each in outcome.warnings()] == [
        "tasks[0]: a forced plugin default takes the place of 'quiet'"
    ]


def test_of_several_with_one_name_the_nearest_counts(governed, task):
    flow = {
        "tasks": [{"id": "t", "type": LOG, "pluginDefaultsRef": "quiet"}],
        "pluginDefaults": [default("INFO", ref="quiet")],
    }
    assert task(governed(flow, defaults=[default("WARN", ref="quiet")]))["level"] == "INFO"


@pytest.mark.parametrize("type_", ["io.kestra.plugin.core.debug.Return", LOG])
def test_a_name_that_means_nothing_here_is_refused(governed, type_):
    ref = "quiet" if type_ != LOG else "loud"
    outcome = governed({"type": LOG, "pluginDefaultsRef": "quiet"}, defaults=[default("WARN", ref=ref, type_=type_)])
    (problem,) = outcome.problems("f")
    assert problem.message == f"Unable to apply plugin defaults: no plugin default 'quiet' is for type '{LOG}'"
