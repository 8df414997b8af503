"""Addresses of stores: which of them would show secrets to the network."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def url_fault(key: str, written: str, *, allow_insecure: bool) -> str | None:
    """What is wrong with the address below a key, in words that quote none of it; None if nothing is.

    Only this machine is spoken to without TLS, unless `allow-insecure: true` says so.
    """
    try:
        url = urlsplit(written)
        known = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        return f"{key} is no URL such as https://store.example:8443"
    if not known or url.username is not None or url.query or url.fragment:
        return f"{key} is no URL such as https://store.example:8443"
    if url.scheme == "http" and not is_loopback(url.hostname or "") and not allow_insecure:
        return f"{key} begins with http:// and would show secrets to the network (or set allow-insecure: true)"
    return None


def is_loopback(host: str) -> bool:
    """Whether a host of a URL is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
