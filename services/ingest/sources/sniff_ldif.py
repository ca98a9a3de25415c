"""What a file of LDIF is: the columns that its first entries have, and what they mean."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import BinaryIO, Final

from services.ingest.domain.columns import ColumnMapping
from services.ingest.sources.ldif import cells_of, columns_of, why_nobody
from services.ingest.sources.ldif_entries import Entry, read_entries
from services.ingest.sources.sniffed import Sniffed
from services.ingest.sources.table import MAX_COLUMNS
from services.ingest.sources.understanding import Choices, no_table, settle, too_wide

SAMPLE_ENTRIES: Final = 1_000
"""Entries whose attributes are columns."""

SAMPLE_TEXT: Final = 4 << 20
"""Octets of entries behind which no more are looked at: 1,000 large ones would not be held."""


def sniff_ldif(file: BinaryIO, sniffed: Sniffed, choices: Choices) -> Sniffed:
    """Find out by the first entries which columns the file has and what they mean."""
    cells = [cells_of(entry)[0] for entry in _first(file, sniffed) if why_nobody(entry) is None]
    if not cells:
        raise no_table("LDIF without an entry of a person")
    names = list(dict.fromkeys(name for one in cells for name in one))
    if len(names) > MAX_COLUMNS:
        raise too_wide(len(names))
    mapping = ColumnMapping(sniffed.layout, columns_of(names)).changed(choices)
    rows = [[one.get(name, "") for name in names] for one in cells]
    mapping, days, guessed, region = settle(mapping, rows)
    return replace(
        sniffed, mapping=mapping, header_line=0, days=days, days_assumed=guessed, region=region
    )


def _first(file: BinaryIO, sniffed: Sniffed) -> Iterator[Entry]:
    text = 0
    for entry in islice(read_entries(file, sniffed.encoding), SAMPLE_ENTRIES):
        yield entry
        text += entry.text
        if text >= SAMPLE_TEXT:
            return
