"""What a table means once its header is found, and what is said where none is."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import BinaryIO, Final

from services.ingest.domain.columns import ColumnMapping
from services.ingest.domain.contents import is_reach
from services.ingest.domain.days import are_dotted, find_order
from services.ingest.domain.reading import read_value
from services.ingest.domain.regions import find_region, language_of_names
from services.ingest.domain.suggesting import recognise, suggest
from services.ingest.domain.vocabulary import DayOrder
from services.ingest.sources.cells import is_rounded, phones_in
from services.ingest.sources.reading import SOURCES, read_rows
from services.ingest.sources.row import Row
from services.ingest.sources.sniffed import Sniffed
from services.ingest.sources.table import MAX_COLUMNS
from services.ingest.sources.vocabulary import vocabulary
from shared.errors import PoisonMessageError
from shared.events.signal import ContactSignal

SAMPLE_ROWS: Final = 200
"""Rows that are looked at, to suggest what columns mean and in which order dates are."""

_ALONE: Final = frozenset({"email", "phone", "linkedin_url"})
"""Kinds that make a table of one column one of people."""

_KNOWN = (
    "exports of Google Contacts, Outlook, Thunderbird, LinkedIn, iMazing, HubSpot, Salesforce and "
    "Apollo, vCard, jCard and LDIF files, phone books in XML, and any table whose header names a "
    "column like Name, First name, E-mail or Phone"
)


class UnknownHeaderError(PoisonMessageError):
    """A table in which no column is known to say who a person is."""


Choices = Mapping[str, str]
"""Column → target, where an operator knows better."""


def weight_of(header: Sequence[str], choices: Choices) -> int:
    """Return how many columns of a row are known by their names, if it can be a header."""
    if not any(header) or len(header) > MAX_COLUMNS:
        return 0
    if choices and set(choices) <= set(header):
        return len(header) + len(choices)
    if any(map(is_reach, header)):
        return 0  # a person's row that happens to hold a word of headers
    mapping = suggest(header, (), vocabulary())
    if not mapping.is_sure:
        return 0
    if len(header) == 1 and mapping.columns[0].target.kind not in _ALONE:
        return 0
    known = sum(column.why in ("layout", "name") for column in mapping.columns)
    # A product's own header outweighs a row that happens to hold a few of its words.
    return known + (len(header) if recognise(header, vocabulary()) else 0)


def understand(
    header: Sequence[str], rows: Sequence[Sequence[str]], choices: Choices
) -> tuple[ColumnMapping, DayOrder, bool, str]:
    """Return what columns mean, the order of dates and whether it is assumed, and the region."""
    return settle(suggest(header, rows, vocabulary()).changed(choices), rows)


def settle(
    mapping: ColumnMapping, rows: Sequence[Sequence[str]]
) -> tuple[ColumnMapping, DayOrder, bool, str]:
    """Add what the cells of a table show: the order of dates, and where its phones are dialled."""
    words = vocabulary()
    if not mapping.identifies:
        raise no_header()
    usual: DayOrder = next(
        (language.days for language in words.languages if language.code == mapping.language), "mdy"
    )
    days = _cells(mapping, rows, "birthday", "date")
    shown = find_order(days)
    if are_dotted(days):
        usual = "dmy"
    script = language_of_names(_cells(mapping, rows, "full_name", "first_name", "last_name"))
    region = find_region(_numbers(mapping, rows), mapping.language, words, script)
    return mapping, shown or usual, bool(days) and shown is None, region


def _cells(mapping: ColumnMapping, rows: Sequence[Sequence[str]], *kinds: str) -> list[str]:
    """Return what stands in the columns of some kinds."""
    places = _places(mapping, "value", *kinds)
    return [row[place] for place in places for row in rows if place < len(row) and row[place]]


def _numbers(mapping: ColumnMapping, rows: Sequence[Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield telephone numbers, each with the country of an address of its row."""
    phones = _places(mapping, "value", "phone")
    countries = _places(mapping, "country", "address")
    for row in rows:
        country = next((row[one] for one in countries if one < len(row) and row[one]), "")
        for place in phones:
            if place < len(row) and row[place] and not is_rounded(row[place]):
                yield from ((number, country) for number in phones_in(row[place]))


def _places(mapping: ColumnMapping, part: str, *kinds: str) -> list[int]:
    return [
        place
        for place, column in enumerate(mapping.columns)
        if column.target.part == part and column.target.kind in kinds
    ]


def without_header(
    sniffed: Sniffed, mapping: ColumnMapping, rows: Sequence[Sequence[str]], choices: Choices
) -> Sniffed:
    """Say how a table is read whose columns were guessed by their cells."""
    mapping, days, guessed, region = settle(mapping.changed(choices), rows)
    return replace(
        sniffed,
        header_line=0,
        header_lines=0,
        mapping=mapping,
        days=days,
        days_assumed=guessed,
        region=region,
    )


def read_ahead(file: BinaryIO, sniffed: Sniffed) -> Sniffed:
    """Find out by the first records where numbers are dialled; groups do not matter."""
    rows = islice(read_rows(file, replace(sniffed, has_groups=False)), SAMPLE_ROWS)
    people: list[ContactSignal] = []
    for row in rows:
        if isinstance(row, Row):
            with suppress(PoisonMessageError):  # it is refused when its turn comes
                record = {**row.record, "source": SOURCES[sniffed.layout]}
                people.append(read_value(record, may_hold_nul=True)[0])
    script = language_of_names(person.full_name or "" for person in people)
    numbers: list[tuple[str, str]] = []
    for person in people:
        country = next((one.country for one in person.addresses if one.country), "")
        numbers += [(phone.value, country) for phone in person.phones]
    return replace(sniffed, region=find_region(numbers, "", vocabulary(), script))


def no_table(kind: str) -> PoisonMessageError:
    """Refuse a file by what it is."""
    return PoisonMessageError(
        "invalid", f"is {kind}; that is no table of contacts. {_KNOWN} are read", field="file"
    )


def no_header() -> UnknownHeaderError:
    """Refuse a table of which nothing says who its people are."""
    return UnknownHeaderError(
        "invalid",
        f"the header is not one that is known; {_KNOWN} are read. Export the file again and send "
        "it unchanged, or say what its columns are",
        field="file",
    )


def too_wide(count: int) -> PoisonMessageError:
    """Refuse a table by the number of its columns."""
    return PoisonMessageError(
        "too_large", f"has {count} columns or more; at most {MAX_COLUMNS} are read", field="file"
    )
