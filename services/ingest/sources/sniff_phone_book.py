"""What a phone book in XML is: the columns that its first entries have, and what they mean."""

from dataclasses import replace
from itertools import islice
from typing import BinaryIO, Final

from services.ingest.sources.json_items import Item
from services.ingest.sources.phone_book import read_entries
from services.ingest.sources.phone_book_evidence import Evidence
from services.ingest.sources.row import BadRow
from services.ingest.sources.sniffed import Sniffed
from services.ingest.sources.table import MAX_COLUMNS
from services.ingest.sources.understanding import Choices, no_table, too_wide, understand
from shared.errors import PoisonMessageError

SAMPLE_ENTRIES: Final = 1_000
"""Entries whose values are columns."""


def sniff_phone_book(file: BinaryIO, sniffed: Sniffed, choices: Choices) -> Sniffed:
    """Find out by the first entries which columns the file has, or refuse it as some XML."""
    evidence = Evidence()
    first = list(islice(read_entries(file, sniffed.encoding, evidence), SAMPLE_ENTRIES))
    cells = [one.value for one in first if isinstance(one, Item)]
    names = list(dict.fromkeys(name for one in cells for name in one))
    bad = next((one for one in first if isinstance(one, BadRow)), None)
    if not names and bad is not None and evidence.is_phone_book():
        raise PoisonMessageError("invalid", f"entry {bad.line} {bad.reason}", field="file")
    if not names or not evidence.is_phone_book():
        raise no_table("XML, but no phone book that is known")
    if len(names) > MAX_COLUMNS:
        raise too_wide(len(names))
    rows = [[one.get(name, "") for name in names] for one in cells]
    mapping, days, guessed, region = understand(names, rows, choices)
    return replace(
        sniffed, mapping=mapping, header_line=0, days=days, days_assumed=guessed, region=region
    )
