"""Which column of a table says what of a person, and how an operator changes that."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal, get_args

import orjson
from typing_extensions import override

from shared.errors import PoisonMessageError
from shared.events.signal import IdentifierType

NAMES: Final = (
    "full_name",
    "first_name",
    "middle_name",
    "last_name",
    "name_prefix",
    "name_suffix",
    "nickname",
)
"""The fields of a name."""

_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "email": ("value", "label"),
    "phone": ("value", "label"),
    "im": ("value", "label"),
    "relation": ("value", "label"),
    "event": ("value", "label"),
    "custom": ("value", "label"),
    "website": ("value",),
    "date": ("value",),
    "identifier": ("value",),
    "job": (
        "company_name",
        "company_domain",
        "title",
        "department",
        "seniority",
        "start_date",
        "end_date",
        "is_current",
    ),
    "education": ("school", "degree", "field_of_study", "start_date", "end_date"),
    "address": (
        "house_number",
        "street",
        "street2",
        "street3",
        "extended",
        "po_box",
        "city",
        "state",
        "postal_code",
        "country",
        "formatted",
        "place",
        "label",
    ),
    "birthday": ("value", "year", "month", "day"),
}
"""Kind → its parts; a kind without a slot has one group of them."""

_PLAIN: Final = (
    *NAMES,
    "headline",
    "notes",
    "linkedin_url",
    "photo_url",
    "timezone",
    "labels",
    "skills",
    "certifications",
    "languages",
    "phone_code",
    "record_id",
    "more",
    "skip",
)
"""Kinds that are one cell each."""

_FORM: Final = re.compile(
    r"(?P<kind>[a-z_]+)(?:\[(?P<slot>.{1,255})\])?(?:\.(?P<part>\w+))?", re.DOTALL
)

_UNKNOWN: Final = (
    "is not a place for a column; say skip, custom[a name], or a field like first_name, "
    "email[work], phone[mobile], job.title, address[home].city"
)

_NO_CHOICES: Final = 'must be a JSON object of column → place, like {"Mobile": "phone[mobile]"}'

Why = Literal["layout", "name", "content", "chosen", "none"]
"""What a target rests on: the known layout, the column's name, its cells, a person, or nothing."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the cells of a column go: `kind[slot].part`.

    Columns of the same kind and slot belong together: `phone[1]` and `phone[1].label`.  A slot that
    is no number is the label as well: `phone[mobile]`.
    """

    kind: str
    slot: str = ""
    part: str = "value"

    @override
    def __str__(self) -> str:
        """Write it as it is read."""
        slot = f"[{self.slot}]" if self.slot else ""
        return f"{self.kind}{slot}" if self.part == "value" else f"{self.kind}{slot}.{self.part}"

    @property
    def is_single(self) -> bool:
        """Tell whether only one column may have it."""
        return self.kind not in ("skip", "labels")

    @property
    def identifies(self) -> bool:
        """Tell whether its cells can say who a person is."""
        return self.part == "value" and self.kind in (
            "full_name",
            "first_name",
            "last_name",
            "nickname",
            "email",
            "phone",
            "linkedin_url",
            "identifier",
        )


SKIP: Final = Target("skip")
"""Left out; the cell stays in the raw record only."""


@lru_cache(maxsize=4_096)
def target_of(text: str) -> Target:
    """Read a target, or refuse it with what would be right."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise PoisonMessageError("invalid", _UNKNOWN, field="mapping")
    kind, slot, part = match["kind"], match["slot"] or "", match["part"] or "value"
    if kind in _PLAIN:
        known = not slot and part == "value"
    else:
        known = part in _GROUPS.get(kind, ())
        if kind in ("custom", "date", "identifier"):
            known = known and bool(slot)
        if kind == "identifier":
            known = known and slot in get_args(IdentifierType)
    if not known:
        raise PoisonMessageError("invalid", _UNKNOWN, field="mapping")
    return Target(kind, slot, part)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    """As the header says it; made distinct where two are called the same."""
    target: Target
    why: Why
    rank: tuple[int, int, str] = (0, 0, "")
    """Its place among columns of its kind, wherever it stands in the file."""


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """All columns of a table, and what is known of the whole."""

    layout: str
    columns: tuple[Column, ...]
    language: str = "en"
    """Of the header; ISO 639-1."""

    @property
    def identifies(self) -> bool:
        """Tell whether any column can say who a person is."""
        return any(column.target.identifies for column in self.columns)

    @property
    def custom(self) -> dict[str, str]:
        """Return the custom fields that columns are kept as → the columns' names."""
        return {
            column.target.slot: column.name
            for column in self.columns
            if column.target.kind in ("custom", "date")
        }

    @property
    def is_sure(self) -> bool:
        """Tell whether one of those was recognised by its name, or named by a person."""
        return any(
            column.target.identifies and column.why not in ("content", "none")
            for column in self.columns
        )

    def changed(self, choices: Mapping[str, str]) -> "ColumnMapping":
        """Return the mapping with an operator's choices in it, column → target as text."""
        names = {column.name for column in self.columns}
        for name in choices:
            if name not in names:
                raise PoisonMessageError(
                    "invalid", "names a column that the file does not have", field="mapping"
                )
        columns = tuple(
            Column(
                column.name,
                target_of(choices[column.name]),
                "chosen",
                (0, 0, choices[column.name]),
            )
            if column.name in choices
            else column
            for column in self.columns
        )
        return replace(self, columns=_untwinned(columns))

    def told(self) -> dict[str, str]:
        """Return column → target as text, in the order of the file."""
        return {column.name: str(column.target) for column in self.columns}


def read_choices(text: str | bytes) -> dict[str, str]:
    """Read an operator's choices: a JSON object, column → target."""
    try:
        choices = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise PoisonMessageError("malformed", _NO_CHOICES, field="mapping") from None
    if not isinstance(choices, dict):
        raise PoisonMessageError("malformed", _NO_CHOICES, field="mapping")
    for target in choices.values():
        if not isinstance(target, str):
            raise PoisonMessageError("malformed", _NO_CHOICES, field="mapping")
        target_of(target)
    return choices


def _untwinned(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Let a column that a person chose win its place; what held it before becomes custom."""
    chosen = {column.target for column in columns if column.why == "chosen"}
    return tuple(
        replace(column, target=custom(column.name), why="none")
        if column.why != "chosen" and column.target.is_single and column.target in chosen
        else column
        for column in columns
    )


def custom(name: str) -> Target:
    """Return where a column goes that nothing is known of: a custom field of its name."""
    return Target("custom", name[:255])


def distinct_names(header: Sequence[str]) -> list[str]:
    """Name every column, and each its own: an unnamed one by its place, a second one by its count.

    >>> distinct_names(["Email", "", "Email"])
    ['Email', 'column 2', 'Email (2)']
    """
    names: list[str] = []
    taken: set[str] = set()
    counts: dict[str, int] = {}
    for index, text in enumerate(header, start=1):
        name = plain = text or f"column {index}"
        while name in taken:
            counts[plain] = counts.get(plain, 1) + 1
            name = f"{plain} ({counts[plain]})"
        taken.add(name)
        names.append(name)
    return names
