"""Plugins as their administrator meets them: installed, used, removed, under a running server."""

from __future__ import annotations

import time
from pathlib import Path

import requests
from tests.plugins.wheels import TYPE, digest, greeting, written
from tests.running import casemate, server

FLOW = f"""
id: greets
namespace: tests.product
tasks:
  - {{id: old, type: com.example.Greet, version: "1.0", name: Ann}}
  - {{id: new, type: {TYPE}, who: Bob, language: fr}}
outputs:
  - {{id: both, type: STRING, value: "{{{{ outputs.old.greeting }}}}, {{{{ outputs.new.greeting }}}}"}}
"""
OLD, NEW = greeting("1.0.0"), greeting("2.0.0")


def install(folder: Path, content: bytes, version: str, *further: str | Path):
    wheel = written(folder, content, f"casemate_greeting-{version}-py3-none-any.whl")
    return casemate("plugins", "install", wheel, "--sha256", digest(content), "--state", folder / "state", *further)


def until(url: str, versions: list[str]) -> None:
    """Wait until a server has these: it looks into the folder again after a while."""
    last = time.monotonic() + 30
    while requests.get(url, timeout=30).json()["versions"] != versions:
        assert time.monotonic() < last
        time.sleep(0.1)


def test_two_versions_are_installed_listed_run_and_removed_by_commands(tmp_path: Path):
    told = install(tmp_path, OLD, "1.0.0")
    assert (told.returncode, told.stdout.splitlines()[0]) == (0, "✓ com.example:casemate-greeting:1.0.0"), told.stderr
    install(tmp_path, NEW, "2.0.0")
    state = ("--state", str(tmp_path / "state"))
    listed = casemate("plugins", "list", *state).stdout.splitlines()
    assert [line.split() for line in listed] == [
        [f"com.example:casemate-greeting:{version}", f"sha256:{digest(content)}", TYPE]
        for version, content in (("1.0.0", OLD), ("2.0.0", NEW))
    ]
    flow = tmp_path / "flow.yaml"
    flow.write_text(FLOW)
    assert "both: Hello Ann, Bonjour Bob" in casemate("run", flow, *state).stdout
    removed = casemate("plugins", "uninstall", "com.example:casemate-greeting:1.0.0", *state)
    assert (removed.returncode, removed.stdout) == (0, "✓ com.example:casemate-greeting:1.0.0 is removed\n")
    told = casemate("run", flow, *state)
    assert told.returncode == 2
    assert f"tasks[0].version: No version '1.0' of '{TYPE}' is installed (installed are 2.0.0)" in told.stderr


def test_a_wheel_without_its_digest_or_with_another_is_not_installed(tmp_path: Path):
    wheel = written(tmp_path, OLD)
    state = ("--state", str(tmp_path / "state"))
    assert casemate("plugins", "install", wheel, *state).returncode == 2
    told = casemate("plugins", "install", wheel, "--sha256", digest(NEW), *state)
    assert (told.returncode, told.stderr) == (
        1,
        "casemate: The file is not the one that was meant: its sha256 is another one\n",
    )
    assert casemate("plugins", "list", *state).stdout == ""


def test_plugins_that_are_not_managed_are_neither_listed_nor_used(tmp_path: Path):
    configuration = tmp_path / "kestra.yml"
    configuration.write_text("kestra: {plugins: {management: {enabled: false}}}")
    told = install(tmp_path, OLD, "1.0.0", "-c", configuration)
    assert told.returncode == 1
    assert "kestra.plugins.management.enabled is false" in told.stderr


def test_a_running_server_hears_of_what_is_installed_and_removed(tmp_path: Path):
    configuration = tmp_path / "kestra.yml"
    configuration.write_text("kestra: {plugins: {management: {auto-reload-interval: 1s}}}")
    install(tmp_path, OLD, "1.0.0")
    with server(tmp_path / "state", "-c", str(configuration)) as running:
        saved = running.save(FLOW)
        assert "Unrecognized field" in saved.text
        install(tmp_path, NEW, "2.0.0")
        versions = f"{running.url}/api/v1/plugins/{TYPE}/versions"
        until(versions, ["2.0.0", "1.0.0"])
        assert running.save(FLOW).ok
        ended = running.until_ended(running.start("tests.product", "greets")["id"])
        assert ended["outputs"] == {"both": "Hello Ann, Bonjour Bob"}
        casemate("plugins", "uninstall", "com.example:casemate-greeting:1.0.0", "--state", tmp_path / "state")
        until(versions, ["2.0.0"])
        refused = requests.post(f"{running.api}/executions/tests.product/greets", timeout=30)
        assert refused.status_code == 422
        assert f"No version '1.0' of '{TYPE}' is installed" in refused.text
