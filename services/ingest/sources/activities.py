"""From a file of meetings, calls or messages to signals: each normalised, or why it is not."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import BinaryIO, Final

import orjson
from msgspec.structs import replace

from services.ingest.domain.activities import to_normalized_activity
from services.ingest.domain.entries import Entry, Taken
from services.ingest.domain.mapping import Origin, Rules
from services.ingest.domain.reading import read_activity_value
from services.ingest.sources.calendar import read_calendar
from services.ingest.sources.calls import read_calls
from services.ingest.sources.happened import Happened, Passed, Reading, Unread
from services.ingest.sources.kinds import kind_of_bytes, kind_of_text
from services.ingest.sources.phone_backup import ROOT, read_backup
from services.ingest.sources.sniffed import LOG
from shared.errors import PoisonMessageError
from shared.events.envelope import parse_object, rfc3339
from shared.events.topics import MAX_SIGNAL_BYTES

CALENDAR: Final = "calendar"
LINES: Final = "json-lines"
BACKUP: Final = "phone-backup"

SOURCES: Final = {CALENDAR: "calendar", LINES: "api_push", LOG: "call_log", BACKUP: "call_log"}
"""Layout → where its activities come from, unless the caller or the line names another source."""

HAPPENINGS: Final = frozenset(SOURCES)
"""All layouts of files of activities but mail."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every activity of one file."""

    origin: Origin
    """Its `signal_id` is the import's; an activity adds its number."""
    now: datetime
    layout: str
    source: str | None
    region: str | None
    zone: tzinfo
    max_rows: int


def layout_of(file: BinaryIO) -> str:
    """Tell what kind of file it is, or refuse it by its right name."""
    file.seek(0)
    head = file.read(4_096)
    begin = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not begin:
        raise PoisonMessageError("invalid", "is empty", field="file")
    if begin[:15].upper() == b"BEGIN:VCALENDAR":
        return CALENDAR
    if begin.startswith(b"{"):
        return LINES
    if begin.startswith(b"<") and ROOT.search(begin):
        return BACKUP
    kind = kind_of_bytes(head) or kind_of_text(head.decode("utf-8", "replace"))
    if kind:
        raise PoisonMessageError(
            "invalid",
            f"is {kind}; send a calendar (.ics), a log or backup of calls or messages, "
            "or JSON lines",
            field="file",
        )
    return LOG


def entries(file: BinaryIO, terms: Terms, rules: Rules) -> Iterator[Entry]:
    """Yield what each meeting, call or message of a file comes to.

    Raises `PoisonMessageError` where it has too many, or is no log after all.
    """
    for number, one in enumerate(_read(file, terms), 1):
        if number > terms.max_rows:
            raise PoisonMessageError(
                "too_large", f"has more than {terms.max_rows} activities; split it", field="file"
            )
        match one:
            case Passed():
                yield Entry(number, one.line, left_out=one.reason)
            case Unread():
                yield Entry(number, one.line, field=one.field, reason=one.reason)
            case Happened():
                try:
                    yield _normalized(one, number, terms, rules)
                except PoisonMessageError as error:
                    yield Entry(number, one.line, field=error.field, reason=error.detail)


def _read(file: BinaryIO, terms: Terms) -> Iterator[Reading]:
    match terms.layout:
        case "calendar":
            return read_calendar(file, terms.now, terms.zone)
        case "json-lines":
            return _read_lines(file)
        case "phone-backup":
            return read_backup(file)
        case _:
            return read_calls(file, terms.zone, "mdy" if terms.region in (None, "US") else "dmy")


def _read_lines(file: BinaryIO) -> Iterator[Reading]:
    """Read `ActivitySignal`s, one JSON object a line."""
    file.seek(0)
    number = 0
    while line := file.readline(MAX_SIGNAL_BYTES + 1):
        number += 1
        if len(line) > MAX_SIGNAL_BYTES and not line.endswith(b"\n"):
            while (rest := file.readline(MAX_SIGNAL_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield Unread(number, "", f"has more than {MAX_SIGNAL_BYTES} bytes")
        elif not line.strip():
            yield Passed(number, "empty")
        else:
            try:
                found = parse_object(line.removeprefix(b"\xef\xbb\xbf"))
            except PoisonMessageError as error:
                yield Unread(number, error.field, error.detail)
            else:
                yield Happened(number, dict(found), dict(found))


def _normalized(one: Happened, number: int, terms: Terms, rules: Rules) -> Entry:
    record = {"source": SOURCES[terms.layout], **one.record}
    if terms.source:
        record["source"] = terms.source
    if terms.region:
        record.setdefault("phone_region", terms.region)
    if terms.layout in (LOG, BACKUP):
        # It may hold a number: what names the record must not.
        name = f"{record['source']}\0{record['source_record_id']}"
        record["source_record_id"] = rules.digests.file_record(terms.origin.tenant, name)
    signal, _ = read_activity_value(record, may_hold_nul=True)
    stated = one.stated_at.astimezone(UTC) if one.stated_at else terms.now
    origin = replace(
        terms.origin,
        signal_id=f"{terms.origin.signal_id}/{number}",
        occurred_at=rfc3339(min(stated, terms.now)),
    )
    normalized = to_normalized_activity(signal, orjson.dumps(one.raw), origin, rules)
    left_out = ((value["field"], value["reason"]) for value in normalized.rejected)
    taken = Taken(origin, normalized, is_activity=True)
    return Entry(number, one.line, (taken,), notes=(*one.left_out, *left_out))
