"""How fast files are parsed, beside the standard library on the same bytes; no services needed.

    python -m tests.load.parsing

Every parser of files has its function here, named in `PARSERS`; it is measured in CPU seconds of
one core, as other work on the machine would otherwise be counted too.
"""

import email
import email.policy
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from services.ingest.sources.mail.boxes import read_box
from services.ingest.sources.mail.own import OwnSurvey
from tests.support.mail import a_reader, an_mbox, correspondence

MESSAGES: Final = 3_000
"""In the mailbox that is measured: about 50 MB, a tenth with an attachment of 100 kB."""


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


PARSERS: Final[tuple[Callable[[], Iterator[Rate]], ...]] = (mail,)
"""Each yields ours first, then the standard library's."""


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
