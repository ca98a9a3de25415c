"""From a file to signals: each row validated and normalised, with its own verdict.

A file is read twice.  The first reading counts which identities its rows have, and refuses a file
in which nothing is found before anything is sent; the second yields the signals.  Memory holds one
row and 16 bytes a row.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import orjson

from services.ingest.domain.imports import Tally, identity_of, record_identity
from services.ingest.domain.mapping import Normalized, Origin, Rules, to_draft, to_normalized
from services.ingest.domain.reading import read_value
from services.ingest.domain.suggesting import OTHER_LAYOUT
from services.ingest.sources.people import read_people
from services.ingest.sources.row import BadRow, Blank, Row, Rows
from services.ingest.sources.sniff import VCARD, Sniffed
from services.ingest.sources.vcard import read_vcard
from services.ingest.sources.vocabulary import vocabulary
from shared.errors import PoisonMessageError
from shared.events.signal import ContactSignal
from shared.events.structs import changed
from shared.identifiers.digests import content_hash

SOURCES: Final[dict[str, str]] = {
    **{layout.name: "csv_upload" for layout in vocabulary().layouts},
    OTHER_LAYOUT: "csv_upload",
    VCARD: "vcard_upload",
}
"""Layout → the source (DESIGN 4.6) that its rows come from, unless the caller names another."""


def read_rows(file: BinaryIO, sniffed: Sniffed) -> Rows:
    """Read a file from its beginning; every call reads the same."""
    return read_vcard(file, sniffed) if sniffed.layout == VCARD else read_people(file, sniffed)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every row of one import."""

    origin: Origin
    """Its `signal_id` is the import's; a row adds its line."""
    source: str
    max_rows: int
    import_source: str | None = None
    phone_region: str | None = None


def survey(
    file: BinaryIO, sniffed: Sniffed, terms: Terms, rules: Rules
) -> Iterator[Counter[bytes]]:
    """Read the file once to count its identities; yields the count now and then, and at the end.

    Raises `PoisonMessageError` when the file has too many rows, or none that can be taken.
    """
    seen: Counter[bytes] = Counter()
    number = 0
    first_fault = ""
    for number, row in enumerate(read_rows(file, sniffed), start=1):
        if number > terms.max_rows:
            raise PoisonMessageError(
                "too_large", f"has more than {terms.max_rows} rows; split it", field="file"
            )
        if isinstance(row, Row):
            try:
                signal, _ = _signal(row, terms)
                draft = to_draft(signal, rules.default_region)
            except PoisonMessageError as error:
                first_fault = first_fault or _told(row.line, row.columns, error)
                continue
            seen[content_hash(identity_of(row.uid, draft).encode("utf-8", "replace"))] += 1
        elif isinstance(row, BadRow):
            first_fault = first_fault or f"; line {row.line} {row.reason}"
        if number % 100 == 0:
            yield seen
    if not seen:
        raise PoisonMessageError(
            "invalid",
            f"holds no person that can be read in {number} rows below its header{first_fault}",
            field="file",
        )
    yield seen


def _told(line: int, columns: dict[str, str], error: PoisonMessageError) -> str:
    place = columns.get(error.field, error.field)
    return f"; line {line}{place and f', {place}'}: {error.detail}"


def signals(
    file: BinaryIO,
    sniffed: Sniffed,
    terms: Terms,
    rules: Rules,
    *,
    seen: Counter[bytes],
    tally: Tally,
) -> Iterator[tuple[Origin, Normalized]]:
    """Yield the signals of the file, and tally the verdict on every row."""
    for row in read_rows(file, sniffed):
        if isinstance(row, Blank):
            tally.blank += 1
        elif isinstance(row, BadRow):
            tally.refuse(row.line, row.field, row.reason)
        else:
            try:
                yield _normalized(row, terms, rules, seen, tally)
            except PoisonMessageError as error:
                tally.refuse(row.line, row.columns.get(error.field, error.field), error.detail)


def _normalized(
    row: Row, terms: Terms, rules: Rules, seen: Counter[bytes], tally: Tally
) -> tuple[Origin, Normalized]:
    signal, raw = _signal(row, terms)
    draft = to_draft(signal, rules.default_region)
    facts = orjson.dumps(draft.facts, option=orjson.OPT_SORT_KEYS)
    identity = record_identity(identity_of(row.uid, draft), seen, facts)
    record_id = rules.digests.file_record(terms.origin.tenant, identity)
    named = changed(signal, source_record_id=record_id)
    origin = Origin(
        signal_id=f"{terms.origin.signal_id}/{row.line}",
        tenant=terms.origin.tenant,
        workspace=terms.origin.workspace,
        occurred_at=terms.origin.occurred_at,
        received_at=terms.origin.received_at,
        traceparent=terms.origin.traceparent,
    )
    normalized = to_normalized(named, raw, origin, rules)
    tally.accepted += 1
    for column, reason in row.left_out:
        tally.warn(row.line, column, reason)
    for value in normalized.rejected:
        tally.warn(row.line, row.columns.get(value["field"], value["field"]), value["reason"])
    return origin, normalized


def _signal(row: Row, terms: Terms) -> tuple[ContactSignal, bytes]:
    record = {**row.record, "source": terms.source}
    if terms.import_source:
        record["import_source"] = terms.import_source
    if terms.phone_region:
        record["phone_region"] = terms.phone_region
    signal, _ = read_value(record, may_hold_nul=True)
    return signal, orjson.dumps(row.raw)
