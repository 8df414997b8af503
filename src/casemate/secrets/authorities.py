"""Files of certificate authorities that options name."""

from __future__ import annotations

from ssl import SSLError, create_default_context


def authorities_fault(key: str, file: str | None) -> str | None:
    """What is wrong with a file of authorities to trust; None if nothing is, or none is named."""
    if file is None:
        return None
    try:
        create_default_context(cafile=file)
    except (OSError, SSLError, ValueError):
        return f"{key} is no readable file of certificates in PEM form"
    return None
