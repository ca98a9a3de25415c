"""What an import of a file tells: one verdict per row, and how the file was read."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from services.ingest.domain.draft import Draft
from shared.identifiers.digests import content_hash

MAX_LISTED: Final = 1_000
"""Rows that an answer lists by line, of each kind; the counts are of all."""


class RowNote(BaseModel):
    """Something to know about one row of a file."""

    model_config = ConfigDict(frozen=True)

    line: int = Field(description="Line where the row or card begins, from 1.")
    field: str = Field(description="Column or property; empty: the row as a whole.")
    reason: str = Field(description="What is wrong and what would be right.")


class Reading(BaseModel):
    """How a file is read: all that was found or assumed, nothing was asked."""

    model_config = ConfigDict(frozen=True)

    layout: str = Field(description="The product's export that it is, or csv.")
    encoding: str
    encoding_assumed: bool = Field(description="Nothing in the file says its encoding.")
    delimiter: str = Field(default="", description="Between cells; empty: no delimited text.")
    sheet: str = Field(default="", description="The sheet of a workbook that is read.")
    header_line: int = Field(default=0, description="Line of the header; 0: there is none.")
    language: str = Field(default="", description="Of the header, ISO 639-1.")
    date_order: str = Field(default="", description="Of the numbers in a date: ymd, mdy or dmy.")
    date_order_assumed: bool = Field(
        default=False, description="No date shows the order; it is the header's language's."
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description="Column → where its cells go, as `mapping` takes it."
    )


class ImportReport(Reading):
    """What became of a file: `rows` = `accepted` + `rejected_rows` + `blank_rows`."""

    import_id: str
    source: str
    rows: int
    accepted: int
    rejected_rows: int
    blank_rows: int = Field(description="Empty lines, closed accounts, groups.")
    rejected: tuple[RowNote, ...] = Field(description="At most 1,000 of the rejected rows.")
    warnings: tuple[RowNote, ...] = Field(
        description="At most 1,000 values of accepted rows that were left out."
    )
    same_file_as: str | None = Field(
        default=None, description="An earlier import of the very same file: nothing changes."
    )


@dataclass(slots=True)
class Tally:
    """The verdicts so far."""

    accepted: int = 0
    blank: int = 0
    refused: int = 0
    rejected: list[RowNote] = field(default_factory=list)
    warnings: list[RowNote] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Return how many rows there were."""
        return self.accepted + self.blank + self.refused

    def refuse(self, line: int, place: str, reason: str) -> None:
        """Count a row that is refused."""
        self.refused += 1
        if len(self.rejected) < MAX_LISTED:
            self.rejected.append(RowNote(line=line, field=place, reason=reason))

    def warn(self, line: int, place: str, reason: str) -> None:
        """Note a value that was left out of a row."""
        if len(self.warnings) < MAX_LISTED:
            self.warnings.append(RowNote(line=line, field=place, reason=reason))


def identity_of(uid: str | None, draft: Draft) -> str:
    """Return what stays the same when a person's row is exported again.

    The format's own id where it has one.  Else the strongest identifier together with the name:
    the identifier alone would make one record of a family that shares an address.
    """
    if uid:
        return f"uid\0{uid}"
    facts: dict[str, Any] = draft.facts
    name = str(facts.get("full_name") or facts.get("nickname") or "").casefold()
    strongest = facts["identifiers"][0] if draft.identifiers else {"type": "", "value": ""}
    return f"{strongest['type']}\0{strongest['value']}\0{name}"


def record_identity(identity: str, seen: Counter[bytes], facts: bytes) -> str:
    """Tell rows apart that have the same identity in one file: by their content.

    `seen` counts the identities of the whole file, so that the order of its rows does not matter.
    """
    digest = content_hash(identity.encode("utf-8", "replace"))
    return identity if seen[digest] < 2 else f"{identity}\0{content_hash(facts).hex()}"
