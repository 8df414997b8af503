"""What `casemate.isolation.docker` must not say, and what in it changes nothing. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Final

from casemate.settings import plugin_configurations
from casemate.settings.finding import Finding
from casemate.settings.model import Settings

_SECTION: Final = "casemate.isolation.docker"
GRANTS: Final = (
    *("privileged", "host", "user", "volumes", "networkMode", "portBindings", "deviceRequests", "MOUNT"),
    *("wait", "delete"),
)
"""Options of the Docker task runner that need a grant. `volumes`, `networkMode` and `host` may name one value of it,
`volumes:/srv/shared`; alone they mean any."""
_WITH_VALUE: Final = ("volumes", "networkMode", "host")
_CAPABILITIES: Final = (
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW"),
    *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
)
"""What an engine leaves to containers by itself; more than that is never added."""
_NETWORK: Final = re.compile(r"[A-Za-z0-9][\w.-]*")


def contradicting(settings: Settings) -> Iterator[Finding]:
    """Grants and capabilities that are none, and a network that the egress rules forbid."""
    rules = settings.isolation.docker
    for text in rules.grants:
        if fault := _fault(text):
            remedy = f"Grants are {', '.join(GRANTS)}"
            yield Finding(code="config.type", keys=(f"{_SECTION}.grants",), message=fault, remedy=remedy)
    for text in rules.capabilities:
        if text not in _CAPABILITIES:
            message = f"{text} is not a capability that a container can keep"
            remedy = f"It can keep {', '.join(_CAPABILITIES)}"
            yield Finding(code="config.type", keys=(f"{_SECTION}.capabilities",), message=message, remedy=remedy)
    if not _NETWORK.fullmatch(rules.network):
        yield Finding(code="config.type", keys=(f"{_SECTION}.network",), message="must be the name of a network")
    elif rules.network != "none" and not settings.isolation.egress.open:
        keys = (f"{_SECTION}.network", "casemate.isolation.egress.open")
        yield Finding(keys=keys, message=f"{keys[0]} gives containers a network, and {keys[1]} is false")


def odd(settings: Settings, said: Mapping[str, object]) -> Iterator[Finding]:
    """Kestra's switch for volumes: its older key, and that it opens nothing by itself."""
    older = plugin_configurations.OLDER_VOLUMES
    if older in said:
        message = f"`{older}` is deprecated, please use the plugin configuration `volume-enabled` instead"
        yield Finding(code="config.deprecated", keys=(older,), message=message)
    sections = (settings.isolation.docker.grants, *(_grants(each.overrides) for each in settings.isolation.profiles))
    if settings.volume_enabled and not any(text.split(":")[0] == "volumes" for each in sections for text in each):
        keys = (older if older in said else plugin_configurations.KEY,)
        message = "volume-enabled lets no volume in by itself"
        remedy = f"Add volumes:/the/path to {_SECTION}.grants for each folder that flows may mount"
        yield Finding(code="config.no-effect", keys=keys, message=message, remedy=remedy)


def _grants(overrides: Mapping[str, object]) -> tuple[str, ...]:
    grants = overrides.get(f"{_SECTION}.grants", ())
    return tuple(map(str, grants)) if isinstance(grants, tuple) else ()


def _fault(text: str) -> str:
    name, colon, value = text.partition(":")
    if name not in GRANTS:
        return f"{text} is not a grant"
    if colon and (not value or name not in _WITH_VALUE):
        return f"{text} is not a grant: nothing can stand behind {name}:"
    if name == "volumes" and value.startswith("/") and posixpath.normpath(value.removesuffix(":ro")) == "/":
        return f"{text} would give away the whole machine"
    return ""
