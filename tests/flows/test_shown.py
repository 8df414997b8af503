"""Flows as Kestra's API shows them."""

import json

from casemate.flows import to_json

LOG = "{id: log, type: io.kestra.plugin.core.log.Log, message: x, level: INFO}"


def test_a_flow_shows_its_own_switches_and_leaves_out_the_defaults_of_tasks(flow_of):
    flow = flow_of(f"id: f\nnamespace: a.b\nrevision: 2\nlabels: {{a: 1}}\ntasks: [{LOG}]\n")
    assert json.dumps(to_json(flow)) == json.dumps(
        {
            "id": "f",
            "namespace": "a.b",
            "revision": 2,
            "disabled": False,
            "deleted": False,
            "labels": [{"key": "a", "value": "1"}],
            "tasks": [{"id": "log", "type": "io.kestra.plugin.core.log.Log", "message": "x"}],
        }
    )


def test_what_is_shown_reads_back_as_the_same_flow(flow_of):
    text = f"""
id: everything
namespace: a.b
description: all of it
variables: {{a: [1, b]}}
inputs:
  - {{id: n, type: INT, defaults: 3, dependsOn: {{inputs: [s]}}}}
  - {{id: s, type: STRING, required: false}}
outputs: [{{id: o, type: STRING, value: x, displayName: O}}]
tasks:
  - id: switch
    type: io.kestra.plugin.core.flow.Switch
    value: x
    cases: {{a: [{LOG}]}}
    defaults: [{{id: d, type: io.kestra.plugin.core.flow.Sleep, duration: PT1S, timeout: PT2S, disabled: true}}]
    errors: [{{id: e, type: io.kestra.plugin.core.execution.Fail, runIf: 'false', logLevel: WARN}}]
  - id: dag
    type: io.kestra.plugin.core.flow.Dag
    tasks:
      - task:
          id: one
          type: io.kestra.plugin.core.debug.Return
          retry: {{type: constant, interval: PT1S, maxAttempt: 2}}
      - task: {{id: two, type: io.kestra.plugin.core.debug.Return, format: x}}
        dependsOn: [one]
errors: []
finally: [{{id: last, type: io.kestra.plugin.core.debug.Return}}]
listeners: [{{tasks: [{{id: heard, type: io.kestra.plugin.core.debug.Return}}]}}]
triggers:
  - {{id: t, type: io.kestra.plugin.core.trigger.Schedule, cron: '@daily', labels: {{a: b}}, disabled: true}}
pluginDefaults: [{{type: io.kestra.plugin.core.log.Log, values: {{level: WARN}}}}]
concurrency: {{limit: 1}}
retry: {{type: random, minInterval: PT1S, maxInterval: PT2S}}
sla: [{{id: s, type: MAX_DURATION, duration: PT1H, behavior: NONE}}]
"""
    flow = flow_of(text)
    shown = to_json(flow)
    again = to_json(flow_of(json.dumps(shown)))
    assert again == shown
    assert shown["tasks"][1]["tasks"][1]["dependsOn"] == ["one"]
    assert shown["tasks"][0]["cases"]["a"][0]["id"] == "log"
    assert "withSeconds" not in shown["triggers"][0]
