"""`casemate eval`: render a template outside of any flow."""

from __future__ import annotations

import json
import os
import secrets as dice
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated, NoReturn
from uuid import UUID, uuid4

from cyclopts import Parameter

from casemate.cli.failures import FAILED, INVALID
from casemate.cli.files import Unreadable, text_of
from casemate.expressions import ExpressionError, Jq, no_jq, printed, render
from casemate.expressions.requests import answer
from casemate.identifiers import MAIN, Namespace
from casemate.jq import jq_on_demand
from casemate.keys import Cipher, KeyRefused
from casemate.masking import Mask
from casemate.sandbox import Level
from casemate.secret import Secret
from casemate.secrets import Address, EnvironmentSecrets, Found


def evaluate(
    template: str | None = None,
    /,
    *,
    variables: Annotated[Path | None, Parameter(name="--vars")] = None,
    jsonl: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> int:
    """Render a template and print the result.

    Parameters
    ----------
    template
        The template, such as '{{ now() }}'.
    variables
        A JSON file with the variables it may use.
    jsonl
        Answer lines of standard input instead: each is a JSON object with `id`, `template`, `vars`, `recursive`,
        `mode` and `tz`, and is answered by a line with `id` and `value` or `error`.
    """
    if jsonl:
        with jq_on_demand(_required) as jq:
            return _answer_lines(jq)
    if template is None:
        print("casemate: give a template, or --jsonl (see: casemate eval --help)", file=sys.stderr)
        return INVALID
    try:
        given = _object(text_of(variables), str(variables)) if variables else {}
        with jq_on_demand(_required) as jq:
            print(printed(render(template, given, Here.now_with(os.environ, jq))))
    except (Unreadable, ValueError) as error:
        print(f"casemate: {error}", file=sys.stderr)
        return INVALID
    except ExpressionError as error:
        print(f"casemate: {error}", file=sys.stderr)
        return FAILED
    return 0


def _required() -> Level:
    """The level that the environment asks for; only templates that use jq need to know."""
    from casemate.cli.configuration import settings_from

    return Level(settings_from(None).isolation.required_level)


def _answer_lines(jq: Jq) -> int:
    for number, line in enumerate(sys.stdin, start=1):
        try:
            request = _object(line, f"line {number}")
        except ValueError as error:
            reply: Mapping[str, object] = {"id": None, "error": str(error)}
        else:
            reply = answer(request, Here.now_with(os.environ, jq))
        print(json.dumps(reply), flush=True)
    return 0


def _object(text: str, place: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{place}:{error.lineno}:{error.colno}: {error.msg}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{place}: expected a JSON object")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """The command line's world: a clock, chance and this environment's secrets. No server, hence no files or KV."""

    now: datetime
    secrets: EnvironmentSecrets
    zone: tzinfo = UTC
    apply_jq: Jq = no_jq
    mask: Mask = field(default_factory=Mask)

    @classmethod
    def now_with(cls, environ: Mapping[str, str], jq: Jq) -> Here:
        """The world at this moment."""
        return cls(now=datetime.now(UTC), secrets=EnvironmentSecrets(environ), apply_jq=jq)

    def secret(self, key: str, namespace: str | None, subkey: str | None, inherit: bool) -> str:
        """A secret of the environment."""
        found = self._found(key, namespace)
        if subkey is None:
            return found.value.reveal()
        fields = json.loads(found.value.reveal())
        return str(fields[subkey])

    def full_secret(self, key: str, namespace: str | None, inherit: bool) -> Mapping[str, object]:
        """The same as `value`; an environment keeps nothing beside it."""
        return {"value": self._found(key, namespace).value.reveal(), "metadata": {}}

    def _found(self, key: str, namespace: str | None) -> Found:
        found = self.secrets.read(Address(tenant=MAIN, namespace=Namespace(namespace or ""), name=key))
        if found is None:
            raise ExpressionError(f"Cannot find secret for key '{key}'.")
        return found

    def kv(self, key: str, namespace: str | None, error_on_missing: bool) -> NoReturn:
        """Refused: values live in a server."""
        raise ExpressionError("kv() needs a server; on the command line there is none")

    def read(self, path: str, namespace: str | None) -> NoReturn:
        """Refused: files live in a server."""
        raise ExpressionError("read() needs a server; on the command line there is none")

    def file_size(self, path: str, namespace: str | None) -> NoReturn:
        """Refused: files live in a server."""
        raise ExpressionError("fileSize() needs a server; on the command line there is none")

    def encrypt(self, key: str, plaintext: str) -> str:
        """AES-GCM under a key of the author's."""
        try:
            return Cipher(Secret(key)).encrypt(plaintext)
        except KeyRefused as error:
            raise ExpressionError(str(error)) from None

    def decrypt(self, key: str, encrypted: str) -> str:
        """The opposite."""
        try:
            return Cipher(Secret(key)).decrypt(encrypted)
        except KeyRefused as error:
            raise ExpressionError(str(error)) from None

    def uuid(self) -> UUID:
        """A new random UUID."""
        return uuid4()

    def random_int(self, lower: int, upper: int) -> int:
        """A random number, `lower` ≤ n < `upper`; `lower` if they are equal."""
        return lower + dice.randbelow(max(upper - lower, 1))

    def error_logs(self) -> NoReturn:
        """Refused, in Kestra's words."""
        raise ExpressionError(
            "The 'errorLogs' function can only be used in the Worker as it access logs from the database."
        )

    def jq(self, expression: str, value: object) -> list[object]:
        """All results of a jq program."""
        return self.apply_jq(expression, value)
