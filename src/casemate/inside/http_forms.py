"""What an HTTP request carries: a text, a form, or a form in parts (spec/engine 8.5)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

MULTIPART = "multipart/form-data"
URL_ENCODED = "application/x-www-form-urlencoded"
JSON = "application/json"
_STORED = ("kestra://", "file://")


@dataclass(frozen=True, slots=True)
class Payload:
    """The bytes of a body and what they are."""

    content: bytes
    content_type: str


def payload(properties: Mapping[str, object], charset: str, stored: Callable[[str], bytes]) -> Payload | None:
    """The body that the properties ask for, if any. `stored` reads a file of internal storage.

    ValueError: the body holds what is no text.
    """
    content_type = properties.get("contentType")
    kind = str(content_type) if content_type else None
    form, body = properties.get("formData"), properties.get("body")
    if isinstance(form, Mapping):
        if kind and kind.partition(";")[0].strip().lower() == MULTIPART:
            return _in_parts(form, stored)
        return Payload(_url_encoded(form, charset), kind or URL_ENCODED)
    if body is None:
        return None
    return Payload(_encoded(_text(body), charset), kind or JSON)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _encoded(text: str, charset: str) -> bytes:
    for character in text:
        if 0xD800 <= ord(character) <= 0xDFFF:
            raise ValueError(
                f"Illegal unicode code point in request body: {ord(character)}, "
                "the Request task only support valid Unicode strings as body."
            )
    return text.encode(charset, "replace")


def _url_encoded(form: Mapping[str, object], charset: str) -> bytes:
    fields = [(name, each) for name, value in form.items() for each in (value if isinstance(value, list) else [value])]
    return urlencode([(name, _text(value)) for name, value in fields if value is not None], encoding=charset).encode()


def _in_parts(form: Mapping[str, object], stored: Callable[[str], bytes]) -> Payload:
    boundary = secrets.token_hex(16)
    parts = [_part(name, value, stored) for name, value in form.items() if value is not None]
    content = b"".join(f"--{boundary}\r\n".encode() + part + b"\r\n" for part in parts)
    return Payload(content + f"--{boundary}--\r\n".encode(), f"{MULTIPART}; boundary={boundary}")


def _part(name: str, value: object, stored: Callable[[str], bytes]) -> bytes:
    match value:
        case {"name": str(file_name), "content": str(content)}:
            return _file_part(name, file_name, stored(content) if content.startswith(_STORED) else content.encode())
        case str() if value.startswith(_STORED):
            return _file_part(name, value.rpartition("/")[2], stored(value))
        case str():
            return _headed(f'form-data; name="{_quoted(name)}"', "text/plain; charset=UTF-8", value.encode())
        case _:
            return _headed(f'form-data; name="{_quoted(name)}"', JSON, _text(value).encode())


def _file_part(name: str, file_name: str, content: bytes) -> bytes:
    disposition = f'form-data; name="{_quoted(name)}"; filename="{_quoted(file_name)}"'
    return _headed(disposition, "application/octet-stream", content)


def _headed(disposition: str, content_type: str, content: bytes) -> bytes:
    return f"Content-Disposition: {disposition}\r\nContent-Type: {content_type}\r\n\r\n".encode() + content


def _quoted(name: str) -> str:
    """A name that cannot end its own line or quotes, as browsers write it."""
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
