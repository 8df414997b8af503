"""What is configured has its effect on what runs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.running import casemate


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
