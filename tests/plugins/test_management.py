"""Plugins in their folder: installed, found again, removed, and what becomes of those that were meddled with."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from casemate.catalog import Allowed
from casemate.core import catalog
from casemate.plugins import Management, ManagementOff, NoSuchPlugin, PluginRefused
from casemate.settings import PluginManagement
from tests.plugins.wheels import TYPE, digest, greeting, plugin, task, written

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COORDINATES = "com.example:casemate-greeting:1.0.0"


def managed(state: Path, **settings: object):
    """A catalogue, and the management of what lies in this state folder."""
    types = catalog().joined(())
    management = Management(types, PluginManagement(**settings), state)  # type: ignore[arg-type]  # by their names
    management.refresh()
    return types, management


def installed(management: Management, content: bytes, **more: bool):
    return management.install(content, digest(content), NOW, **more)


def test_versions_lie_side_by_side_and_are_found_again(tmp_path: Path):
    types, management = managed(tmp_path)
    for version in ("1.0.0", "2.0.0"):
        installed(management, greeting(version))
    folders = sorted(each.name for each in (tmp_path / "plugins").iterdir() if not each.name.startswith("."))
    assert folders == [f"com_example__casemate-greeting__{number}_0_0" for number in (1, 2)]
    assert types.find(TYPE, "1.0.0") is not None
    again, _ = managed(tmp_path)
    assert [str(each.origin.version) for each in again.plugins.plugins] == ["1.0.0", "2.0.0"]
    assert again.plugins.plugins[0].origin.installed == NOW


def test_another_process_hears_of_it(tmp_path: Path):
    types, other = managed(tmp_path)
    _, management = managed(tmp_path)
    installed(management, greeting())
    assert types.find(TYPE) is None
    other.refresh()
    assert types.find(TYPE) is not None
    management.uninstall(COORDINATES)
    other.refresh()
    assert types.find(TYPE) is None


def test_nothing_is_kept_whose_digest_is_another_one(tmp_path: Path):
    _, management = managed(tmp_path)
    with pytest.raises(PluginRefused, match="sha256"):
        management.install(greeting(), digest(greeting("2.0.0")), NOW)
    assert not (tmp_path / "plugins").exists()


def test_the_same_wheel_twice_changes_nothing(tmp_path: Path):
    _, management = managed(tmp_path)
    first = installed(management, greeting())
    assert installed(management, greeting()) == first


def test_another_wheel_of_the_same_version_must_be_forced(tmp_path: Path):
    types, management = managed(tmp_path)
    installed(management, greeting())
    changed = greeting(title="Changed")
    with pytest.raises(PluginRefused, match="with another content"):
        installed(management, changed)
    installed(management, changed, force=True)
    found = types.find(TYPE)
    assert found is not None
    assert found.title == "Changed"
    assert len(types.plugins.plugins) == 1


def test_a_plugin_is_not_forced_over_another_whose_folder_has_the_same_name(tmp_path: Path):
    types, management = managed(tmp_path)
    one, other = [
        plugin({"own/body.py": ""}, group=group, types=[task(f"{group}.One", "own.body")])
        for group in ("com.a", "com_a")
    ]
    installed(management, one)
    with pytest.raises(PluginRefused, match=r"com_a:own:1\.0\.0 would lie where com\.a:own:1\.0\.0 is"):
        installed(management, other, force=True)
    assert types.find("com.a.One") is not None


@pytest.mark.parametrize(
    "name", ["io.kestra.plugin.core.log.Log", "io.kestra.core.tasks.log.Log", "casemate.redteam.X"]
)
def test_a_plugin_cannot_take_the_name_of_a_type_of_the_server(tmp_path: Path, name: str):
    types, management = managed(tmp_path)
    before = types.find(name)
    for changed in ({"type": name}, {"aliases": [name]}):
        with pytest.raises(PluginRefused, match="the server"):
            installed(management, greeting(**changed))
    assert types.find(name) is before


def test_a_plugin_cannot_take_a_script_type(tmp_path: Path):
    _, management = managed(tmp_path)
    with pytest.raises(PluginRefused, match="a type that comes with the server"):
        installed(management, greeting(aliases=["io.kestra.plugin.scripts.shell.Commands"]))


def test_a_plugin_cannot_take_the_name_of_a_type_of_another(tmp_path: Path):
    _, management = managed(tmp_path)
    installed(management, greeting())
    other = plugin({"own/body.py": ""}, types=[task("com.other.Own", "own.body", aliases=["com.example.Greet"])])
    with pytest.raises(PluginRefused, match=f"a name of {TYPE} of com.example:casemate-greeting already"):
        installed(management, other)


def test_a_name_means_one_type_in_all_versions(tmp_path: Path):
    _, management = managed(tmp_path)
    installed(management, greeting())
    with pytest.raises(PluginRefused, match="already"):
        installed(management, greeting("2.0.0", type="com.example.Greet", aliases=[]))


def test_an_excluded_type_stays_excluded_when_a_plugin_brings_it(tmp_path: Path):
    types = catalog().restricted_to(Allowed(excludes=("com.example.Greet",)))
    management = Management(types, PluginManagement(), tmp_path)
    installed(management, greeting())
    assert types.is_restricted(TYPE)
    assert types.find(TYPE) is None
    assert types.find(TYPE, "1.0.0") is None


def test_what_is_not_there_cannot_be_removed(tmp_path: Path):
    _, management = managed(tmp_path)
    for text in (COORDINATES, "nothing", "../..:x:1.0.0"):
        with pytest.raises(NoSuchPlugin):
            management.uninstall(text)


def test_a_wheel_that_was_changed_on_disk_is_left_out(tmp_path: Path):
    types, management = managed(tmp_path)
    kept = installed(management, greeting())
    installed(management, greeting("2.0.0"))
    Path(kept.origin.file).write_bytes(greeting(title="Changed"))
    management.refresh()
    assert [str(each) for each in types.plugins.versions(TYPE)] == ["2.0.0"]


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"wheel": "../../x", "sha256": "", "installed": ""}'])
def test_a_record_that_says_nothing_usable_costs_one_version_only(tmp_path: Path, record: str):
    types, management = managed(tmp_path)
    kept = installed(management, greeting())
    installed(management, greeting("2.0.0"))
    (Path(kept.origin.file).parent / "plugin.json").write_text(record)
    management.refresh()
    assert [str(each) for each in types.plugins.versions(TYPE)] == ["2.0.0"]


def test_what_a_killed_installation_left_is_no_plugin_and_goes_with_the_next(tmp_path: Path):
    types, management = managed(tmp_path)
    left = tmp_path / "plugins" / ".new-1"
    left.mkdir(parents=True)
    (left / "x.whl").write_bytes(greeting())
    management.refresh()
    assert not types.plugins.plugins
    installed(management, greeting())
    assert not left.exists()


def test_a_folder_that_others_can_write_is_not_used(tmp_path: Path):
    _, management = managed(tmp_path)
    installed(management, greeting())
    (tmp_path / "plugins").chmod(0o777)
    again, management = managed(tmp_path)
    assert not again.plugins.plugins
    with pytest.raises(PluginRefused, match="can be written by others"):
        installed(management, greeting("2.0.0"))


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a folder to another user")
def test_a_folder_of_someone_else_is_not_used(tmp_path: Path):
    _, management = managed(tmp_path)
    installed(management, greeting())
    os.chown(tmp_path / "plugins", 12345, 12345)
    again, _ = managed(tmp_path)
    assert not again.plugins.plugins


def test_a_feature_that_is_off_has_no_plugins_and_installs_none(tmp_path: Path):
    _, management = managed(tmp_path)
    installed(management, greeting())
    types, off = managed(tmp_path, enabled=False)
    assert not types.plugins.plugins
    for act in (off.all, lambda: installed(off, greeting()), lambda: off.uninstall(COORDINATES)):
        with pytest.raises(ManagementOff):
            act()


def test_a_repository_is_a_folder_of_wheels(tmp_path: Path):
    wheels = tmp_path / "wheels"
    written(wheels, greeting(), "a.whl")
    written(wheels, b"no wheel", "b.whl")
    types, management = managed(tmp_path, repositories=(str(wheels), str(tmp_path / "nothing")))
    assert [each.origin.coordinates for each in management.offers()] == [COORDINATES]
    with pytest.raises(PluginRefused, match="sha256"):
        management.install_offered(COORDINATES, "", NOW)
    with pytest.raises(NoSuchPlugin):
        management.install_offered("com.example:casemate-greeting:3.0.0", digest(greeting()), NOW)
    management.install_offered(COORDINATES, digest(greeting()), NOW)
    assert types.find(TYPE) is not None


def test_without_custom_plugins_only_wheels_of_a_repository_are_installed(tmp_path: Path):
    wheels = tmp_path / "wheels"
    written(wheels, greeting(), "a.whl")
    _, management = managed(tmp_path, repositories=(str(wheels),), custom=False)
    with pytest.raises(ManagementOff, match="custom-plugins-enabled is false"):
        installed(management, greeting("2.0.0"))
    assert installed(management, greeting()).origin.coordinates == COORDINATES
