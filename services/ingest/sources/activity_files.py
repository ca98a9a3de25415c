"""Files of what happened: mail, calendars, logs. Recognised, and read entry by entry.

The same file read again by the same terms gives the same entries: what was staged of a file is
known by its number alone, and sent from a second reading.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import SEEK_END
from itertools import islice
from typing import BinaryIO, Final, Literal, cast
from zoneinfo import ZoneInfo

from services.ingest.domain.entries import Entry
from services.ingest.domain.mapping import Origin, Rules
from services.ingest.sources import activities
from services.ingest.sources.kinds import LDIF_TEXT, kind_of_text
from services.ingest.sources.mail.boxes import BoxKind, read_box, shown_box, sniff_box, why_no_mail
from services.ingest.sources.mail.helping import Helpers
from services.ingest.sources.mail.own import GrowingSurvey, OwnSurvey
from services.ingest.sources.mail.reading import MailReader, MailTerms
from services.ingest.sources.phone_backup import ROOT

FileKind = Literal["contacts", "mail", "activities"]
"""What a caller says that a file holds."""

MAIL: Final = frozenset(("mbox", "eml", "emlx"))
"""Layouts of mail."""

LAYOUTS: Final = MAIL | activities.HAPPENINGS
"""Layouts of files of activities."""

LARGE: Final = 32 << 20
"""Bytes of a mailbox from which on helpers read it too: they take most of a second to start."""

_HEAD: Final = 4_096


@dataclass(frozen=True, slots=True)
class ActivityTerms:
    """What holds for all of one file, the same whenever it is read."""

    origin: Origin
    """Its `signal_id` is the import's; an entry adds its number."""
    now: datetime
    """When the import was begun: no earlier reading may differ from a later one."""
    layout: str
    source: str | None
    own: frozenset[str]
    """Addresses of the mailbox's user, normalised."""
    region: str | None
    timezone: str
    max_rows: int


def source_of(layout: str) -> str:
    """Return where activities of a layout come from, unless one says otherwise."""
    return "email_sync" if layout in MAIL else activities.SOURCES[layout]


def layout_of(file: BinaryIO, kind: FileKind | None) -> str | None:
    """Recognise a file of activities; None: it is none, or is said to be of contacts.

    What a file of no kind of its own holds (a table of calls, signals line by line) only its caller
    can say. Raises `PoisonMessageError` where a file is not what it is said to be.
    """
    if kind == "contacts":
        return None
    if kind == "mail":
        box = sniff_box(file)
        if box is None:
            raise why_no_mail(file)
        return box
    if kind == "activities":
        return activities.layout_of(file)
    file.seek(0)
    begin = file.read(_HEAD).removeprefix(b"\xef\xbb\xbf").lstrip()
    if begin[:15].upper() == b"BEGIN:VCALENDAR":
        return activities.CALENDAR
    if begin.startswith(b"<") and ROOT.search(begin):
        return activities.BACKUP
    if begin[:11].upper() == b"BEGIN:VCARD":
        return None
    # Lines of an LDIF file look like those of a message's header.
    is_ldif = kind_of_text(begin.decode("utf-8", "replace")) == LDIF_TEXT
    return None if is_ldif else shown_box(file)


def survey(file: BinaryIO, layout: str, followed: GrowingSurvey | None = None) -> frozenset[str]:
    """Return the addresses that a mailbox shows to be its user's own.

    `followed`: what was found out while it came.
    """
    if layout == "mbox" and followed and (learnt := followed.learnt(file)) is not None:
        return learnt
    found = OwnSurvey()
    if layout in MAIL:
        for stored in read_box(file, cast("BoxKind", layout), heads=True):
            found.look_at(stored)
    return found.learnt()


def check(file: BinaryIO, terms: ActivityTerms, rules: Rules) -> None:
    """Refuse what its first entries show to be no file of activities after all."""
    next(islice(reading(file, terms, rules, Helpers(0)), 1), None)


def is_large(file: BinaryIO, layout: str) -> bool:
    """Tell whether reading a file takes so long that helpers, and reading it once, are worth it."""
    return layout == "mbox" and file.seek(0, SEEK_END) >= LARGE


def helpers_for(file: BinaryIO, layout: str, count: int) -> Helpers:
    """Return so many helpers, or none where the file is not worth their start."""
    return Helpers(count if is_large(file, layout) else 0)


def reading(
    file: BinaryIO, terms: ActivityTerms, rules: Rules, helpers: Helpers
) -> Iterator[Entry]:
    """Read a file from its beginning."""
    if terms.layout in MAIL:
        return _messages(file, terms, rules, helpers)
    return activities.entries(file, _terms(terms), rules)


def _messages(
    file: BinaryIO, terms: ActivityTerms, rules: Rules, helpers: Helpers
) -> Iterator[Entry]:
    source = terms.source or source_of(terms.layout)
    reader = MailReader(MailTerms(terms.origin, source, terms.own, terms.now, terms.region), rules)
    stored = read_box(file, cast("BoxKind", terms.layout))
    for line, parts in helpers.parse(stored, terms.now):
        yield reader.entry(parts, line)


def _terms(terms: ActivityTerms) -> activities.Terms:
    return activities.Terms(
        origin=terms.origin,
        now=terms.now,
        layout=terms.layout,
        source=terms.source,
        region=terms.region,
        zone=ZoneInfo(terms.timezone),
        max_rows=terms.max_rows,
    )
