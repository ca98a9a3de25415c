"""From a file to staged rows: each row validated and normalised, in one pass over the file.

Nothing of the file is held but the row at hand: rows that turn out to be called alike are told
apart when all are staged (`services.ingest.domain.staging.told_apart`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import BinaryIO, NamedTuple
from zoneinfo import ZoneInfo

from services.ingest.domain.defined import Manner, read_defined
from services.ingest.domain.imports import identity_of
from services.ingest.domain.mapping import Origin, Rules, to_draft, to_normalized
from services.ingest.domain.regions import home_region
from services.ingest.domain.staging import BLANK, Staged, keys_of, row_of, signal_id_of
from services.ingest.sources.reading import Terms, read_rows, read_signal
from services.ingest.sources.row import BadRow, Blank, Row
from services.ingest.sources.sniffed import Sniffed
from services.ingest.sources.vocabulary import vocabulary
from shared.errors import PoisonMessageError
from shared.events.structs import changed


def stage(file: BinaryIO, sniffed: Sniffed, terms: Terms, rules: Rules) -> Iterator[Staged]:
    """Yield every row of a file, the bad ones with their reason.

    Raises `PoisonMessageError` when the file has more rows than are read.
    """
    if sniffed.region:
        rules = replace(rules, default_region=sniffed.region)
    manner = Manner(
        sniffed.days, ZoneInfo(terms.timezone), terms.phone_region or rules.default_region
    )
    defined = _Defined(manner, sniffed.mapping.custom if sniffed.mapping else {})
    for number, row in enumerate(read_rows(file, sniffed), start=1):
        if number > terms.max_rows:
            raise PoisonMessageError(
                "too_large", f"has more than {terms.max_rows} rows; split it", field="file"
            )
        match row:
            case Blank():
                yield Staged(number, row.line, "blank", reason=BLANK)
            case BadRow():
                yield Staged(number, row.line, "rejected", row.field, row.reason)
            case Row():
                yield _staged(number, row, terms, rules, defined)


class _Defined(NamedTuple):
    """What the custom fields of a file are read by, besides their definitions."""

    manner: Manner
    columns: Mapping[str, str]
    """Key → column."""


def _staged(number: int, row: Row, terms: Terms, rules: Rules, defined: _Defined) -> Staged:
    origin = terms.origin
    misfits: list[tuple[str, str]] = []
    try:
        signal, raw = read_signal(row, terms)
        if signal.custom_fields and terms.definitions:
            values, misfits = read_defined(terms.definitions, signal.custom_fields, defined.manner)
            signal = changed(signal, custom_fields=values)
        draft = to_draft(signal, home_region(signal, rules.default_region, vocabulary()))
        identity = identity_of(row.uid, draft)
        named = changed(signal, source_record_id=rules.digests.file_record(origin.tenant, identity))
        own = Origin(
            signal_id=signal_id_of(origin.signal_id, row.line),
            tenant=origin.tenant,
            workspace=origin.workspace,
            occurred_at=origin.occurred_at,
            received_at=origin.received_at,
            import_id=origin.import_id,
        )
        normalized = to_normalized(named, b"{}", own, rules, draft)
    except PoisonMessageError as error:
        place = row.columns.get(error.field, error.field)
        return Staged(number, row.line, "rejected", place, error.detail)
    left_out = tuple(
        (row.columns.get(value["field"], value["field"]), value["reason"])
        for value in normalized.rejected
    )
    return row_of(
        number,
        row.line,
        identity.encode("utf-8", "surrogatepass"),
        normalized,
        raw,
        notes=(
            *row.left_out,
            *left_out,
            *((defined.columns.get(key, key), reason) for key, reason in misfits),
        ),
        keys=keys_of(draft.identifiers, origin.tenant, rules),
    )
