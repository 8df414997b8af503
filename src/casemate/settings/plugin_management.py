"""`kestra.plugins.management` and `.repositories`: where plugins lie, and which version is meant (spec/isolation 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

from casemate.settings.finding import Finding
from casemate.settings.model import Settings
from casemate.versions import NAMED, NotAVersion, wanted

SECTION: Final = "kestra.plugins.management"
_REPOSITORIES: Final = "kestra.plugins.repositories."
_URL: Final = ".url"


def default_version(text: str) -> str:
    """The word or the version in its one spelling; what is neither stays as it is, and is a contradiction."""
    if text.upper() in NAMED:
        return text.upper()
    try:
        return wanted(text)
    except NotAVersion:
        return text


def repositories(said: Mapping[str, object]) -> tuple[str, ...]:
    """The folders of all repositories that are folders, in the order of their names."""
    urls = (str(said[name]) for name in sorted(said) if _is_url(name))
    return tuple(folder for url in urls if (folder := _folder(url)))


def contradicting(settings: Settings) -> Iterator[Finding]:
    """What cannot be meant."""
    management = settings.plugin_management
    if management.default_version not in NAMED:
        try:
            wanted(management.default_version)
        except NotAVersion:
            message = f"must be a version or one of {', '.join(NAMED)}, not {management.default_version!r}"
            yield Finding(code="config.type", keys=(f"{SECTION}.default-version",), message=message)
    if management.reload is not None and management.reload < timedelta(seconds=1):
        yield Finding(keys=(f"{SECTION}.auto-reload-interval",), message="must be a second at least")
    if management.folder is not None and not PurePosixPath(management.folder).is_absolute():
        yield Finding(keys=(f"{SECTION}.local-repository-path",), message="must be an absolute path")


def without_effect(said: Mapping[str, object]) -> Iterator[Finding]:
    """Repositories that nothing is read from."""
    for name in sorted(said):
        if _is_url(name) and not _folder(str(said[name])):
            message = "has no effect: plugins are read from folders only, file:///srv/wheels"
            yield Finding(code="config.no-effect", keys=(name,), message=message)


def _is_url(name: str) -> bool:
    return name.startswith(_REPOSITORIES) and name.endswith(_URL)


def _folder(url: str) -> str | None:
    parts = urlsplit(url)
    path = unquote(parts.path)
    return path if parts.scheme == "file" and parts.netloc in ("", "localhost") and path.startswith("/") else None
