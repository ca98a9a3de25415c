"""SQL by name: a file of statements, each under `-- name: …`, loaded once."""

import re
from importlib.resources import files
from typing import Self

_NAME = re.compile(r"^-- name: ([a-z_]+)\s*$", re.MULTILINE)


class Queries:
    """Statements by name: `queries["find_contacts"]`."""

    def __init__(self, statements: dict[str, str]) -> None:
        self._statements = statements

    @classmethod
    def load(cls, package: str, *names: str) -> Self:
        """Read files of `package`, for example `services.resolver.sql`; default: `queries.sql`."""
        texts = [(files(package) / name).read_text() for name in names or ("queries.sql",)]
        parts = [part for text in texts for part in _NAME.split(text)[1:]]
        statements = {
            name: body.strip().rstrip(";")
            for name, body in zip(parts[::2], parts[1::2], strict=True)
        }
        if len(statements) != len(parts) // 2:
            msg = f"{package} names a statement twice in {', '.join(names) or 'queries.sql'}"
            raise ValueError(msg)
        return cls(statements)

    def __getitem__(self, name: str) -> str:
        """Return the statement; KeyError when there is none of that name."""
        return self._statements[name]

    @property
    def names(self) -> frozenset[str]:
        """All names, for the test that prepares every statement."""
        return frozenset(self._statements)
