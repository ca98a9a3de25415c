"""What a file of JSON is: cards, signals, or the rows of a table as objects."""

from itertools import islice
from typing import BinaryIO, Final

from services.ingest.sources.jcard import is_jcard
from services.ingest.sources.json_items import Item, read_items
from services.ingest.sources.json_people import cells_of, is_signal
from services.ingest.sources.sniffed import JCARD, OBJECTS, SIGNALS, Sniffed
from services.ingest.sources.table import MAX_COLUMNS
from services.ingest.sources.understanding import (
    Choices,
    no_table,
    read_ahead,
    too_wide,
    understand,
)

SAMPLE_ITEMS: Final = 1_000
"""Objects whose names are columns: where a value is missing, its name often is."""


def sniff_json(file: BinaryIO, encoding: str, choices: Choices) -> Sniffed:
    """Recognise a file of JSON by its first items: cards, signals, or a table's rows."""
    items = [
        item.value
        for item in islice(read_items(file, encoding), SAMPLE_ITEMS)
        if isinstance(item, Item)
    ]
    if items and is_jcard(items[0]):
        return read_ahead(file, Sniffed(JCARD, encoding, assumed=False))
    objects = [item for item in items if isinstance(item, dict)]
    if not objects or any("signal" in one or "participants" in one for one in objects):
        raise no_table("JSON, but no list of people")
    if all(map(is_signal, objects)):
        return read_ahead(file, Sniffed(SIGNALS, encoding, assumed=False))
    rows = [cells for one in objects if isinstance(cells := cells_of(one), dict)]
    header = list(dict.fromkeys(name for cells in rows for name in cells))
    if len(header) > MAX_COLUMNS:
        raise too_wide(len(header))
    sample = [[cells.get(name, "") for name in header] for cells in rows]
    mapping, days, guessed, region = understand(header, sample, choices)
    return Sniffed(
        OBJECTS,
        encoding,
        assumed=False,
        header_line=0,
        mapping=mapping,
        days=days,
        days_assumed=guessed,
        region=region,
    )
