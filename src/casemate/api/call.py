"""One request as an operation sees it: its parts read and checked, and what the server gives it to work with."""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from starlette.datastructures import FormData
from starlette.requests import Request

from casemate.api import forms
from casemate.api.deps import Deps
from casemate.api.operation import Operation
from casemate.documents import printed
from casemate.errors import Problem, Refused
from casemate.identifiers import FlowId, Namespace, TenantId

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks; `account` is the id of the account they signed in to, if they did."""

    name: str
    account: str | None = None


NOBODY = Principal("anonymous")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed the gate."""

    request: Request
    operation: Operation
    deps: Deps
    principal: Principal
    tenant: TenantId

    def part(self, name: str) -> str:
        """A parameter of the path."""
        return str(self.request.path_params[name])

    @property
    def flow(self) -> tuple[Namespace, FlowId]:
        """The flow that the path names, however it calls the two."""
        parts = self.request.path_params
        return Namespace(parts["namespace"]), FlowId(parts.get("flow_id") or parts["id"])

    def text(self, name: str) -> str | None:
        """A query parameter, None if it is absent or empty."""
        return self._asked(name)[-1] or None if self._asked(name) else None

    def texts(self, name: str) -> list[str]:
        """Every value of a query parameter that may be repeated."""
        return self._asked(name)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A query parameter that is true or false."""
        value = self.text(name)
        if value is None:
            return default
        if value.lower() not in ("true", "false"):
            raise self._unfit(name, value, "boolean")
        return value.lower() == "true"

    def number(self, name: str) -> int | None:
        """A query parameter that is a whole number."""
        value = self.text(name)
        if value is None:
            return None
        number = whole(value)
        if number is None:
            raise self._unfit(name, value, "int")
        return number

    def _asked(self, name: str) -> list[str]:
        assert name in self.operation.asks, f"{self.operation.title} does not declare {name}"
        return self.request.query_params.getlist(name)

    def _unfit(self, name: str, value: str, wanted: str) -> Refused:
        message = f"Failed to convert argument [{name}] for value [{value[:200]}] due to: not a value of type {wanted}"
        return Refused([Problem(code="query-unfit", message=message, path=name)])

    async def body_text(self) -> str:
        """The body as text; it must be UTF-8."""
        try:
            return (await self.request.body()).decode()
        except UnicodeDecodeError as error:
            raise Refused([Problem(code="body-encoding", message=f"the body is not UTF-8: {error.reason}")]) from error

    async def body_json(self, shape: type[T]) -> T:
        """The JSON body in that shape; every fault is named with its place."""
        text = await self.body_text()
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Refused([_malformed(error)]) from error
        # Half a surrogate pair can be written in JSON, and nothing that holds one can be shown again.
        json.dumps(value, ensure_ascii=False).encode()
        try:
            found: T = _checker(cast("Hashable", shape)).validate_python(value)
            return found
        except ValidationError as error:
            raise Refused(_misshaped(fault) for fault in error.errors(include_url=False)) from error

    async def form(self) -> FormData:
        """The fields and files of a form; none if there is no body."""
        return await forms.read(self.request, self.deps.spool)


@cache
def _checker(shape: Any) -> TypeAdapter[Any]:
    """Made when a body of that shape first comes: to make all of them would delay every start."""
    return TypeAdapter(shape)


def whole(text: str) -> int | None:
    """The whole number of 32 bits that a text is, if it is one; no database holds larger ones in our columns."""
    try:
        number = int(text)
    except ValueError:
        return None
    return number if abs(number) < 1 << 31 else None


def _malformed(error: ValueError | RecursionError) -> Problem:
    if isinstance(error, json.JSONDecodeError):
        message = f"Malformed JSON: {error.msg}"
        return Problem(code="json-syntax", message=message, line=error.lineno, column=error.colno)
    return Problem(code="json-syntax", message=f"Malformed JSON: {error}")


def _misshaped(fault: ErrorDetails) -> Problem:
    return Problem(code="json-shape", message=fault["msg"], path=printed(fault["loc"]))
