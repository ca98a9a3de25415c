"""What can go wrong with the local stack, in words for the person who typed the command.

StackError
├── PartFailedError     a part did not start, or died: which, why, its last lines, what to do
├── FetchError          a download failed or does not match its checksum
└── UnknownPartError    no part or service has that name
"""

from collections.abc import Sequence


class StackError(Exception):
    """The stack could not do what was asked."""


class PartFailedError(StackError):
    """A part did not become ready."""

    def __init__(self, part: str, why: str, *, tail: Sequence[str], log: str, advice: str) -> None:
        lines = [f"{part} failed: {why}"]
        if tail:
            lines += [f"last lines of {log}:", *(f"  | {line}" for line in tail)]
        lines.append(f"what to do: {advice}")
        super().__init__("\n".join(lines))
        self.part = part


class FetchError(StackError):
    """A part could not be downloaded or is not what the lock file says."""


class UnknownPartError(StackError):
    """The name is neither a part nor a service."""
