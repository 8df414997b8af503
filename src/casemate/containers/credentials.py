"""Who asks a registry for an image, and which registry that is. Pure.

What is said here goes to the engine in a header of the pull, and nowhere else: no file of the task ever has it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from casemate.containers.errors import OptionRefused
from casemate.secret import Secret

HUB: Final = "https://index.docker.io/v1/"
_HUB_NAMES: Final = frozenset(("docker.io", "index.docker.io", "registry-1.docker.io"))
_IMAGE: Final = re.compile(
    r"(?:(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?/)?"
    r"[a-z0-9]+(?:(?:[._-]+|/)[a-z0-9]+)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?",
    re.ASCII,
)
_LONGEST: Final = 512
_FIELDS: Final = frozenset(("registry", "username", "password", "registryToken", "identityToken", "auth"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What one registry is told. `registry` is empty for whichever the image comes from."""

    registry: str = ""
    username: str = ""
    password: Secret | None = None
    identity_token: Secret | None = None
    registry_token: Secret | None = None

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must not be read in any log."""
        return tuple(each for each in (self.password, self.identity_token, self.registry_token) if each)


def image_of(text: str) -> str:
    """The name of an image with its tag or digest; without either the tag is `latest`. Raises `OptionRefused`."""
    name = text.strip()
    if len(name) > _LONGEST or not _IMAGE.fullmatch(name):
        raise OptionRefused(f"'{name[:200]}' is not the name of an image.")
    tagged = "@" in name or ":" in name.rpartition("/")[2]
    return name if tagged else f"{name}:latest"


def registry_of(image: str) -> str:
    """The registry that an image comes from, as engines call it."""
    first, slash, _ = image.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    return first if named and first not in _HUB_NAMES else HUB


def read_credentials(written: Mapping[str, object]) -> Iterator[Credentials]:
    """`credentials` of the runner. Raises `OptionRefused`."""
    if not written:
        return
    if unknown := sorted(written.keys() - _FIELDS):
        raise OptionRefused(f"`credentials` has no property '{unknown[0]}'.")
    yield _credentials(str(written.get("registry") or ""), written, ("identityToken", "registryToken"))


def read_config(written: Mapping[str, object]) -> Iterator[Credentials]:
    """The `auths` of a `config.json` of Docker's client. Raises `OptionRefused` for one that needs other programs."""
    if written.get("credsStore") or written.get("credHelpers"):
        raise OptionRefused("`config` names a credential helper, a program that no worker has; write `auths` instead.")
    if unknown := sorted(written.keys() - {"auths", "credsStore", "credHelpers"}):
        raise OptionRefused(f"`config` can have `auths` only; '{unknown[0]}' would change nothing.")
    auths = written.get("auths") or {}
    if not isinstance(auths, Mapping):
        raise OptionRefused("`config.auths` must be a map from registries to what they are told.")
    for registry, each in auths.items():
        if not isinstance(each, Mapping):
            raise OptionRefused("`config.auths` must be a map from registries to what they are told.")
        yield _credentials(str(registry), each, ("identitytoken", "registrytoken"))


def header(credentials: Iterable[Credentials], image: str) -> Secret | None:
    """The `X-Registry-Auth` of a pull: the first credentials that are for the image's registry."""
    registry = registry_of(image)
    for each in credentials:
        if not each.registry or _plain(each.registry) == _plain(registry):
            told = {
                "username": each.username,
                "password": _open(each.password),
                "identitytoken": _open(each.identity_token),
                "registrytoken": _open(each.registry_token),
                "serveraddress": registry,
            }
            text = json.dumps({name: value for name, value in told.items() if value})
            return Secret(base64.urlsafe_b64encode(text.encode()).decode())
    return None


def _credentials(registry: str, written: Mapping[str, object], tokens: tuple[str, str]) -> Credentials:
    username, password = str(written.get("username") or ""), _secret(written, "password")
    if auth := str(written.get("auth") or ""):
        username, password = _of_auth(auth)
    return Credentials(
        registry=registry,
        username=username,
        password=password,
        identity_token=_secret(written, tokens[0]),
        registry_token=_secret(written, tokens[1]),
    )


def _of_auth(auth: str) -> tuple[str, Secret]:
    """`user:password` in Base64."""
    try:
        username, _, password = base64.b64decode(auth, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise OptionRefused("`auth` must be Base64 of user:password.") from None
    return username, Secret(password)


def _secret(written: Mapping[str, object], name: str) -> Secret | None:
    value = written.get(name)
    return Secret(str(value)) if value else None


def _open(secret: Secret | None) -> str:
    return secret.reveal() if secret else ""


def _plain(registry: str) -> str:
    """A registry's name without scheme and path; those of Docker Hub are one."""
    host = registry.removeprefix("https://").removeprefix("http://").partition("/")[0]
    return "docker.io" if host in _HUB_NAMES else host
