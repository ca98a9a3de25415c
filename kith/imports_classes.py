"""What `kith import` prints of every preview, of contacts and of activities alike."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]

Tell = Callable[[Document], Iterable[str]]
"""Says something of a row, or of a whole import, line by line."""


def classes_told(
    document: Document,
    shown: Mapping[str, Sequence[Document]],
    noun: str,
    classes: Mapping[str, str],
    tell: Tell,
    *,
    instead: Mapping[str, Tell] | None = None,
) -> Iterator[str]:
    """Say how many rows of each class there are, with some of each.

    Of a class that is named in `instead`, this is said of the import in place of its rows.
    """
    again = " (the same file was imported before)" if document["same_file_as"] else ""
    yield f"  {document['import_id']}: {document['rows']:,} {noun}{again}"
    for name, words in classes.items():
        count = document["classes"].get(name, 0)
        if not count:
            continue
        left_out = ", left out" if document["choices"].get(name) == "skip" else ""
        yield f"  {count:>9,} {words}{left_out}"
        if instead and name in instead:
            yield from instead[name](document)
            continue
        rows = shown.get(name, ())
        for row in rows:
            yield from (f"              {line}" for line in tell(row))
        if len(rows) < count and rows:
            yield f"              … and {count - len(rows):,} more"
