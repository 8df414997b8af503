"""Why rules cannot be applied to a document."""

from __future__ import annotations


class Unable(Exception):
    """The rules would make more of the document than a document may be, or take too long over it."""
