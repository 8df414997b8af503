"""`casemate plugins`: install, list and remove plugins. A running server notices by itself after a while."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from casemate.catalog import Plugin
from casemate.cli.configuration import default_state, settings_from
from casemate.cli.failures import FAILED, told
from casemate.cli.logging import log_to_standard_error
from casemate.core import configured
from casemate.errors import CasemateError
from casemate.plugins import Management, PluginRefused

Config = Annotated[tuple[Path, ...], Parameter(name=("-c", "--config"), negative=(), show_default=False)]


def install(
    file: Path,
    /,
    *,
    sha256: str,
    force: Annotated[bool, Parameter(negative=())] = False,
    config: Config = (),
    state: Path | None = None,
) -> int:
    """Install a plugin from its wheel.

    Parameters
    ----------
    file
        The wheel.
    sha256
        What the wheel's SHA-256 must be, as whoever published it says; nothing else is installed.
    force
        Replace the same version if it was installed from another wheel.
    config
        A `kestra:` configuration file. May be repeated; later files win key by key.
    state
        The state folder of the server; by default `casemate` in the user's state folder.
    """

    def installed(management: Management) -> None:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise PluginRefused(f"{file}: {error.strerror}") from error
        plugin = management.install(content, sha256, datetime.now(UTC), force=force)
        print(f"✓ {plugin.origin.coordinates}")
        for manifest in plugin.manifests:
            print(f"  {manifest.type}: {manifest.title}")

    return _managed(installed, config, state)


def listed(*, config: Config = (), state: Path | None = None) -> int:
    """List the plugins that are installed.

    Parameters
    ----------
    config
        A `kestra:` configuration file. May be repeated; later files win key by key.
    state
        The state folder of the server; by default `casemate` in the user's state folder.
    """

    def shown(management: Management) -> None:
        plugins = management.all()
        for plugin in plugins:
            print(_line(plugin))
        if not plugins:
            print("no plugin is installed", file=sys.stderr)

    return _managed(shown, config, state)


def uninstall(plugin: str, /, *, config: Config = (), state: Path | None = None) -> int:
    """Remove a version of a plugin. Flows that name it are no longer valid.

    Parameters
    ----------
    plugin
        Which one: group:artifact:version, as `casemate plugins list` shows it.
    config
        A `kestra:` configuration file. May be repeated; later files win key by key.
    state
        The state folder of the server; by default `casemate` in the user's state folder.
    """

    def removed(management: Management) -> None:
        print(f"✓ {management.uninstall(plugin).origin.coordinates} is removed")

    return _managed(removed, config, state)


def _line(plugin: Plugin) -> str:
    types = ", ".join(manifest.type for manifest in plugin.manifests)
    return f"{plugin.origin.coordinates}  sha256:{plugin.origin.sha256}  {types}"


def _managed(act: Callable[[Management], None], config: tuple[Path, ...], state: Path | None) -> int:
    log_to_standard_error("warning")
    try:
        settings = settings_from(*config)
        management = Management(configured(settings), settings.plugin_management, state or default_state())
        management.refresh()
        act(management)
    except PluginRefused as error:
        print(f"casemate: {error}", file=sys.stderr)
        return FAILED
    except CasemateError as error:
        return told(error, config[-1] if config else "environment")
    return 0
