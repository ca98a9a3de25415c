"""SQL by name: a file of statements, each under `-- name: …`, loaded once."""

import re
from importlib.resources import files
from typing import Self

_NAME = re.compile(r"^-- name: ([a-z_]+)\s*$", re.MULTILINE)


class Queries:
    """The statements of one file, by name: `queries["find_contacts"]`."""

    def __init__(self, statements: dict[str, str]) -> None:
        self._statements = statements

    @classmethod
    def load(cls, package: str, file: str = "queries.sql") -> Self:
        """Read `file` of `package`, for example `services.resolver.sql`."""
        parts = _NAME.split((files(package) / file).read_text())[1:]
        statements = {
            name: body.strip().rstrip(";")
            for name, body in zip(parts[::2], parts[1::2], strict=True)
        }
        if len(statements) != len(parts) // 2:
            msg = f"{package}/{file} names a statement twice"
            raise ValueError(msg)
        return cls(statements)

    def __getitem__(self, name: str) -> str:
        """Return the statement; KeyError when there is none of that name."""
        return self._statements[name]

    @property
    def names(self) -> frozenset[str]:
        """All names, for the test that prepares every statement."""
        return frozenset(self._statements)
