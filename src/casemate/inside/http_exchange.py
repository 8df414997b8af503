"""One HTTP exchange, redirects included: every hop is a new connection that the sandbox's walls judge anew.

Nothing is read without a bound: not the headers, not the body, not what it unpacks to.
"""

from __future__ import annotations

import base64
import contextlib
import encodings.idna  # noqa: F401 - behind the walls an import would come too late
import http.client
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from typing import BinaryIO
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from casemate.inside.http_filter import Filter
from casemate.inside.http_receiving import ExchangeFailed, receive

MOST_REDIRECTS = 10
_REDIRECTS = (301, 302, 303, 307, 308)
_KEEP_METHOD = (307, 308)
_FOR_THE_FIRST = ("authorization", "cookie", "proxy-authorization", "host")
_ABOUT_CONTENT = ("content-type", "content-length", "content-encoding")
_FRAMING = ("content-length", "transfer-encoding")
"""Where a body ends is not for a flow to say: two opinions of it are how requests are smuggled."""
_HOST = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_NAMED_HOST = re.compile(r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
_METHOD = re.compile(r"[A-Z][A-Z_-]*", re.ASCII)
_PLAIN = "%/:=&?~#+!$,;'@()*[]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy, and the account at it, if it asks for one."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to talk: times in seconds (None waits as long as the task may run), the longest body in bytes."""

    connect_timeout: float | None = None
    read_timeout: float | None = 10.0
    longest: int = 10 << 20
    follows_redirects: bool = True
    trusts_all: bool = False
    proxy: Proxy | None = None
    filter: Filter = field(default_factory=Filter)
    """What every hop is held against, a proxy included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to send. Header names are lower-case."""

    method: str
    uri: str
    headers: Mapping[str, str]
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What came back. Header names are lower-case."""

    code: int
    reason: str
    headers: Mapping[str, list[str]]
    content: bytes = field(repr=False)
    length: int
    """Bytes of the body, wherever it went."""


def exchanged(request: Request, options: Options, into: BinaryIO | None = None) -> Response:
    """Send a request, follow redirects, return the last response. With `into` its body goes there.

    ExchangeFailed: an address that is none, a time or size that was exceeded, a peer that does not speak HTTP;
    UriRefused: an address that the filter closes, also one that a redirect leads to; OSError: the network.
    """
    for _ in range(MOST_REDIRECTS + 1):
        response = _one(request, options, into)
        location = response.headers.get("location", [""])[0]
        if not (options.follows_redirects and response.code in _REDIRECTS and location):
            return response
        request = _redirected(request, response.code, location)
    raise ExchangeFailed(f"The request was redirected more than {MOST_REDIRECTS} times.")


def _redirected(request: Request, code: int, location: str) -> Request:
    """The next hop. Another server gets no credentials, and what was asked for with a body is read without one."""
    target = urljoin(request.uri, location)
    headers = dict(request.headers)
    if _origin(urlsplit(target)) != _origin(urlsplit(request.uri)):
        headers = {name: value for name, value in headers.items() if name not in _FOR_THE_FIRST}
    if code in _KEEP_METHOD or request.method in ("GET", "HEAD"):
        return replace(request, uri=target, headers=headers)
    headers = {name: value for name, value in headers.items() if name not in _ABOUT_CONTENT}
    return replace(request, method="GET", uri=target, headers=headers, content=None)


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default


def _one(request: Request, options: Options, into: BinaryIO | None) -> Response:
    parts = _address(request.uri)
    _judge(request, parts, options)
    connection = _connection(parts, options)
    reached = request.uri if options.proxy is None else _through(options.proxy, parts)
    connect = partial(_connected, reached, options.filter)
    connection._create_connection = connect  # type: ignore[attr-defined]  # the one hook there is
    try:
        return _answered(connection, _addressed(request, parts, options), options, into)
    except TimeoutError as error:
        raise ExchangeFailed("Read Timeout" if connection.sock else "Connect Timeout") from error
    except PermissionError as error:
        raise ExchangeFailed(f"The sandbox does not permit connections to {parts.hostname} at its address") from error
    except http.client.HTTPException as error:
        raise ExchangeFailed(f"The server's answer is not HTTP: {str(error) or type(error).__name__}") from error
    finally:
        connection.close()


def _judge(request: Request, parts: SplitResult, options: Options) -> None:
    """Hold whoever may answer against the lists. ExchangeFailed: two readers could see two requests in this one."""
    if not _METHOD.fullmatch(request.method):
        raise ExchangeFailed("Invalid method: it must be a word such as GET")
    options.filter.check(request.uri)
    if (header := request.headers.get("host")) is not None:
        # A server of many names answers for the one in this header, whatever name and port led to it.
        if not (named := _NAMED_HOST.fullmatch(header)):
            raise ExchangeFailed(f"Invalid Host header: {header[:100]!r}")
        port = f":{parts.port}" if parts.port else ""
        options.filter.check(f"{parts.scheme}://{named['host']}{port}{parts.path}")
    if options.proxy:
        # What is said to a proxy goes to whoever it is: a server that is none still answers for the path.
        options.filter.check(_through(options.proxy, parts._replace(path="")))
        options.filter.check(_through(options.proxy, parts))


def _through(proxy: Proxy, parts: SplitResult) -> str:
    """What a server would understand that is asked as if it were a proxy."""
    host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
    return f"http://{host}:{proxy.port}{parts.path}"


def _connected(
    uri: str, judge: Filter, address: tuple[str, int], timeout: float | None, source: tuple[str, int] | None
) -> socket.socket:
    """A connection to a number that was judged itself: asked again, a name could lead elsewhere."""
    found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
    numbers = tuple(dict.fromkeys(str(place[0]) for *_, place in found))
    for number in numbers:
        judge.check_number(uri, number)
    for number in numbers[:-1]:
        with contextlib.suppress(OSError):
            return socket.create_connection((number, address[1]), timeout, source)
    return socket.create_connection((numbers[-1], address[1]), timeout, source)


def _address(uri: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
        if parts.scheme in ("http", "https") and parts.hostname and _is_host(parts.hostname) and parts.port != 0:
            return parts
    except ValueError as error:
        raise ExchangeFailed(f"Invalid URI: {error}") from error
    raise ExchangeFailed("Invalid URI: it must begin with http:// or https:// and name a host")


def _is_host(name: str) -> bool:
    """Is it spelled as hosts are? `%31` means 1 to some proxies, and a backslash ends a host for others."""
    try:
        plain = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        return False
    return ":" in name or _HOST.fullmatch(plain) is not None


def _connection(parts: SplitResult, options: Options) -> http.client.HTTPConnection:
    assert parts.hostname is not None
    host, port = parts.hostname, parts.port
    secure = parts.scheme == "https"
    proxy = options.proxy
    to_host, to_port = (proxy.host, proxy.port) if proxy else (host, port)
    if not secure:
        return http.client.HTTPConnection(to_host, to_port, timeout=options.connect_timeout)
    tls = _tls(trusts_all=options.trusts_all)
    connection = http.client.HTTPSConnection(to_host, to_port, timeout=options.connect_timeout, context=tls)
    if proxy:
        connection.set_tunnel(host, port, _proxy_headers(proxy))
    return connection


def _tls(*, trusts_all: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if trusts_all:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _proxy_headers(proxy: Proxy) -> dict[str, str]:
    if not proxy.user:
        return {}
    return {"proxy-authorization": basic_auth(proxy.user, proxy.password or "")}


def basic_auth(user: str, password: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _addressed(request: Request, parts: SplitResult, options: Options) -> Request:
    """The request as this hop needs it: its target without fragment and account, the account as a header."""
    target = quote(parts.path or "/", safe=_PLAIN) + (f"?{quote(parts.query, safe=_PLAIN)}" if parts.query else "")
    headers = dict(request.headers)
    if parts.username and "authorization" not in headers:
        headers["authorization"] = basic_auth(unquote(parts.username), unquote(parts.password or ""))
    if options.proxy and parts.scheme == "http":
        target = f"http://{parts.netloc.rpartition('@')[2]}{target}"
        headers |= _proxy_headers(options.proxy)
    return replace(request, uri=target, headers=headers)


def _answered(
    connection: http.client.HTTPConnection, request: Request, options: Options, into: BinaryIO | None
) -> Response:
    connection.connect()
    connection.sock.settimeout(options.read_timeout)
    headers = {name: value.encode() for name, value in request.headers.items() if name not in _FRAMING}
    connection.request(request.method, request.uri, request.content, headers)
    answer = connection.getresponse()
    received: dict[str, list[str]] = {}
    for name, value in answer.getheaders():
        received.setdefault(name.lower(), []).append(value)
    place = into or BytesIO()
    place.seek(0)
    place.truncate()  # what an answer that led on had to say
    length = receive(answer, received.get("content-encoding", [""])[-1], options.longest, place)
    content = place.getvalue() if isinstance(place, BytesIO) else b""
    return Response(code=answer.status, reason=answer.reason, headers=received, content=content, length=length)
