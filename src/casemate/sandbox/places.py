"""Places of the file tree: what every sandbox has of its own, and the names that one place has on the machine."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import PurePath

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
"""Programs and libraries of the machine, in every sandbox."""
OWN_FOLDERS = ("/", "/etc", "/var")
"""Folders that every sandbox has as its own, with what belongs there: the machine's cannot stand for them."""
OFFERED_SETTINGS = (
    *("ssl", "pki", "ca-certificates", "crypto-policies", "alternatives"),
    *("python3*", "java-*", "fonts"),
)
"""Folders of the machine's /etc that are shown unless it is forbidden; then a few files of our own stand for them."""
ALWAYS_COVERED = ("/etc/ssl/private", "/etc/pki/tls/private")
"""What nobody is shown of them."""
OWN_SETTINGS = ("passwd", "group", "hosts", "hostname", "resolv.conf", "nsswitch.conf")
"""Files of /etc that we write."""
COPIED_SETTINGS = ("ld.so.cache", "localtime", "timezone", "services", "protocols", "mime.types", "os-release")
"""Files of /etc that are copied from the machine, whatever is forbidden: nothing of them is a secret."""
CERTIFICATES = (
    "ssl/certs/ca-certificates.crt",
    "pki/tls/certs/ca-bundle.crt",
    "pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "ssl/ca-bundle.pem",
    "pki/tls/cacert.pem",
    "ssl/cert.pem",
)
"""Where in /etc distributions keep the certificates of authorities, and programs look for them."""

SHOWN_IN_ETC = frozenset(f"/etc/{name}" for name in (*OWN_SETTINGS, *COPIED_SETTINGS, *CERTIFICATES))
"""What is there even when all of /etc is forbidden."""


def places_of(path: str) -> set[str]:
    """A path as it is written, and what it is a link to."""
    return {os.path.normpath(path), os.path.realpath(path)}


def names_of(path: str, shown: Iterable[str]) -> set[str]:
    """Every name under which a path shows where these places do: its own, and those through a place that is a link."""
    places = places_of(path)
    links = {place: real for place in shown if (real := os.path.realpath(place)) != place}
    through = (
        (link, os.path.relpath(place, real))
        for link, real in links.items()
        for place in places
        if PurePath(place).is_relative_to(real)
    )
    return places | {os.path.join(link, rest) for link, rest in through}


def offered() -> list[str]:
    """Folders of `OFFERED_SETTINGS` that this machine has."""
    return [path for pattern in OFFERED_SETTINGS for path in glob.glob(f"/etc/{pattern}")]


def is_everywhere(path: str) -> bool:
    """Does every sandbox have the machine's file or folder of this name, or one of its own, whatever its policy?"""
    settings = (*OWN_SETTINGS, *COPIED_SETTINGS, *OFFERED_SETTINGS)
    return path in (*SYSTEM, sys.base_prefix) or any(fnmatch(path, f"/etc/{name}") for name in settings)
