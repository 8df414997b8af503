"""The world as templates of a granted job see it: mostly the control plane answers.

Rendering runs in a thread of its own; questions go through the event loop and are waited for.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, BinaryIO, Final, NoReturn
from uuid import UUID, uuid4

from casemate.dispatch import Ask, LinkLost, NotHeld, Reply
from casemate.expressions import ExpressionError, Jq, no_jq
from casemate.keys import Cipher, KeyRefused
from casemate.masking import Mask, maskable
from casemate.secret import Secret
from casemate.worker.errors import JobLost, TaskFailed
from casemate.worker.local_files import SCHEME, nothing_local

PATIENCE: Final = 30.0
"""Seconds that one answer of the control plane may take."""

_TOLD: Final = 3
"""Characters of what stands beside a secret and is no secret itself."""

_READABLE: Final = 10 << 20
"""The bytes of the largest file of this machine that a template reads."""

Question = Callable[[Ask], Coroutine[Any, Any, Reply]]


class JobWorld:
    """Answers for one attempt. Every secret that it gives away is added to the mask first."""

    def __init__(
        self,
        mask: Mask,
        ask: Question,
        loop: asyncio.AbstractEventLoop,
        zone: tzinfo,
        jq: Jq = no_jq,
        local: Callable[[str], BinaryIO] = nothing_local,
    ) -> None:
        self._secrets: dict[tuple[str, str | None, bool], str] = {}
        self._mask = mask
        self._ask = ask
        self._loop = loop
        self._zone = zone
        self._jq = jq
        self._local = local
        self._now = datetime.now(UTC)
        self.short: set[str] = set()
        """The names of secrets that were given and cannot be masked."""

    @property
    def now(self) -> datetime:
        """When rendering began: one moment for all templates of the task."""
        return self._now

    @property
    def zone(self) -> tzinfo:
        """The zone of the server, wherever the worker is."""
        return self._zone

    @property
    def mask(self) -> Mask:
        """That of the attempt."""
        return self._mask

    def secret(self, key: str, namespace: str | None, subkey: str | None, inherit: bool) -> str:
        """The value of a secret, or of one field of a secret that is a JSON object."""
        asked = {"key": key, "namespace": namespace, "subkey": None, "inherit": inherit}
        if (key, namespace, inherit) not in self._secrets:
            self._secrets[key, namespace, inherit] = str(self._answer("secret", **asked))
        whole = self._secrets[key, namespace, inherit]
        self._mask.add(Secret(whole))
        value = whole if subkey is None else self._field(key, whole, subkey)
        if value and not maskable(value):
            self.short.add(key)
        return value

    def full_secret(self, key: str, namespace: str | None, inherit: bool) -> Mapping[str, object]:
        """A secret as `value`, and what its store keeps beside it as `metadata`."""
        found = self._answer("full_secret", key=key, namespace=namespace, inherit=inherit)
        if not isinstance(found, Mapping) or not isinstance(found.get("metadata"), Mapping):
            _refuse(f"Cannot find secret for key '{key}'.")
        beside = [str(text) for text in found["metadata"].values()]
        self._mask.add(Secret(str(found["value"])))
        self._mask.add_all(Secret(text) for text in beside if len(text) > _TOLD)
        return found

    def kv(self, key: str, namespace: str | None, error_on_missing: bool) -> object:
        """A value of the KV store."""
        return self._answer("kv", key=key, namespace=namespace, error_on_missing=error_on_missing)

    def read(self, path: str, namespace: str | None) -> str:
        """The text of a file; one of this machine where that is allowed."""
        if path.startswith(SCHEME):
            with self._opened(path) as file:
                return self._text(path, file)
        return str(self._answer("read", path=path, namespace=namespace))

    def file_size(self, path: str, namespace: str | None) -> int:
        """The size of a file in bytes."""
        if path.startswith(SCHEME):
            with self._opened(path) as file:
                return file.seek(0, 2)
        size = self._answer("file_size", path=path, namespace=namespace)
        return size if isinstance(size, int) else _refuse(f"The size of '{path}' is not known.")

    def encrypt(self, key: str, plaintext: str) -> str:
        """The text under a key of the author's; both are masked from now on."""
        return self._ciphered(key, plaintext, lambda cipher: cipher.encrypt(plaintext))

    def decrypt(self, key: str, encrypted: str) -> str:
        """The clear text; it and the key are masked from now on."""
        plaintext = self._ciphered(key, "", lambda cipher: cipher.decrypt(encrypted))
        self._mask.add(Secret(plaintext))
        return plaintext

    def uuid(self) -> UUID:
        """A new random UUID."""
        return uuid4()

    def random_int(self, lower: int, upper: int) -> int:
        """A random number, `lower` ≤ n < `upper`."""
        return random.SystemRandom().randrange(lower, max(upper, lower + 1))

    def error_logs(self) -> Sequence[Mapping[str, object]]:
        """The ERROR entries of the execution so far."""
        entries = self._answer("error_logs")
        return entries if isinstance(entries, list | tuple) else ()

    def jq(self, expression: str, value: object) -> list[object]:
        """All results of a jq program."""
        return self._jq(expression, value)

    def _opened(self, path: str) -> BinaryIO:
        try:
            return self._local(path)
        except TaskFailed as failure:
            _refuse(str(failure))

    def _text(self, path: str, file: BinaryIO) -> str:
        content = file.read(_READABLE + 1)
        if len(content) > _READABLE:
            _refuse(f"Unable to read the file '{path}': it has more than {_READABLE} bytes")
        return content.decode("utf-8", "replace")

    def _field(self, key: str, whole: str, subkey: str) -> str:
        try:
            fields = json.loads(whole)
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            _refuse(
                f"Failed to read secret sub-key '{subkey}' from secret '{key}'. "
                "Ensure the secret contains valid JSON value."
            )
        if subkey not in fields:
            _refuse(f"Cannot find secret sub-key '{subkey}' in secret '{key}'.")
        value = fields[subkey]
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        self._mask.add(Secret(text))
        return text

    def _ciphered(self, key: str, plaintext: str, apply: Callable[[Cipher], str]) -> str:
        self._mask.add(Secret(key))
        self._mask.add(Secret(plaintext))
        try:
            return apply(Cipher(Secret(key)))
        except KeyRefused as error:
            raise ExpressionError(str(error)) from None

    def _answer(self, function: str, **arguments: object) -> object:
        """Ask the control plane, from the rendering thread."""
        answer = asyncio.run_coroutine_threadsafe(self._ask(Ask(function, arguments)), self._loop)
        try:
            reply = answer.result(PATIENCE)
        except NotHeld as error:
            raise JobLost from error
        except (LinkLost, TimeoutError) as error:
            answer.cancel()
            raise ExpressionError(f"The function '{function}' got no answer.") from error
        return reply.value if reply.error is None else _refuse(reply.error)


def _refuse(text: str) -> NoReturn:
    raise ExpressionError(text)
