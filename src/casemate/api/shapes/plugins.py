"""What is said of types."""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypedDict


class PluginElement(TypedDict):
    """A type."""

    cls: str
    deprecated: bool
    title: str
    description: str


class PluginGroup(TypedDict):
    """Types that belong together."""

    name: str
    title: str
    group: str
    subGroup: NotRequired[str]
    tasks: list[PluginElement]
    triggers: list[PluginElement]
    conditions: list[PluginElement]
    taskRunners: list[PluginElement]


class Plugins(TypedDict):
    """A page of groups."""

    results: list[PluginGroup]
    total: int


class TriggerPlugin(TypedDict):
    """A type of triggers."""

    type: str
    name: str
    pluginTitle: str
    description: str
    group: str
    ee: bool
    deprecated: bool


class TriggerPlugins(TypedDict):
    """All of them."""

    results: list[TriggerPlugin]
    total: int


class PluginVersions(TypedDict):
    """The versions of a type."""

    type: str
    versions: list[str]


class InputType(TypedDict):
    """A type of inputs, and the name that Kestra's messages give it."""

    type: str
    cls: str


class DescribedSchema(TypedDict):
    """Properties and outputs as JSON Schema, with what they refer to."""

    properties: dict[str, Any]
    outputs: dict[str, Any]
    definitions: dict[str, Any]


class Described(TypedDict):
    """A type for people and for editors."""

    markdown: str
    schema: DescribedSchema


class PluginsAsked(TypedDict):
    """Which plugins: `group:artifact:version` each, to install with `@sha256:DIGEST` behind."""

    plugins: list[str]


class InstalledPlugin(TypedDict):
    """A plugin with its versions, the newest first."""

    title: str
    icon: dict[str, Any]
    groupId: str
    artifactId: str
    versions: list[str]


class InstalledPlugins(TypedDict):
    """A page of them."""

    results: list[InstalledPlugin]
    total: int


class PluginArtifact(TypedDict):
    """One version of a plugin, by the digest of its wheel."""

    groupId: str
    artifactId: str
    extension: str
    version: str
    sha256: str


class PluginArtifacts(TypedDict):
    """Those that were installed, or removed."""

    results: list[PluginArtifact]
    total: int
