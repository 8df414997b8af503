"""`kestra.plugins.management`: what it says, and what it cannot say."""

from __future__ import annotations

from datetime import timedelta

import pytest

from casemate.errors import Refused
from casemate.settings import PluginManagement, load


def management(text: str, **environ: str) -> PluginManagement:
    return load([("kestra.yml", f"kestra: {{plugins: {text}}}")], environ).settings.plugin_management


def test_without_a_word_plugins_are_managed():
    assert management("{}") == PluginManagement()


def test_the_documented_example_in_both_spellings():
    camel = "{enabled: true, defaultVersion: none, customPluginsEnabled: false, localRepositoryPath: /srv/plugins}"
    kebab = "{enabled: true, default-version: NONE, custom-plugins-enabled: false, local-repository-path: /srv/plugins}"
    expected = PluginManagement(default_version="NONE", custom=False, folder="/srv/plugins")
    assert management(f"{{management: {camel}}}") == management(f"{{management: {kebab}}}") == expected


@pytest.mark.parametrize(
    ("text", "reload"),
    [("autoReloadInterval: 5s", timedelta(seconds=5)), ("autoReloadEnabled: false", None)],
)
def test_how_often_the_folder_is_looked_at(text: str, reload: timedelta | None):
    assert management(f"{{management: {{{text}}}}}").reload == reload


@pytest.mark.parametrize("text", ["latest", "LATEST", "Oldest", "current", "none", "1.2.0", "1", "1.2", "2.0.0-rc1"])
def test_a_default_version_is_a_word_or_a_version(text: str):
    assert management(f"{{management: {{default-version: '{text}'}}}}").default_version.lower() == text.lower()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("default-version: newest", "must be a version or one of LATEST, OLDEST, CURRENT, NONE"),
        ("auto-reload-interval: 0s", "must be a second at least"),
        ("local-repository-path: plugins", "must be an absolute path"),
    ],
)
def test_what_cannot_be_meant_stops_the_start(text: str, message: str):
    with pytest.raises(Refused) as caught:
        management(f"{{management: {{{text}}}}}")
    assert message in str(caught.value)


def test_repositories_are_folders_and_others_are_said_to_have_no_effect():
    text = "{repositories: {a: {url: 'file:///srv/my%20wheels'}, central: {url: 'https://repo.example.org/maven'}}}"
    loaded = load([("kestra.yml", f"kestra: {{plugins: {text}}}")], {})
    assert loaded.settings.plugin_management.repositories == ("/srv/my wheels",)
    assert [each.path for each in loaded.warnings] == ["kestra.plugins.repositories.central.url"]
