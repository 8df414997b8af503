"""Circles in a graph of dependencies, in time that grows with its size: a flow may hold thousands of tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Graph = Mapping[str, Sequence[str]]


def circles_of(needs: Graph) -> list[frozenset[str]]:
    """The sets of names that need each other, directly or through others (Kosaraju's two passes)."""
    backwards: dict[str, list[str]] = {name: [] for name in needs}
    for name, wanted in needs.items():
        for each in wanted:
            if each in backwards:
                backwards[each].append(name)
    met: set[str] = set()
    order = [name for start in needs for name in _finished(start, needs, met)]
    met.clear()
    parts = [frozenset(_finished(start, backwards, met)) for start in reversed(order)]
    return [part for part in parts if len(part) > 1 or any(name in needs[name] for name in part)]


def _finished(start: str, graph: Graph, met: set[str]) -> Iterable[str]:
    """What can be reached from here and was not met before, each name after everything it leads to."""
    if start in met:
        return []
    met.add(start)
    done: list[str] = []
    ahead = [(start, iter(graph[start]))]
    while ahead:
        nexts = ahead[-1][1]
        following = next((each for each in nexts if each in graph and each not in met), None)
        if following is None:
            done.append(ahead.pop()[0])
        else:
            met.add(following)
            ahead.append((following, iter(graph[following])))
    return done
