"""`core.http.Download`: put what a server answers into internal storage (spec/engine 8.5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from email.message import Message
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from casemate.inside.core_http_request import checked, measured, options_of, request_of
from casemate.inside.http_exchange import Response, exchanged
from casemate.inside.reading import flag

_LARGEST = 1 << 30
"""Bytes of a download unless the options say otherwise: more no file inside can have."""


class DownloadFailed(Exception):
    """What came is not what was promised."""


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `uri`, `code`, `length` and `headers`."""
    properties = job["properties"]
    request, options = request_of(job), options_of(job, longest=_LARGEST)
    part = Path(".part")
    with part.open("xb") as file:
        response = exchanged(request, options, file)
    tell({"metric": measured(request, response)})
    checked(properties, response)
    _check_length(response)
    path = str(part.rename(_name(response, str(properties["uri"]))))
    uri = ask("files.keep", paths=[path])[path]
    if not response.length:
        if flag(properties.get("failOnEmptyResponse"), default=True):
            raise DownloadFailed("No response from server")
        tell({"log": {"level": "WARN", "message": f"File '{uri}' is empty"}})
    outputs = {"uri": uri, "code": response.code, "length": response.length, "headers": response.headers}
    tell({"outputs": outputs})


def _check_length(response: Response) -> None:
    promised = response.headers.get("content-length", [""])[-1]
    if promised.isdecimal() and "content-encoding" not in response.headers and int(promised) != response.length:
        raise DownloadFailed(f"Invalid size, got {response.length}, expected {promised}")


def _name(response: Response, uri: str) -> str:
    """What the server calls it, else `download` with the extension of the address."""
    message = Message()
    message["content-disposition"] = response.headers.get("content-disposition", [""])[-1]
    given = re.split(r"[/\\]", message.get_filename() or "")[-1]
    name = quote(unquote(given), safe="")[-200:].lstrip(".")
    suffix = PurePosixPath(unquote(urlsplit(uri).path)).suffix
    return name or f"download{suffix if re.fullmatch(r'[.][-A-Za-z0-9_]{1,32}', suffix) else ''}"
