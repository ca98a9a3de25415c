"""What an operator chooses about the rows of an import, by class and row by row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from services.ingest.domain.staging import RowClass
from shared.errors import PoisonMessageError
from shared.events.wire import ContactId

ClassChoice = Literal["accept", "skip"]
RowChoice = Literal["accept", "skip", "mine", "theirs", "apart", "merge", "fields"]
Side = Literal["mine", "theirs"]

CHOOSABLE: Final[tuple[RowClass, ...]] = ("new", "update", "duplicate", "conflict")
"""Classes of which there is something to choose; all are accepted unless one says otherwise."""

MOST_ROWS: Final = 1_000
"""Rows that one request may choose about."""

PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "name": (
        "full_name",
        "first_name",
        "middle_name",
        "last_name",
        "name_prefix",
        "name_suffix",
        "nickname",
    ),
    "job": ("employments",),
    "address": ("addresses",),
    "email": ("emails",),
    "phone": ("phones",),
    "linkedin_url": ("linkedin_url",),
    "headline": ("headline",),
    "birthday": ("birthday",),
}
"""What is chosen field by field → the fields of a record that belong to it, taken together."""

Part = Literal["name", "job", "address", "email", "phone", "linkedin_url", "headline", "birthday"]

JUDGED: Final[frozenset[str]] = frozenset({"theirs", "apart", "merge", "fields"})
"""Choices that say who is whom: the resolver is told so when it has the row."""


class OfRow(BaseModel):
    """What is chosen about one row."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: Annotated[int, Field(ge=1)]
    choice: RowChoice = Field(
        description="accept: as the preview says, a conflict into the review queue. skip: leave it "
        "out. mine: the contact stays as it is, the row is left out. merge: the same person, "
        "sources decide by their priority. theirs: the same person, and the row's values hold. "
        "fields: the same person, field by field. apart: another person, for good."
    )
    contact: ContactId | None = Field(
        default=None, description="Whom it is about; default: the first contact shown beside it."
    )
    fields: dict[Part, Side] = Field(
        default_factory=dict, description="For `fields`: whose value holds."
    )


class Choices(BaseModel):
    """What is chosen about an import; what is not named stays as it was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: dict[Literal["new", "update", "duplicate", "conflict"], ClassChoice] = Field(
        default_factory=dict
    )
    rows: tuple[OfRow, ...] = Field(default=(), max_length=MOST_ROWS)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A choice about a row that fits the row."""

    number: int
    choice: RowChoice
    about: str | None
    """The contact that it is about, JSON with the choice of fields; None: about nobody."""


def check(one: OfRow, row: Mapping[str, Any]) -> Chosen:
    """Return a choice if it fits the row, or refuse it with what would be right."""
    if row["class"] not in CHOOSABLE:
        raise _refused(one, f"it is {row['class']}: there is nothing to choose")
    if one.choice in ("accept", "skip"):
        return Chosen(one.number, one.choice, None)
    preview = orjson.loads(row["preview"] or b"{}")
    beside = [other for other in preview.get("against", ()) if other["contact"]]
    shown = [other["contact"] for other in (*beside, *preview.get("alike", ()))]
    if not shown:
        raise _refused(one, "no contact is shown beside it: choose accept or skip")
    contact = one.contact or shown[0]
    if contact not in shown:
        raise _refused(one, f"contact must be one of those shown beside it: {', '.join(shown)}")
    if one.choice == "fields":
        if not one.fields:
            raise _refused(one, f"say whose value holds, of {', '.join(PARTS)}")
        if "mine" in one.fields.values() and all(other["contact"] != contact for other in beside):
            raise _refused(one, "of a namesake no values are shown; choose merge or theirs")
    about = {"contact": contact, "fields": one.fields}
    return Chosen(one.number, one.choice, orjson.dumps(about).decode())


def _refused(one: OfRow, words: str) -> PoisonMessageError:
    return PoisonMessageError(
        "invalid", f"{one.choice} does not fit row {one.number}: {words}", field="rows"
    )


def left_out(classes: Mapping[str, str]) -> list[str]:
    """Return the classes whose rows are left out."""
    return [name for name, choice in classes.items() if choice == "skip"]


def asserted(
    choice: str, about: Mapping[str, Any], facts: Mapping[str, Any], preview: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what a person says of the contact by choosing values: the facts of a manual entry.

    `facts` are the row's. What is chosen of the contact's own is taken from the record that the
    preview showed first of those that have it.
    """
    if choice == "theirs":
        sides: Mapping[str, str] = dict.fromkeys(PARTS, "theirs")
    else:
        sides = about["fields"]
    records: Sequence[Mapping[str, Any]] = next(
        (
            [record["facts"] for record in other["records"]]
            for other in preview.get("against", ())
            if other["contact"] == about["contact"]
        ),
        [],
    )
    said: dict[str, Any] = {}
    for part, side in sides.items():
        candidates = [facts] if side == "theirs" else records
        for fact in candidates:
            taken = {name: fact[name] for name in PARTS[part] if fact.get(name)}
            if taken:
                said |= {name: _first(name, value) for name, value in taken.items()}
                break
    return said


def _first(name: str, value: Any) -> Any:
    """Take the value that a contact shows: of several e-mails, the primary one or the first."""
    if name in ("emails", "phones"):
        chosen = next((point for point in value if point.get("primary")), value[0])
        return [{**chosen, "primary": True}]
    if name == "employments":
        jobs = [{part: text for part, text in job.items() if part != "company_id"} for job in value]
        current = [job for job in jobs if job.get("is_current", True)]
        return (current or jobs)[:1]
    return value[:1] if name == "addresses" else value
