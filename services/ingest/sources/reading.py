"""From a file to signals: what the rows of any format come from, and which terms they share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Final

import orjson

from services.ingest.domain.defined import Definition
from services.ingest.domain.mapping import Origin
from services.ingest.domain.reading import read_value
from services.ingest.domain.suggesting import OTHER_LAYOUT
from services.ingest.sources.jcard import read_jcard
from services.ingest.sources.json_people import read_objects, read_signals, rows_of
from services.ingest.sources.ldif import read_ldif
from services.ingest.sources.people import read_people
from services.ingest.sources.phone_book import read_entries
from services.ingest.sources.row import Row, Rows
from services.ingest.sources.sniffed import (
    JCARD,
    LDIF,
    OBJECTS,
    PHONE_BOOK,
    SIGNALS,
    VCARD,
    Sniffed,
)
from services.ingest.sources.vcard import read_vcard
from services.ingest.sources.vocabulary import vocabulary
from shared.events.signal import ContactSignal

SOURCES: Final[dict[str, str]] = {
    **{layout.name: "csv_upload" for layout in vocabulary().layouts},
    OTHER_LAYOUT: "csv_upload",
    LDIF: "csv_upload",
    OBJECTS: "csv_upload",
    PHONE_BOOK: "csv_upload",
    SIGNALS: "csv_upload",
    VCARD: "vcard_upload",
    JCARD: "vcard_upload",
}
"""Layout → the source (DESIGN 4.6) that its rows come from, unless the caller names another."""


def read_rows(file: BinaryIO, sniffed: Sniffed) -> Rows:
    """Read a file from its beginning; every call reads the same."""
    match sniffed.layout:
        case "vcard":
            return read_vcard(file, sniffed)
        case "jcard":
            return read_jcard(file, sniffed.encoding)
        case "ldif":
            return read_ldif(file, sniffed)
        case "signals":
            return read_signals(file, sniffed.encoding)
        case "json":
            return read_objects(file, sniffed)
        case "phone-book":
            return rows_of(read_entries(file, sniffed.encoding), sniffed)
        case _:
            return read_people(file, sniffed)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every row of one import."""

    origin: Origin
    """Its `signal_id` is the import's; a row adds its line."""
    source: str
    max_rows: int
    import_source: str | None = None
    phone_region: str | None = None
    timezone: str = "UTC"
    """Where times without an offset are read that fields hold."""
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    """The workspace's custom fields, by key."""


def read_signal(row: Row, terms: Terms) -> tuple[ContactSignal, bytes]:
    """Validate a row; returns it with its payload as it came."""
    record = {**row.record, "source": terms.source}
    if terms.import_source:
        record["import_source"] = terms.import_source
    if terms.phone_region:
        record["phone_region"] = terms.phone_region
    signal, _ = read_value(record, may_hold_nul=True)
    return signal, orjson.dumps(row.raw)
