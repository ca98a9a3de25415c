"""What reads files and bodies that strangers send, each with fixtures to begin from.

A parser is run as its way in runs it, from the bytes to normalised signals. It may refuse what it
gets, by `PoisonMessageError` with a reason; everything else that it raises is a fault.
"""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from services.ingest.domain.activities import to_normalized_activity
from services.ingest.domain.captures import (
    LinkedInCapture,
    NewContact,
    signal_of_capture,
    signal_of_contact,
)
from services.ingest.domain.intake import read_arrival
from services.ingest.domain.mapping import to_normalized
from services.ingest.domain.reading import (
    in_our_words,
    is_activity,
    read_activity_body,
    read_activity_value,
    read_body,
    read_many,
    read_value,
    within_bounds,
)
from services.ingest.sources.activities import Terms as ActivityTerms
from services.ingest.sources.activities import layout_of
from services.ingest.sources.mail.boxes import read_box, sniff_box, why_no_mail
from services.ingest.sources.reading import SOURCES, Terms
from services.ingest.sources.sniff import sniff
from services.ingest.sources.staging import stage
from shared.errors import PoisonMessageError
from shared.events.envelope import Envelope, to_headers
from shared.events.signal import ContactSignal
from shared.events.topics import TYPE_BY_MODEL
from tests.support.activities import Account, activities
from tests.support.ingest import ORIGIN, RULES
from tests.support.mail import a_message, a_reader, an_mbox, correspondence
from tests.support.tables import workbook

TESTS: Final = Path(__file__).parents[1]
FORMATS: Final = TESTS / "fixtures" / "formats"
SIGNALS: Final = TESTS / "contract" / "examples" / "contact.signals.v1"
NOW: Final = datetime(2026, 11, 22, tzinfo=UTC)

Body = TypeVar("Body", bound=BaseModel)

MAX_ROWS: Final = 10_000
"""Rows of one file; far more than any input here has, unless a parser makes them up."""


@dataclass(frozen=True, slots=True)
class Parser:
    """Something that reads what strangers send."""

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    """Whole, good inputs; called once a process."""
    ending: str
    """Of a file that keeps an input."""


def _files(*patterns: str, folder: Path = FORMATS) -> Iterable[bytes]:
    return [file.read_bytes() for one in patterns for file in sorted(folder.glob(one))]


def _read_contacts(data: bytes) -> None:
    file = io.BytesIO(data)
    sniffed = sniff(file)
    for row in stage(file, sniffed, Terms(ORIGIN, SOURCES[sniffed.layout], MAX_ROWS), RULES):
        if row.row_class is None:
            orjson.loads(row.signal)
            orjson.loads(row.raw)
        else:
            assert row.reason, f"line {row.line} is {row.row_class}, and nothing says why"


def _workbooks() -> Iterable[bytes]:
    head = ["First Name", "Last Name", "E-mail", "Phone", "Birthday", "Company"]
    born = datetime(1815, 12, 10)  # noqa: DTZ001  # cells have no zone
    rows = [["Ada", "Byron", "ada@engines.example", 442079460000, born, "Engines & Sons"]]
    yield workbook([head, *rows, ["Émile", None, "e@x.example", "+33 1 23 45 67 89", None, None]])
    yield workbook([["Notes"], ["nothing here"]], [["Name", "Mobile"], ["Bob", 4915112345678.0]])


def _people() -> Iterable[bytes]:
    """Make cards, signals, and objects in a list and one a line."""
    ada = {"firstName": "Ada", "email": "ada@x.example", "address": {"city": "London"}, "age": 36}
    bob = {"firstName": "Bob", "phone": 447700900123, "tags": ["a", None], "is_new": True}
    yield orjson.dumps([ada, bob])
    yield b"\n".join(map(orjson.dumps, (ada, bob)))
    fn, tel = ["fn", {}, "text", "Ada"], ["tel", {"type": ["cell"]}, "uri", "tel:+442079460000"]
    name = ["n", {"group": "a"}, "text", ["Byron", "Ada", "", ["Dr."], ""]]
    yield orjson.dumps([["vcard", [fn, name]], ["vcard", [tel]]])
    yield orjson.dumps(["vcard", [fn, tel, ["bday", {}, "date", "--12-10"]]])
    signal = {"source": "api_push", "source_record_id": "1", "emails": [{"value": "a@x.example"}]}
    yield orjson.dumps([signal, {**signal, "full_name": "Ada", "custom_fields": {"a": [1]}}])


def _read_mail(data: bytes) -> None:
    file = io.BytesIO(data)
    kind = sniff_box(file)
    if kind is None:
        raise why_no_mail(file)
    reader = a_reader("me@home.example.com")
    for stored in read_box(file, kind):
        for taken in reader.read(stored.raw, line=stored.line):
            orjson.loads(taken.normalized.body)


def _mailboxes() -> Iterable[bytes]:
    messages = list(islice(correspondence(40), 40))
    yield from messages[:20]
    yield an_mbox(*messages[:4])
    yield an_mbox(*messages[20:23])
    yield a_message(text="Hi\n\n-- \nAda Lovelace\nCTO, Engines Ltd\n+44 20 7946 0000\n")


def _read_activities(data: bytes) -> None:
    file = io.BytesIO(data)
    layout = layout_of(file)
    terms = ActivityTerms(ORIGIN, NOW, layout, None, None, UTC, MAX_ROWS)
    account = Account()
    for _, normalized in activities(file, terms, RULES, account):
        orjson.loads(normalized.body)
    assert all(one["reason"] for one in account.rejected)


def _happenings(pattern: str) -> Callable[[], Iterable[bytes]]:
    return lambda: _files(pattern, folder=TESTS / "fixtures" / "activities")


def _lines() -> Iterable[bytes]:
    found = [one for one in _files("*.json", folder=SIGNALS) if b"participants" in one]
    yield b"\n".join(orjson.dumps(orjson.loads(one)) for one in found * 3)


def _read_push(data: bytes) -> None:
    for value in read_many(data, 1_000):
        happened = is_activity(value)
        try:
            if happened:
                to_normalized_activity(
                    *read_activity_value(value, may_hold_nul=True), ORIGIN, RULES
                )
            else:
                to_normalized(*read_value(value, may_hold_nul=True), ORIGIN, RULES)
        except PoisonMessageError:
            continue  # of this signal alone


def _read_record(data: bytes) -> None:
    headers = to_headers(Envelope("1", "/fuzz", TYPE_BY_MODEL[ContactSignal], b""))
    arrival = read_arrival(headers, data)
    to_normalized(*read_body(arrival.data), ORIGIN, RULES)


def _read_structured(data: bytes) -> None:
    headers = [("content-type", b"application/cloudevents+json; charset=utf-8")]
    arrival = read_arrival(headers, data)
    if arrival.is_activity:
        to_normalized_activity(*read_activity_body(arrival.data), ORIGIN, RULES)
    else:
        to_normalized(*read_body(arrival.data), ORIGIN, RULES)


def _read_capture(data: bytes) -> None:
    raw = _object(data)
    said = signal_of_capture(_validated(LinkedInCapture, raw))
    within_bounds(raw, may_hold_nul=True)
    to_normalized(*read_value(said, may_hold_nul=False), ORIGIN, RULES)


def _read_document(data: bytes) -> None:
    value = _object(data).get("data")
    raw = _object(orjson.dumps(value.get("attributes") if isinstance(value, dict) else None))
    said = signal_of_contact(_validated(NewContact, raw), "01J00000000000000000000000")
    within_bounds(raw, may_hold_nul=True)
    to_normalized(*read_value(said, may_hold_nul=False), ORIGIN, RULES)


def _object(data: bytes) -> dict[str, Any]:
    """Read a body as the routes of captures do."""
    try:
        value = orjson.loads(data)
    except (orjson.JSONDecodeError, RecursionError):
        raise PoisonMessageError("malformed", "the body is not UTF-8 JSON") from None
    if not isinstance(value, dict):
        raise PoisonMessageError("malformed", "send an object")
    return value


def _validated(model: type[Body], value: dict[str, Any]) -> Body:
    try:
        return model.model_validate_json(orjson.dumps(value))
    except ValidationError as error:
        raise in_our_words(error) from None


def _pushed() -> Iterable[bytes]:
    told = [orjson.loads(one) for one in _files("kith.*.json", folder=SIGNALS)]
    bodies = [one["data"] for one in told]
    yield from map(orjson.dumps, bodies)
    yield orjson.dumps(bodies * 2)
    yield orjson.dumps({"signals": bodies})


def _records() -> Iterable[bytes]:
    for one in _files("kith.signal.contact.*.json", folder=SIGNALS):
        yield orjson.dumps(orjson.loads(one)["data"])


def _structured() -> Iterable[bytes]:
    yield from (
        orjson.dumps(orjson.loads(one)["data"]) for one in _files("s*.json", folder=SIGNALS)
    )


def _captures() -> Iterable[bytes]:
    yield orjson.dumps(
        {
            "profile_url": "https://www.linkedin.com/in/SarahChen/?trk=x",
            "full_name": "Sarah Chen",
            "headline": "VP Engineering at Acme Corp",
            "location": "Austin, Texas, United States",
            "experience": [{"title": "VP", "company": "Acme Corp", "start": "2021-04"}],
            "emails": ["sarah@acme.example"],
            "phones": ["+1 415 555 0100"],
            "websites": ["acme.example"],
            "captured_at": "2026-11-22T09:00:00Z",
        }
    )


def _documents() -> Iterable[bytes]:
    attributes = {
        "full_name": "Ada Byron",
        "emails": [{"value": "ada@engines.example", "label": "work"}],
        "phone": "+44 20 7946 0000",
        "company_name": "Engines Ltd",
        "labels": ["friends"],
        "notes": "met in 1833",
    }
    yield orjson.dumps({"data": {"type": "contacts", "attributes": attributes}})


PARSERS: Final = {
    parser.name: parser
    for parser in (
        Parser("table", _read_contacts, lambda: _files("*.csv"), "csv"),
        Parser("workbook", _read_contacts, _workbooks, "xlsx"),
        Parser("json", _read_contacts, _people, "json"),
        Parser("vcard", _read_contacts, lambda: _files("vcard/*.vcf"), "vcf"),
        Parser("ldif", _read_contacts, lambda: _files("ldif/*.ldif"), "ldif"),
        Parser("phonebook", _read_contacts, lambda: _files("phone_books/*.xml"), "xml"),
        Parser("mail", _read_mail, _mailboxes, "eml"),
        Parser("calendar", _read_activities, _happenings("*.ics"), "ics"),
        Parser("calls", _read_activities, _happenings("*.csv"), "csv"),
        Parser("backup", _read_activities, _happenings("*.xml"), "xml"),
        Parser("lines", _read_activities, _lines, "jsonl"),
        Parser("push", _read_push, _pushed, "json"),
        Parser("record", _read_record, _records, "json"),
        Parser("structured", _read_structured, _structured, "json"),
        Parser("capture", _read_capture, _captures, "json"),
        Parser("document", _read_document, _documents, "json"),
    )
}
"""By name, as on the command line."""
