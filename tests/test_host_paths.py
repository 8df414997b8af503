"""What lies behind the paths of a configuration decides whether tasks may see them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from casemate.errors import Refused
from casemate.host_paths import check_places, private_places
from casemate.settings import Settings, load


def settings(text: str, *files: Path) -> Settings:
    return load([*((str(file), file.read_text()) for file in files), ("kestra.yml", text)], {}).settings


def warned(text: str, state: Path) -> list[str]:
    with capture_logs() as entries:
        check_places(settings(text), state)
    assert {entry["log_level"] for entry in entries} <= {"warning"}
    return [f"{entry['key']} {entry['path']}: {entry['effect']}" for entry in entries]


FORBIDDEN = "kestra: {{ee: {{java-security: {{enabled: true, forbidden-paths: [{}]}}}}}}"


def test_paths_that_do_not_exist_are_told_once_each(tmp_path: Path):
    text = FORBIDDEN.format("/srv/none") + "\ncasemate: {isolation: {visible-paths: [/srv/neither]}}"
    assert warned(text, tmp_path) == [
        "casemate.isolation.visible-paths /srv/neither: tasks do not see it",
        "kestra.ee.java-security.forbidden-paths /srv/none: it is forbidden as soon as it exists",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's tasks write as that user")
def test_a_writable_folder_that_lets_nobody_write_is_worth_a_word(tmp_path: Path):
    folder = Path("/srv") / f"casemate-closed-{os.getpid()}"
    folder.mkdir()
    try:
        text = f"casemate: {{isolation: {{profiles: [{{types: [a], writable-paths: [{folder}]}}]}}}}"
        (said,) = warned(text, tmp_path)
        assert said.startswith(f"casemate.isolation.profiles[0].writable-paths {folder}: its mode lets no user")
        folder.chmod(0o1777)
        assert warned(text, tmp_path) == []
    finally:
        folder.rmdir()


def test_state_storage_and_configuration_are_private(tmp_path: Path):
    file = tmp_path / "own.yml"
    file.write_text(f"kestra: {{storage: {{local: {{base-path: {tmp_path}/files}}}}}}")
    private = private_places(settings("", file), tmp_path / "state")
    assert private == (str(tmp_path / "state"), str(tmp_path / "files"), str(file))


def test_every_contradiction_is_told_with_its_key():
    folder = Path("/srv") / f"casemate-linked-{os.getpid()}"
    folder.mkdir()
    try:
        (folder / "keys").mkdir()
        (folder / "link").symlink_to("keys")
        shown = f"casemate: {{isolation: {{visible-paths: [{folder}/link, {folder}/state/x]}}}}"
        with pytest.raises(Refused) as caught:
            check_places(settings(f"{FORBIDDEN.format(folder / 'keys')}\n{shown}"), folder / "state")
        told = [problem.message for problem in caught.value.problems]
        assert told == [
            f"{folder}/link leads to {folder}/keys, but {folder}/keys is forbidden",
            f"{folder}/state/x belongs to the server: {folder}/state is never shown to tasks",
        ]
        assert {problem.path for problem in caught.value.problems} == {"casemate.isolation.visible-paths"}
    finally:
        (folder / "link").unlink()
        (folder / "keys").rmdir()
        folder.rmdir()


def test_the_socket_of_an_engine_is_private_wherever_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = Path("/srv") / f"casemate-engine-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / "socket").touch()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/socket")
        assert str(folder / "socket") in private_places(settings(""), tmp_path)
        with pytest.raises(Refused, match="is never shown to tasks"):
            check_places(settings(f"casemate: {{isolation: {{visible-paths: [{folder}/socket]}}}}"), tmp_path)
    finally:
        (folder / "socket").unlink()
        folder.rmdir()
