"""What a file of LDIF is: the columns that its first entries have, and what they mean."""

from dataclasses import replace
from itertools import islice
from typing import BinaryIO, Final

from services.ingest.domain.columns import ColumnMapping
from services.ingest.sources.ldif import cells_of, columns_of, why_nobody
from services.ingest.sources.ldif_entries import read_entries
from services.ingest.sources.sniffed import Sniffed
from services.ingest.sources.table import MAX_COLUMNS
from services.ingest.sources.understanding import Choices, no_table, settle, too_wide

SAMPLE_ENTRIES: Final = 1_000
"""Entries whose attributes are columns."""


def sniff_ldif(file: BinaryIO, sniffed: Sniffed, choices: Choices) -> Sniffed:
    """Find out by the first entries which columns the file has and what they mean."""
    first = islice(read_entries(file, sniffed.encoding), SAMPLE_ENTRIES)
    entries = [one for one in first if why_nobody(one) is None]
    if not entries:
        raise no_table("LDIF without an entry of a person")
    cells = [cells_of(entry) for entry in entries]
    names = list(dict.fromkeys(name for one in cells for name in one))
    if len(names) > MAX_COLUMNS:
        raise too_wide(len(names))
    mapping = ColumnMapping(sniffed.layout, columns_of(names)).changed(choices)
    rows = [[one.get(name, "") for name in names] for one in cells]
    mapping, days, guessed, region = settle(mapping, rows)
    return replace(
        sniffed, mapping=mapping, header_line=0, days=days, days_assumed=guessed, region=region
    )
