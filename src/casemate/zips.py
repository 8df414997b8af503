"""ZIP archives that others have made: what `zipfile` raises for them, which is more than its own error."""

from __future__ import annotations

import zipfile
import zlib
from typing import Final

BROKEN: Final = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError)
"""Content that is damaged is a `zlib.error` or an `EOFError`, an unknown version or method `NotImplementedError`, a
password `RuntimeError`, an offset before the beginning `OSError` or `ValueError`, and a name that is no text
`UnicodeDecodeError`, which is a `ValueError`."""
