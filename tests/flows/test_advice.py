"""Deprecations, relocations and warnings, and Kestra's form of a list of problems."""

from casemate.documents import read
from casemate.flows import read_flow, warnings
from casemate.governance import Rulebook, configured
from casemate.identifiers import MAIN

FLOW = """
id: f
namespace: a.b
inputs: [{name: n, type: STRING}]
tasks:
  - {id: a, type: io.kestra.core.tasks.log.Log, message: x}
  - {id: b, type: io.kestra.plugin.core.debug.Echo, format: x}
  - id: c
    type: io.kestra.plugin.core.flow.Pause
    tasks: [{id: d, type: io.kestra.core.tasks.log.Log, message: x}]
listeners: [{tasks: [{id: e, type: io.kestra.plugin.core.log.Log, message: x}]}]
triggers:
  - {id: every, type: io.kestra.plugin.core.trigger.Flow}
  - {id: some, type: io.kestra.plugin.core.trigger.Flow, preconditions: {id: p}}
"""


def test_deprecated_things_are_named_by_their_paths(flow_of, catalog):
    found = warnings(flow_of(FLOW), read(FLOW), catalog)
    assert found.deprecations == ("inputs[0].name", "tasks[1]", "tasks[2].tasks", "listeners")


def test_old_names_are_told_once_each(flow_of, catalog):
    found = warnings(flow_of(FLOW), read(FLOW), catalog)
    assert found.infos == ("io.kestra.core.tasks.log.Log is replaced by io.kestra.plugin.core.log.Log",)


def test_a_trigger_that_listens_to_everything_is_warned_about(flow_of, catalog):
    (warning,) = warnings(flow_of(FLOW), read(FLOW), catalog).warnings
    assert warning == (
        "This flow will be triggered for EVERY execution of EVERY flow on your instance. "
        "We recommend adding the preconditions property to the Flow trigger 'every'."
    )


def test_advice_is_given_for_a_flow_with_problems_too(catalog):
    found = warnings(None, read("id: f\nlisteners: []\ntasks: [{type: io.kestra.core.tasks.log.Log}]\n"), catalog)
    assert found.deprecations == ("listeners",)
    assert len(found.infos) == 1


UNUSED = """
id: f
namespace: a.b
tasks:
  - {id: a, type: io.kestra.plugin.core.log.Log, message: x, taskCache: {enabled: true}, workerSelector: {tag: gpu}}
  - {id: b, type: io.kestra.plugin.scripts.python.Script, script: x, packageManager: UV, dependencyCacheEnabled: true}
  - {id: c, type: io.kestra.plugin.core.log.Log, message: x, workerSelector: {tag: gpu}}
"""


def test_what_has_no_effect_is_told_once_for_each_property(flow_of, catalog):
    assert warnings(flow_of(UNUSED), read(UNUSED), catalog).warnings == (
        "tasks[0].taskCache has no effect here: results are not kept for later executions",
        "tasks[0].workerSelector and 1 more have no effect here: there is one worker only",
        "tasks[1].packageManager has no effect here: dependencies are installed with pip",
    )


def test_what_a_default_brings_in_without_effect_is_told_too(catalog):
    defaults = [{"type": "io.kestra.plugin.core.log", "values": {"taskCache": {"enabled": True}}}]
    text = UNUSED.replace(", taskCache: {enabled: true}", "")
    rules = Rulebook(configured=configured("kestra.plugins.defaults", defaults))
    flow = read_flow(text, catalog.with_rules(rules), MAIN)
    assert any(remark.startswith("tasks[0].taskCache and 1 more") for remark in flow.unused)
