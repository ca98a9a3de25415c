"""A table without a header: what its columns are, by what stands in them."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from services.ingest.domain.columns import Column, ColumnMapping, Target, custom
from services.ingest.domain.contents import (
    SHARE,
    are_dialled,
    are_names,
    cells_of,
    is_reach,
    kind_of_cells,
)
from services.ingest.domain.suggesting import OTHER_LAYOUT

_NAMES: Final = {"email": "Email", "phone": "Phone", "linkedin_url": "LinkedIn"}
"""Kind → what its column is called in reports, and in the file of rejected rows: read again, that
has a header."""

_FEW_WORDS: Final = 1.4
"""Words of a name, on average; fewer are a part of one."""


def guess(rows: Sequence[Sequence[str]]) -> ColumnMapping | None:
    """Read the first rows of a table as people; None: they are not plainly that.

    Somebody must be reached in the very first row, and who it is be named, unless all that the
    table has is how to reach people.
    """
    width = _width(rows)
    if not width or not _reaches(rows):
        return None
    columns = [cells_of(rows, index) for index in range(width)]
    kinds = [_kind(cells) for cells in columns]
    if not any(kinds):
        return None
    names = _names(columns, kinds)
    if not names and any(cells and not kind for cells, kind in zip(columns, kinds, strict=True)):
        return None
    counts = Counter[str]()
    found: list[Column] = []
    for index, kind in enumerate(kinds):
        if kind is None:
            name, target = names.get(index, (f"column {index + 1}", None))
            target = custom(name) if target is None else target
        else:
            counts[kind] += 1
            name = _NAMES[kind] if counts[kind] == 1 else f"{_NAMES[kind]} {counts[kind]}"
            target = Target(kind, "" if kind == "linkedin_url" else str(counts[kind]))
            if kind == "linkedin_url" and counts[kind] > 1:
                target = custom(name)
        found.append(Column(name, target, "content", (index, 0, name)))
    return ColumnMapping(OTHER_LAYOUT, tuple(found), language="")


def _width(rows: Sequence[Sequence[str]]) -> int:
    """Return how many cells rows have, if most have as many."""
    if not rows:
        return 0
    width, count = Counter(map(len, rows)).most_common(1)[0]
    return width if count >= SHARE * len(rows) and width == len(rows[0]) else 0


def _kind(cells: Sequence[str]) -> str | None:
    return kind_of_cells(cells) or ("phone" if are_dialled(cells) else None)


def _reaches(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first row says how to reach somebody."""
    if any(map(is_reach, rows[0])):
        return True
    return any(
        _kind([cell.strip()]) == "phone" and _kind(cells_of(rows, index)) == "phone"
        for index, cell in enumerate(rows[0])
        if cell.strip()
    )


def _names(
    columns: Sequence[Sequence[str]], kinds: Sequence[str | None]
) -> dict[int, tuple[str, Target]]:
    """Find the name: the first column that can be one, with its neighbour where each is a part."""
    for index, cells in enumerate(columns):
        if kinds[index] is not None or not are_names(cells):
            continue
        beside = index + 1
        if (
            _words(cells) < _FEW_WORDS
            and beside < len(columns)
            and kinds[beside] is None
            and are_names(columns[beside])
            and _words(columns[beside]) < _FEW_WORDS
        ):
            return {
                index: ("First Name", Target("first_name")),
                beside: ("Last Name", Target("last_name")),
            }
        return {index: ("Name", Target("full_name"))}
    return {}


def _words(cells: Sequence[str]) -> float:
    return sum(len(cell.split()) for cell in cells) / len(cells)
