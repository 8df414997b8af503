"""Forms: their files are spooled to disk, and so their texts, which are not, are bounded as a whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from starlette.datastructures import FormData
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import Request

from casemate.api.errors import Declined
from casemate.api.limits import Spool

_FILES = 100
_FIELDS = 1000
_LONGEST_TEXT = 4 << 20
_ALL_TEXTS = 16 << 20
"""Bytes of one text, and characters of all of them."""


class _Parts(MultiPartParser):
    """Reads the parts of a form, and refuses it when its texts are too long in all."""

    _taken = 0

    def on_part_end(self) -> None:
        """Counts a text that is complete."""
        super().on_part_end()
        _, value = self.items[-1]
        if isinstance(value, str):
            self._taken += len(value)
        if self._taken > _ALL_TEXTS:
            raise MultiPartException(f"The texts of a form may have {_ALL_TEXTS} characters in all")


async def read(request: Request, spool: Spool) -> FormData:
    """The fields and files of a form; none if there is no body. Raises `Declined`. `close` it when all is done."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "multipart/form-data":
            body, most = _spooled(request, spool), _LONGEST_TEXT
            parts = _Parts(request.headers, body, max_files=_FILES, max_fields=_FIELDS, max_part_size=most)
            request.state.form = await parts.parse()
        elif kind == "application/x-www-form-urlencoded":
            fields = FormParser(request.headers, _brief(request), max_fields=_FIELDS, max_part_size=_LONGEST_TEXT)
            request.state.form = await fields.parse()
        else:
            return FormData()
    except MultiPartException as error:
        raise Declined(400, f"Bad Request: {error.message}") from error
    form: FormData = request.state.form
    return form


async def close(request: Request, spool: Spool) -> None:
    """Removes the spooled files of the form that was read, if one was."""
    form = getattr(request.state, "form", None)
    if isinstance(form, FormData):
        await form.close()
    spool.give_back(getattr(request.state, "spooled", 0))
    request.state.spooled = 0


async def _spooled(request: Request, spool: Spool) -> AsyncGenerator[bytes, None]:
    """The body, refused when too much of it and of others is on the disk."""
    request.state.spooled = 0
    async for chunk in request.stream():
        spool.take(len(chunk))
        request.state.spooled += len(chunk)
        yield chunk


async def _brief(request: Request) -> AsyncGenerator[bytes, None]:
    """The body, refused as soon as it is longer than the texts of a form may be: it is kept in memory."""
    taken = 0
    async for chunk in request.stream():
        taken += len(chunk)
        if taken > _ALL_TEXTS:
            raise Declined(413, f"The body has more than the {_ALL_TEXTS} bytes that are allowed here")
        yield chunk
