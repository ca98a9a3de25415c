"""Query parameters: known by name, or refused (JSON:API 1.1 wants a 400 for the others)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from services.api.domain.problems import Problem, RequestError, bad_parameter

MAX_LENGTH = 2_000
"""The longest value of a parameter, characters."""

MAX_NAME = 400
"""The longest name of a parameter, characters: it may hold a custom field's key."""

_LOST_PLUS = re.compile(r"(T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?) (\d{2}:?\d{2})$")
"""`+01:00` that nobody percent-encoded arrives as ` 01:00`."""


class Parameters:
    """The parameters of one request, each under its canonical name."""

    def __init__(
        self,
        items: Iterable[tuple[str, str]],
        *,
        known: frozenset[str],
        aliases: Mapping[str, str] = {},
        family: str | None = None,
    ) -> None:
        """Take them; whatever begins with `family` is known too."""
        self._values: dict[str, list[str]] = {}
        self._given: dict[str, str] = {}
        problems = []
        for name, value in items:
            canonical = aliases.get(name, name)
            is_known = canonical in known or (family is not None and name.startswith(family))
            if not is_known or len(name) > MAX_NAME:
                problems.append(_unknown(name))
            elif len(value) > MAX_LENGTH or "\x00" in value:
                problems.extend(
                    bad_parameter(name, f"At most {MAX_LENGTH} characters, none NUL.").problems
                )
            else:
                self._values.setdefault(canonical, []).append(value)
                self._given.setdefault(canonical, name)
        if problems:
            raise RequestError(problems)

    def refuse(self, name: str, detail: str) -> RequestError:
        """Refuse a parameter by the name that the client used."""
        return bad_parameter(self._given.get(name, name), detail)

    def has(self, name: str) -> bool:
        """Tell whether the parameter was given at all."""
        return name in self._values

    def beginning(self, family: str) -> list[tuple[str, list[str]]]:
        """Return the parameters whose names begin so, with all their values."""
        return [one for one in self._values.items() if one[0].startswith(family)]

    def one(self, name: str) -> str | None:
        """Return the value of a parameter that stands once; None when absent."""
        values = self._values.get(name, [])
        if len(values) > 1:
            raise self.refuse(name, "Give this parameter once.")
        return values[0].strip() if values else None

    def some(self, name: str) -> str | None:
        """Return a value that may be left out but not be empty."""
        value = self.one(name)
        if value == "":
            raise self.refuse(name, "Leave the parameter out, or give it a value.")
        return value

    def many(self, name: str) -> tuple[str, ...]:
        """Return the values of a parameter that may repeat or hold a comma-separated list."""
        parts = [part.strip() for value in self._values.get(name, []) for part in value.split(",")]
        return tuple(dict.fromkeys(part for part in parts if part))

    def each(self, name: str) -> tuple[str, ...]:
        """Return the values of a parameter that may repeat; a comma is part of a value."""
        values = tuple(dict.fromkeys(value.strip() for value in self._values.get(name, [])))
        if "" in values:
            raise self.refuse(name, "Leave the parameter out, or give it a value.")
        return values

    def moment(self, name: str) -> datetime | None:
        """Return a moment: ISO 8601, UTC where no offset is given, midnight for a bare date."""
        text = self.some(name)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+\2", text))
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            raise self.refuse(
                name, "Give an ISO 8601 date or time, like 2026-01-31 or 2026-01-31T12:00:00Z."
            ) from None

    def choices(self, name: str, allowed: Sequence[str]) -> tuple[str, ...]:
        """Return values that must all be among `allowed`."""
        values = self.many(name)
        if not set(values) <= set(allowed):
            raise self.refuse(name, f"One or more of: {', '.join(allowed)}.")
        return values


def _unknown(name: str) -> Problem:
    return Problem(
        400,
        "unknown_parameter",
        "Unknown query parameter",
        "This endpoint has no such parameter; see /api/v1/openapi.json.",
        parameter=name[:200],
    )
