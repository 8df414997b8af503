"""`core.http.Request`: make one HTTP request and give its answer as outputs (spec/engine 8.5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from casemate.inside.http_exchange import Options, Proxy, Request, Response, basic_auth, exchanged
from casemate.inside.http_filter import Filter
from casemate.inside.http_forms import payload

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.IGNORECASE | re.ASCII)
_UNITS = (86400, 3600, 60, 1)
_DEFAULT_LENGTH = 10 << 20
_DEFAULT_READ_TIMEOUT = 10.0
_FAILED = 400


class RequestFailed(Exception):
    """The server answered with an error; the message is its reason."""


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None], ask: Callable[..., Any]) -> None:
    """Output `uri`, `code`, `headers` and `body`, or `encryptedBody` if that is wanted.

    An answer of 400 and above is a failure unless `allowFailed`. `job["files"]` may map addresses of internal storage
    to the files that hold them; a form can send those.
    """
    properties = job["properties"]
    options = properties.get("options") or {}
    request = request_of(job)
    response = exchanged(request, options_of(job))
    uri = str(properties["uri"])
    tell({"log": {"level": "DEBUG", "message": f"Request '{_shown(uri)}' with the response code '{response.code}'"}})
    tell({"metric": measured(request, response)})
    checked(properties, response)
    outputs: dict[str, object] = {"uri": uri, "code": response.code, "headers": response.headers}
    body = _body(response, options)
    if body is not None and _flag(properties.get("encryptBody")):
        tell({"outputs": {**outputs, "encryptedBody": ask("text.seal", text=body)}})
    else:
        tell({"outputs": {**outputs, "body": body}})


def checked(properties: Mapping[str, Any], response: Response) -> None:
    """RequestFailed: the server answered with an error, and the task does not allow that."""
    if response.code >= _FAILED and not _flag(properties.get("allowFailed")):
        raise RequestFailed(response.reason or f"HTTP status {response.code}")


def request_of(job: Mapping[str, Any]) -> Request:
    """What a task asks a server for. ValueError: it asks for what cannot be sent."""
    properties, files = job["properties"], job.get("files") or {}
    options = properties.get("options") or {}
    carried = payload(properties, _charset(options), lambda uri: _stored(uri, files))
    headers: dict[str, str] = {}
    if carried:
        headers["content-type"] = carried.content_type
    if user := options.get("basicAuthUser"):
        headers["authorization"] = basic_auth(str(user), str(options.get("basicAuthPassword") or ""))
    given = properties.get("headers") or {}
    headers |= {str(name).lower(): str(value) for name, value in given.items() if value is not None}
    return Request(
        method=str(properties.get("method") or "GET").upper(),
        uri=str(properties["uri"]).strip(),
        headers=headers,
        content=carried.content if carried else None,
    )


def _stored(uri: str, files: Mapping[str, str]) -> bytes:
    if uri not in files:
        raise FileNotFoundError(f"The file {uri} is not at hand in this task.")
    return Path(files[uri]).read_bytes()


def options_of(job: Mapping[str, Any], longest: int = _DEFAULT_LENGTH) -> Options:
    """How a task wants to talk, and to whom it may; a body may have `longest` bytes unless the task says otherwise."""
    properties = job["properties"]
    options, ssl_options = properties.get("options") or {}, properties.get("sslOptions") or {}
    given = options.get("maxContentLength")
    return Options(
        connect_timeout=_seconds(options.get("connectTimeout"), None),
        read_timeout=_seconds(options.get("readTimeout"), _DEFAULT_READ_TIMEOUT),
        longest=longest if given is None else int(given),
        follows_redirects=_flag(options.get("followRedirects", True)),
        trusts_all=_flag(ssl_options.get("insecureTrustAllCertificates")),
        proxy=_proxy(options),
        filter=Filter.of(job.get("http") or {}),
    )


def _proxy(options: Mapping[str, Any]) -> Proxy | None:
    kind = str(options.get("proxyType") or "DIRECT").upper()
    if kind == "DIRECT":
        return None
    if kind != "HTTP" or not options.get("proxyAddress") or not options.get("proxyPort"):
        raise ValueError("A proxy must be of the type HTTP and have proxyAddress and proxyPort.")
    user, password = options.get("proxyUsername"), options.get("proxyPassword")
    return Proxy(
        host=str(options["proxyAddress"]),
        port=int(options["proxyPort"]),
        user=str(user) if user else None,
        password=str(password) if password else None,
    )


def _seconds(duration: object, default: float | None) -> float | None:
    """An ISO-8601 duration or a number of seconds; nothing at all, and zero, wait as long as the task may run."""
    if duration is None:
        return default
    text = str(duration).strip()
    found = _DURATION.fullmatch(text)
    parts = [float(part or 0) for part in found.groups()] if found else None
    seconds = sum(part * unit for part, unit in zip(parts, _UNITS, strict=True)) if parts else float(text)
    return seconds or None


def _flag(value: object) -> bool:
    return value is True or str(value).strip().lower() == "true"


def _charset(options: Mapping[str, Any]) -> str:
    return str(options.get("defaultCharset") or "UTF-8")


def _body(response: Response, options: Mapping[str, Any]) -> str | None:
    """The body as text in the charset that it names, nothing for an empty one."""
    if not response.content:
        return None
    message = Message()
    message["content-type"] = response.headers.get("content-type", ["text/plain"])[0]
    charset = str(message.get_param("charset") or _charset(options))
    try:
        return response.content.decode(charset, "replace")
    except LookupError:
        return response.content.decode("utf-8", "replace")


def measured(request: Request, response: Response) -> dict[str, object]:
    """The metric of an exchange."""
    parts = urlsplit(request.uri)
    tags = {
        "request.method": request.method,
        "request.scheme": parts.scheme,
        "request.hostname": parts.hostname or "",
        "response.code": str(response.code),
    }
    return {"name": "response.length", "kind": "counter", "value": response.length, "tags": tags}


def _shown(uri: str) -> str:
    """An address without the account that may stand in it."""
    return re.sub(r"(?<=://)[^/@\s]*@", "", uri)
