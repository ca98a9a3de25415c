"""How fast files are parsed, beside what others do with the same bytes; no services needed.

    python -m tests.load.parsing

Every parser of files has its function here, named in `PARSERS`; it is measured in CPU seconds of
one core, as other work on the machine would otherwise be counted too.
"""

import csv
import email
import email.policy
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import vobject

from services.ingest.sources.mail.boxes import read_box
from services.ingest.sources.mail.own import OwnSurvey
from services.ingest.sources.reading import read_rows
from services.ingest.sources.row import Row
from services.ingest.sources.sniff import sniff
from tests.support.mail import a_reader, an_mbox, correspondence

MESSAGES: Final = 3_000
"""In the mailbox that is measured: about 50 MB, a tenth with an attachment of 100 kB."""

SAMPLES: Final = Path(__file__).parents[2] / "samples"
"""Real layouts; here they are repeated."""

CSV_TIMES: Final = 250
"""How often the rows of the Google sample are repeated: 30,000 rows."""

VCARD_TIMES: Final = 30
"""How often the cards of the iCloud sample are repeated: 3,000 cards, some with photos."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What one parser made of a file."""

    name: str
    per_second: int
    """Records per CPU second."""
    megabytes_per_second: int

    @classmethod
    def of(cls, name: str, records: int, size: int, run: Callable[[], int]) -> "Rate":
        """Measure a parser; `run` returns how many records it found."""
        begun = time.process_time()
        found = run()
        took = time.process_time() - begun
        assert found == records, (name, found, records)
        return cls(name, round(records / took), round(size / took / 1e6))


def mail() -> Iterator[Rate]:
    """Measure a mailbox: all that `kith import` does, and what the library takes for less."""
    messages = list(correspondence(MESSAGES))
    data = an_mbox(*messages)
    file = io.BytesIO(data)

    def ours() -> int:
        survey, reader = OwnSurvey(), a_reader()
        for stored in read_box(file, "mbox"):
            survey.look_at(stored)
        for stored in read_box(file, "mbox"):
            for _ in reader.read(stored.raw, line=stored.line):
                pass
        return reader.tally.activities

    def theirs(policy: "email.policy.Policy[Any]") -> int:
        for message in messages:
            parsed = email.message_from_bytes(message, policy=policy)
            for name in ("from", "to", "cc", "date", "subject", "message-id"):
                str(parsed[name])
            for part in parsed.walk():
                if part.get_content_maintype() == "text":
                    part.get_payload(decode=True)
        return len(messages)

    size = len(data)
    yield Rate.of("mail, as signals", MESSAGES, size, ours)
    yield Rate.of("  email, compat32", MESSAGES, size, lambda: theirs(email.policy.compat32))
    yield Rate.of("  email, default", MESSAGES, size, lambda: theirs(email.policy.default))


def tables() -> Iterator[Rate]:
    """Measure Google's CSV: rows read as people, and what Python's `csv` takes for cells."""
    head, rows = (SAMPLES / "google_contacts.csv").read_bytes().split(b"\n", 1)
    data = head + b"\n" + rows * CSV_TIMES

    def theirs() -> int:
        return sum(1 for _ in csv.reader(io.StringIO(data.decode(), newline=""))) - 1

    yield Rate.of("Google CSV, as people", _rows(data), len(data), lambda: _rows(data))
    yield Rate.of("  csv, cells", theirs(), len(data), theirs)


def cards() -> Iterator[Rate]:
    """Measure iCloud's vCards: cards read as people, and what `vobject` takes for properties."""
    data = (SAMPLES / "icloud_contacts.vcf").read_bytes() * VCARD_TIMES
    count = data.count(b"BEGIN:VCARD")

    def theirs() -> int:
        return sum(1 for _ in vobject.readComponents(data.decode(), ignoreUnreadable=True))

    yield Rate.of("vCard, as people", _rows(data), len(data), lambda: _rows(data))
    yield Rate.of("  vobject, properties", count, len(data), theirs)


def _rows(data: bytes) -> int:
    file = io.BytesIO(data)
    return sum(1 for row in read_rows(file, sniff(file)) if isinstance(row, Row))


PARSERS: Final[tuple[Callable[[], Iterator[Rate]], ...]] = (tables, cards, mail)
"""Each yields ours first, then what others do with the same bytes."""


def figures() -> dict[str, int]:
    """Return records per CPU second by parser, for `.bench/latest.json`."""
    return {rate.name.strip(): rate.per_second for rate in _rates()}


def _rates() -> Iterator[Rate]:
    print(f"\n{'parsed, one core':28}{'records/s':>12}{'MB/s':>8}")
    for parser in PARSERS:
        for rate in parser():
            told = f"{rate.name:28}{rate.per_second:>12,}{rate.megabytes_per_second:>8,}"
            print(told, flush=True)
            yield rate


if __name__ == "__main__":
    figures()
