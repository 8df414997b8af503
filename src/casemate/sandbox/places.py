"""Places of the file tree: what every sandbox has of its own, and the names that one place has on the machine."""

from __future__ import annotations

import os

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
