"""The beginning of a file, as people look at it: rows, an image, or text."""

from __future__ import annotations

import base64
import codecs
import json
from pathlib import PurePosixPath
from typing import Final

from casemate.api.errors import illegal_argument
from casemate.expressions import ExpressionError, ion_value

LARGEST: Final = 2 << 20
"""How many bytes of a file are looked at."""

_IMAGES: Final = frozenset(("jpg", "jpeg", "png", "gif", "bmp", "webp", "svg"))


def preview(uri: str, content: bytes, *, most: int, encoding: str, whole: bool) -> dict[str, object]:
    """`{extension, type, content, truncated}` of the first rows or lines; `whole`: this is all of the file."""
    extension = PurePosixPath(uri).suffix.lstrip(".").lower()
    if extension in _IMAGES or extension == "pdf":
        kind = "PDF" if extension == "pdf" else "IMAGE"
        shown: object = base64.b64encode(content).decode() if whole else ""
        return {"extension": extension, "type": kind, "content": shown, "truncated": not whole}
    lines = _decoded(content, encoding).splitlines()
    # The last line of a beginning may be half of one.
    full = lines if whole or len(lines) < 2 else lines[:-1]
    kept = full[:most]
    truncated = not whole or len(full) > most
    if extension in ("ion", "ndjson", "jsonl"):
        rows = [_row(line) for line in kept if line.strip()]
        return {"extension": extension, "type": "LIST", "content": rows, "truncated": truncated}
    kind = "MARKDOWN" if extension == "md" else "TEXT"
    return {"extension": extension, "type": kind, "content": "\n".join(kept), "truncated": truncated}


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(codecs.lookup(encoding).name, "replace")
    except (LookupError, ValueError) as error:
        raise illegal_argument(f"unable to preview using encoding '{encoding[:50]}'") from error


def _row(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        pass
    try:
        return ion_value(line)
    except ExpressionError:
        return line
