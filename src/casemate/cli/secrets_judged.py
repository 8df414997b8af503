"""Every secret that flows name, with what became of asking for it. What is named often is asked for once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from casemate.cli.secrets_answers import Answer, Answerer, Outcome
from casemate.cli.secrets_named import Mention, Source
from casemate.expressions import NamedSecret
from casemate.identifiers import Namespace


@dataclass(frozen=True, slots=True)
class Judged:
    """One mention, what became of asking for it, and why."""

    mention: Mention
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """A flow with all that it names."""

    source: Source
    judged: tuple[Judged, ...]

    def having(self, outcome: Outcome) -> tuple[Judged, ...]:
        """Those of one outcome."""
        return tuple(one for one in self.judged if one.outcome is outcome)


class Judge:
    """Judges flow after flow."""

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer
        self._known: dict[tuple[Namespace, NamedSecret], Answer] = {}

    def all_of(self, sources: Iterable[Source]) -> Iterator[Checked]:
        """One after the other."""
        for source in sources:
            yield Checked(source, tuple(self._judged(source.namespace, one) for one in source.mentions))

    def _judged(self, namespace: Namespace, mention: Mention) -> Judged:
        asked = (namespace, replace(mention.named, line=1))
        if asked not in self._known:
            self._known[asked] = self._answer(namespace, mention.named)
        return Judged(mention, *self._known[asked])

    def _answer(self, namespace: Namespace, named: NamedSecret) -> Answer:
        if named.name is None:
            return Outcome.UNJUDGED, "its name is worked out by a template"
        if "namespace" in named.computed:
            return Outcome.UNJUDGED, f"the namespace of '{named.name}' is worked out by a template"
        if "inherit" in named.computed:
            return Outcome.UNJUDGED, f"where '{named.name}' may come from is worked out by a template"
        place = Namespace(named.namespace) if named.namespace else namespace
        return self._answerer.answer(namespace, place, named.name, named)
