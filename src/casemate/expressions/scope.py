"""Which variable a name means: what the template set itself, innermost first, then what it was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_ABSENT = object()


class Scopes:
    """Layers of variables over the given ones, which are never written to and only read by key."""

    __slots__ = ("_given", "_layers")

    def __init__(self, given: Mapping[str, object]) -> None:
        self._given = given
        self._layers: list[dict[str, object]] = [{}]

    def find(self, name: str) -> object:
        """The variable's value; raises `KeyError`."""
        for layer in reversed(self._layers):
            value = layer.get(name, _ABSENT)
            if value is not _ABSENT:
                return value
        return self._given[name]

    def assign(self, name: str, value: object) -> None:
        """Change the variable where it exists, or make it in the innermost layer."""
        for layer in reversed(self._layers):
            if name in layer:
                layer[name] = value
                return
        (self._layers[0] if name in self._given else self._layers[-1])[name] = value

    def push(self, layer: dict[str, object]) -> None:
        """Begin a loop with its own variables."""
        self._layers.append(layer)

    def pop(self) -> None:
        """End the loop."""
        self._layers.pop()

    def copied(self) -> Scopes:
        """The same variables for a template rendered inside this one, whose `set` changes nothing here."""
        scopes = Scopes(self._given)
        scopes._layers = [dict(layer) for layer in self._layers]
        return scopes

    def everything(self) -> dict[str, object]:
        """All variables by name."""
        merged = {name: self._given[name] for name in self._names()}
        for layer in self._layers:
            merged.update(layer)
        return merged

    def _names(self) -> Iterator[str]:
        return iter(self._given)
