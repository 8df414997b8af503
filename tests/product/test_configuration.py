"""What is configured has its effect on what runs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.running import EXAMPLES, casemate, server


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text)
    return file


def test_dates_are_in_the_zone_of_the_server_also_in_summer(tmp_path: Path):
    flow = written(
        tmp_path,
        "flow.yaml",
        """
id: zone
namespace: tests.product
tasks:
  - id: show
    type: io.kestra.plugin.core.debug.Return
    format: '{{ "2026-07-01T10:00:00Z" | date("HH:mm XXX") }}'
outputs:
  - {id: worker, type: STRING, value: "{{ outputs.show.value }}"}
  - {id: control, type: STRING, value: '{{ "2026-07-01T10:00:00Z" | date("HH:mm XXX") }}'}
""",
    )
    result = casemate("run", flow, "--json", environment={"TZ": "Europe/Paris"})
    assert json.loads(result.stdout)["outputs"] == {"worker": "12:00 +02:00", "control": "12:00 +02:00"}


def test_recursive_rendering_reaches_the_tasks(tmp_path: Path):
    flow = written(
        tmp_path,
        "flow.yaml",
        """
id: recursive
namespace: tests.product
variables: {outer: "{{ vars.inner }}", inner: found}
tasks: [{id: show, type: io.kestra.plugin.core.log.Log, message: "it is {{ vars.outer }}"}]
""",
    )
    configuration = written(tmp_path, "conf.yml", "kestra: {variables: {recursive-rendering: true}}")
    assert "it is found" in casemate("run", flow, "-c", configuration).stdout


def test_a_type_that_may_start_nothing_fails_with_the_name_of_the_setting(tmp_path: Path):
    flow = written(
        tmp_path,
        "flow.yaml",
        """
id: forbidden
namespace: tests.product
tasks: [{id: show, type: io.kestra.plugin.scripts.shell.Commands, commands: [echo hello]}]
""",
    )
    rules = "kestra: {ee: {java-security: {enabled: true, forbidden-class-prefix: [io.kestra.plugin.scripts]}}}"
    result = casemate("run", flow, "-c", written(tmp_path, "conf.yml", rules))
    assert result.returncode == 1
    assert (
        "Thread creation is forbidden for 'io.kestra.plugin.scripts.shell.Commands' "
        "by 'kestra.ee.java-security.forbidden-class-prefix'."
    ) in " ".join(result.stdout.split())


DEFAULTS = """
kestra:
  tasks:
    defaults:
      - {type: io.kestra.plugin.core.log.Log, values: {message: "from the server"}}
  plugins:
    defaults:
      - {type: io.kestra.plugin.core.debug.Return, forced: true, values: {format: "forced in {{ flow.id }}"}}
      - {type: io.kestra.plugin.core.log.Log, values: {message: "never shown"}}
"""

INCOMPLETE = """\
id: incomplete
namespace: tests.product
pluginDefaults:
  - {type: io.kestra.plugin.scripts.shell.Commands, values: {commands: ["echo from the flow"]}}
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log}
  - {id: give, type: io.kestra.plugin.core.debug.Return, format: own}
  - {id: script, type: io.kestra.plugin.scripts.shell.Commands}
outputs:
  - {id: given, type: STRING, value: "{{ outputs.give.value }}"}
"""


def test_plugin_defaults_of_flow_and_configuration_complete_what_is_run(tmp_path: Path):
    flow, configuration = written(tmp_path, "flow.yaml", INCOMPLETE), written(tmp_path, "conf.yml", DEFAULTS)
    result = casemate("run", flow, "-c", configuration)
    assert result.returncode == 0, result.stdout + result.stderr
    for expected in ("from the server", "from the flow", "forced in incomplete"):
        assert expected in result.stdout
    assert "never shown" not in result.stdout
    assert casemate("run", flow).returncode == 2


def test_flows_are_validated_with_the_plugin_defaults_of_the_configuration(tmp_path: Path):
    flow, configuration = written(tmp_path, "flow.yaml", INCOMPLETE), written(tmp_path, "conf.yml", DEFAULTS)
    assert casemate("flow", "validate", flow, "-c", configuration).returncode == 0
    assert f"{flow}:6:5: tasks[0].message: must not be null" in casemate("flow", "validate", flow).stdout


def test_a_default_that_is_mistyped_is_no_default(tmp_path: Path):
    text = "kestra: {plugins: {defaults: [{type: a.B, force: true, values: {}}]}}"
    result = casemate("flow", "validate", EXAMPLES, "-c", written(tmp_path, "conf.yml", text))
    assert result.returncode == 2
    assert "kestra.plugins.defaults: entry [0]: Invalid Plugin Default: 'force' is not known" in result.stderr


def test_the_server_keeps_the_text_and_runs_it_with_its_plugin_defaults(tmp_path: Path):
    configuration = written(tmp_path, "conf.yml", DEFAULTS)
    with server(tmp_path / "state", "-c", str(configuration)) as running:
        saved = running.save(INCOMPLETE)
        assert saved.ok, saved.text
        assert saved.json()["source"] == INCOMPLETE
        assert "message" not in saved.json()["tasks"][0]
        ended = running.until_ended(str(running.start("tests.product", "incomplete")["id"]))
    assert ended["state"]["current"] == "SUCCESS"
    assert ended["outputs"] == {"given": "forced in incomplete"}
