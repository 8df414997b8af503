"""What can go wrong with a request, and how it is said: Kestra's status codes and error bodies (spec/security 4.13)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from casemate.errors import CasemateError, Problem
from casemate.flows import violations


class Declined(CasemateError):
    """The request cannot be carried out."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Unprotected(CasemateError):
    """Only a server that asks for credentials may listen on an address that other machines can reach."""


class AddressTaken(CasemateError):
    """The address cannot be listened on."""


def not_found(what: str = "") -> Declined:
    """404; `what` says what is missing."""
    return Declined(404, f"Not Found: {what}" if what else "Not Found")


def not_built(operation: str) -> Declined:
    """501 for an operation that Kestra has."""
    return Declined(501, f"Not Implemented: the operation {operation} does not exist here yet")


def illegal_argument(message: str) -> Declined:
    """422 for a value that makes no sense."""
    return Declined(422, f"Illegal argument: {message}")


def illegal_state(message: str) -> Declined:
    """409 for something that cannot be done now."""
    return Declined(409, f"Illegal state: {message}")


def constraints(problems: Iterable[Problem]) -> str:
    """Kestra's text of a list of violations: a line `path: message` for each (spec/engine 1.4)."""
    return "".join(problem.printed() + "\n" for problem in violations(problems))


def places(problems: Iterable[Problem]) -> list[dict[str, object]]:
    """The problems with their places, for editors; Kestra has no such list."""
    return [
        {key: value for key, value in asdict(problem).items() if value not in (None, "") and key != "reference"}
        for problem in problems
    ]


def error_body(href: str, message: str, problems: Iterable[Problem] = ()) -> Mapping[str, object]:
    """Kestra's body of an error; `problems` is ours and only there when something has a place."""
    found = tuple(problems)
    said = [{"message": problem.message, "path": problem.path} for problem in violations(found)]
    embedded = {"errors": said or [{"message": message}]}
    body = {"message": message, "_links": {"self": {"href": href, "templated": False}}, "_embedded": embedded}
    return {**body, "problems": places(found)} if found else body
