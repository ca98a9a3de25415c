"""What is wrong with a request, as JSON:API error objects; several at once where possible."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CURSOR_PROFILE = "https://jsonapi.org/profiles/ethanresnick/cursor-pagination/"
"""The profile that every list follows (product 4.6)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One JSON:API error object. `detail` says what would be right."""

    status: int
    code: str
    title: str
    detail: str
    parameter: str | None = None
    header: str | None = None
    type: str | None = None
    """A URI that names the kind of problem, where a profile defines one."""
    meta: Mapping[str, Any] | None = None
    pointer: str | None = None
    """Where in the body it is: a JSON Pointer (RFC 6901)."""

    def as_error(self) -> dict[str, Any]:
        """Write the error object; what does not apply is left out."""
        source = {"pointer": self.pointer, "parameter": self.parameter, "header": self.header}
        members: dict[str, Any] = {
            "links": {"type": self.type} if self.type else None,
            "status": str(self.status),
            "code": self.code,
            "title": self.title,
            "detail": self.detail,
            "source": {name: value for name, value in source.items() if value} or None,
            "meta": dict(self.meta) if self.meta else None,
        }
        return {name: value for name, value in members.items() if value is not None}


@dataclass
class RequestError(Exception):
    """A request that is not answered with data; the first problem's status is the answer's."""

    problems: Sequence[Problem]
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """HTTP status of the answer."""
        return self.problems[0].status

    def document(self) -> dict[str, Any]:
        """Write the error document."""
        return error_document([problem.as_error() for problem in self.problems])


def error_document(errors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Write a JSON:API document of errors; never beside data."""
    return {"jsonapi": {"version": "1.1"}, "errors": list(errors)}


def bad_parameter(parameter: str, detail: str, *, code: str = "invalid_parameter") -> RequestError:
    """Refuse a parameter's value."""
    problem = Problem(400, code, "Invalid query parameter", detail, parameter=parameter)
    return RequestError([problem])


def not_found(what: str) -> RequestError:
    """Say that there is no such thing here; what other workspaces hold is not told apart."""
    problem = Problem(404, "not_found", "Not found", f"There is no {what} with this id here.")
    return RequestError([problem])
