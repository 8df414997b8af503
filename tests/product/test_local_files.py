"""`file:///` addresses as a user has them: what is allowed comes in, and nothing else of the machine."""

from __future__ import annotations

from pathlib import Path

from tests.running import casemate

FLOW = """
id: local
namespace: tests.product
tasks:
  - id: taken
    type: io.kestra.plugin.scripts.shell.Commands
    inputFiles: {in.csv: "file://%(allowed)s/a.csv"}
    commands: ["cat in.csv", "ls %(allowed)s || echo the folder itself is not there"]
  - {id: templated, type: io.kestra.plugin.core.log.Log, message: "{{ read('file://%(allowed)s/a.csv') | upper }}"}
  - {id: counted, type: io.kestra.plugin.core.storage.Reverse, from: "file://%(allowed)s/a.csv"}
  - {id: other, type: io.kestra.plugin.core.storage.Reverse, from: "file://%(allowed)s/../secret", allowFailure: true}
  - {id: peeking, type: io.kestra.plugin.core.log.Log, message: "{{ read('file:///etc/passwd') }}", allowFailure: true}
  - id: state
    type: io.kestra.plugin.scripts.shell.Commands
    allowFailure: true
    inputFiles: {db: "file://%(state)s/casemate.db"}
    commands: ["cat db"]
"""
REFUSED = "is not authorized. Only files inside the working directory are allowed by default"


def test_allowed_files_come_in_and_others_do_not(tmp_path: Path):
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (allowed / "a.csv").write_text("one,two\n")
    (tmp_path / "secret").write_text("secret")
    flow, configuration = tmp_path / "flow.yaml", tmp_path / "kestra.yml"
    flow.write_text(FLOW % {"allowed": allowed, "state": tmp_path})
    configuration.write_text(f"kestra: {{local-files: {{allowed-paths: ['{allowed}']}}}}")
    ended = casemate("run", flow, "-c", configuration)
    told = ended.stdout + ended.stderr
    assert "one,two" in told
    assert "the folder itself is not there" in told
    assert "ONE,TWO" in told
    assert told.count(REFUSED) == 3, told
    assert "root:" not in told
    refused = casemate(
        "run", flow, "-c", configuration, environment={"KESTRA_LOCAL_FILES_ALLOWED_PATHS": "not/absolute"}
    )
    assert "must hold absolute paths, not not/absolute" in refused.stderr
