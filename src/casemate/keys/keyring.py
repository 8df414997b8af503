"""The keys of a server: one seals, all of them open (spec/security 1.8)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from casemate.keys.cipher import Cipher, Undecipherable
from casemate.sealed import Sealed
from casemate.secret import Secret

DEFAULT: Final = "default"
"""The id of the key that stands alone, in `kestra.encryption.secret-key`."""


WORN: Final = 1 << 31
"""Values under one key, after which it should be changed: half of what NIST allows for random IVs (SP 800-38D 8.3)."""


class Keyring:
    """Seals with the primary key and opens with whichever fits; `named` envelopes say which one they are of."""

    __slots__ = ("_ciphers", "_named", "primary")

    def __init__(
        self,
        keys: Mapping[str, Secret],
        primary: str,
        *,
        named: bool,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """`keys` by their ids, in the order in which they are tried. Raises `InvalidKey` for one that is none."""
        self._ciphers = {name: Cipher(key, random) for name, key in keys.items()}
        self._named = named
        self.primary = primary

    def seal(self, text: str) -> Sealed:
        """A text under the primary key. An empty one stays empty, as in Kestra."""
        return Sealed(self._ciphers[self.primary].encrypt(text), self.primary if self._named else None)

    def unseal(self, sealed: Sealed) -> str:
        """The clear text. Raises `Undecipherable`, which never shows a value."""
        return self.opened(sealed)[1]

    def opened(self, sealed: Sealed) -> tuple[str, str]:
        """The id of the key that opens it, and the clear text. Raises `Undecipherable`.

        One that names no key is tried with `default` first, then with the others in their order; what it says when
        none fits is what the first of them said.
        """
        if sealed.key is not None:
            return sealed.key, self._of(sealed.key).decrypt(sealed.cipher)
        first: Undecipherable | None = None
        for name in self._unnamed():
            try:
                return name, self._ciphers[name].decrypt(sealed.cipher)
            except Undecipherable as error:
                first = first or error
        assert first is not None, "there is a key"
        raise first

    def _of(self, name: str) -> Cipher:
        if name not in self._ciphers:
            raise Undecipherable(f"The encryption key '{name[:100]}' is not configured")
        return self._ciphers[name]

    def _unnamed(self) -> Iterator[str]:
        if DEFAULT in self._ciphers:
            yield DEFAULT
        yield from (name for name in self._ciphers if name != DEFAULT)
