"""A contact of Windows (`.contact`, since Vista): one person in XML, as the cells of a row.

What belongs together stands in one element of a collection, with its labels beside it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.ingest.sources.cells import SEPARATOR
from services.ingest.sources.json_items import Item
from services.ingest.sources.row import BadRow
from services.ingest.sources.xml_elements import BrokenXmlError, make_parser, plain

NAMESPACE: Final = "http://schemas.microsoft.com/Contact"
"""What its elements are of, by whatever prefix."""

MAX_CONTACT: Final = 8 << 20
"""Octets of one contact, with its picture."""

_DEEPEST: Final = 16
_MOST: Final = 2_000
"""Elements of one contact; Windows writes some sixty."""

_LONGEST: Final = 65_536
"""Characters of a contact, as of a table's row, without pictures."""

_PICTURES: Final = frozenset({"photocollection", "certificatecollection"})
_TECHNICAL: Final = frozenset({"creationdate", "extended", "contactidcollection", *_PICTURES})

_NAMES: Final[Mapping[str, str]] = {
    "formattedname": "Full Name",
    "title": "Name Prefix",
    "givenname": "First Name",
    "middlename": "Middle Name",
    "familyname": "Last Name",
    "suffix": "Name Suffix",
    "generation": "Name Suffix",
    "nickname": "Nickname",
}
_JOB: Final[Mapping[str, str]] = {
    "company": "Company",
    "organization": "Company",
    "department": "Department",
    "jobtitle": "Job Title",
    "office": "Office",
    "profession": "Profession",
    "role": "Role",
}
_ADDRESS: Final[Mapping[str, str]] = {
    "street": "Street",
    "extendedaddress": "Address 2",
    "pobox": "PO Box",
    "locality": "City",
    "region": "State",
    "postalcode": "Postal Code",
    "country": "Country",
}
_WHERE: Final[Mapping[str, str]] = {"personal": "Home", "business": "Work"}

_BROKEN: Final = "is no XML, or is cut off; save the contact again"
_LONG: Final = f"is longer than {MAX_CONTACT:,} bytes; take its picture out"
_WIDE: Final = (
    f"has more than {_MOST:,} elements, {_DEEPEST} within one another or {_LONGEST:,} characters"
)


def read_contact(pieces: Iterable[bytes]) -> Item | BadRow:
    """Read a contact, in UTF-8, as the cells of a row.

    Raises `PoisonMessageError` where it declares a document type, and with it entities.
    """
    reading = _Reading()
    size = 0
    try:
        for piece in pieces:
            size += len(piece)
            if size > MAX_CONTACT:
                return BadRow(1, "", _LONG)
            reading.parser.Parse(piece)
            if reading.is_too_much:
                return BadRow(1, "", _WIDE)
        reading.parser.Parse(b"", True)
    except BrokenXmlError:
        return BadRow(1, "", _BROKEN)
    return Item(1, cells_of(reading.root), dict(_told(reading.root, "")))


@dataclass(slots=True)
class Element:
    """An element, without its attributes: they are technical."""

    name: str
    texts: list[str] = field(default_factory=list)
    within: list["Element"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return what it says itself."""
        return "".join(self.texts).strip()

    def labels(self) -> frozenset[str]:
        """Return what it is called by: `business`, `wab:birthday` as `birthday`."""
        return frozenset(
            label.text.rpartition(":")[2].casefold()
            for one in self.within
            if one.name == "labelcollection"
            for label in one.within
            if label.text
        )

    def said(self) -> dict[str, str]:
        """Return element → text of what it holds directly."""
        return {one.name: one.text for one in self.within if one.text}


class _Reading:
    """A contact as far as it has been read."""

    def __init__(self) -> None:
        self.root = Element("")
        self.is_too_much = False
        self._open = [self.root]
        self._elements = 0
        self._letters = 0
        self.parser = make_parser("contact", begin=self._begin, end=self._end, say=self._say)

    def _begin(self, name: str, _: dict[str, str]) -> None:
        self._elements += 1
        self.is_too_much |= self._elements > _MOST or len(self._open) > _DEEPEST
        if self.is_too_much:
            return
        element = Element(plain(name))
        self._open[-1].within.append(element)
        self._open.append(element)

    def _say(self, text: str) -> None:
        if any(one.name in _PICTURES for one in self._open):
            return
        self._letters += len(text)
        self.is_too_much |= self._letters > _LONGEST
        if not self.is_too_much:
            self._open[-1].texts.append(text)

    def _end(self, _: str) -> None:
        if not self.is_too_much:
            self._open.pop()


def cells_of(document: Element) -> dict[str, str]:
    """Write a contact as a row: column → cell, several values of a column in one."""
    cells: dict[str, list[str]] = {}
    for contact in document.within:
        for one in contact.within:
            if one.name in _TECHNICAL:
                continue
            tell = _COLLECTIONS.get(one.name)
            found = tell(one.within) if tell else _plainly(one)
            for column, text in found:
                told = cells.setdefault(column, [])
                if text not in told:
                    told.append(text)
    return {column: f" {SEPARATOR} ".join(told) for column, told in cells.items()}


Found = Iterator[tuple[str, str]]


def _plainly(one: Element) -> Found:
    """Tell what stands by itself: notes, a gender that is said."""
    if one.text and one.text.casefold() != "unspecified":
        yield one.name.capitalize(), one.text


def _names(names: list[Element]) -> Found:
    for one in names[:1]:
        for name, text in one.said().items():
            yield _NAMES.get(name, f"{name.capitalize()} Name"), text


def _phones(numbers: list[Element]) -> Found:
    for one in _preferred(numbers):
        labels, text = one.labels(), one.said().get("number", "")
        where = next((_WHERE[label] for label in sorted(labels & _WHERE.keys())), "")
        if "fax" in labels:
            column = f"{where or 'Home'} Fax"
        elif "cellular" in labels:
            column = "Mobile Phone"
        elif "pager" in labels:
            column = "Pager"
        else:
            column = f"{where or 'Other'} Phone"
        if text:
            yield column, text


def _emails(addresses: list[Element]) -> Found:
    for one in _preferred(addresses):
        if text := one.said().get("address"):
            yield "Email", text


def _places(addresses: list[Element]) -> Found:
    seen: set[str] = set()
    for one in addresses:
        where = next((_WHERE[label] for label in sorted(one.labels() & _WHERE.keys())), "Other")
        if where in seen:
            continue  # the second of a kind is in the record: its parts would mix with the first's
        said = [(name, text) for name, text in one.said().items() if name in _ADDRESS]
        if said:
            seen.add(where)
        for name, text in said:
            yield f"{where} {_ADDRESS[name]}", text


def _jobs(positions: list[Element]) -> Found:
    for one in positions[:1]:
        told: set[str] = set()
        for name, text in one.said().items():
            column = _JOB.get(name)
            if column and column not in told:
                told.add(column)
                yield column, text


def _pages(urls: list[Element]) -> Found:
    for one in _preferred(urls):
        if text := one.said().get("value"):
            yield "Website", text


def _dates(dates: list[Element]) -> Found:
    for one in dates:
        text = one.said().get("value", "")[:10]
        name = next(iter(sorted(one.labels() - {"preferred"})), "date")
        if text:
            yield name.capitalize(), text


def _people(people: list[Element]) -> Found:
    for one in people:
        text = one.said().get("formattedname") or one.said().get("personid", "")
        name = next(iter(sorted(one.labels() - {"preferred"})), "related")
        if text:
            yield name.capitalize(), text


def _accounts(accounts: list[Element]) -> Found:
    for one in accounts:
        said = one.said()
        if text := said.get("value"):
            yield said.get("protocol") or "Messenger", text


_COLLECTIONS: Final[Mapping[str, Callable[[list[Element]], Found]]] = {
    "namecollection": _names,
    "phonenumbercollection": _phones,
    "emailaddresscollection": _emails,
    "physicaladdresscollection": _places,
    "positioncollection": _jobs,
    "urlcollection": _pages,
    "datecollection": _dates,
    "personcollection": _people,
    "imaddresscollection": _accounts,
}


def _preferred(elements: list[Element]) -> list[Element]:
    return sorted(elements, key=lambda one: "preferred" not in one.labels())


def _told(element: Element, path: str) -> Iterator[tuple[str, str]]:
    """Write a contact as it came: place → text; of several elements of a name, each its place."""
    counts: dict[str, int] = {}
    for one in element.within:
        if one.name in _PICTURES:
            continue
        counts[one.name] = counts.get(one.name, 0) + 1
        number = f" {counts[one.name]}" if counts[one.name] > 1 else ""
        place = f"{path}/{one.name}{number}".lstrip("/")
        if one.text:
            yield place, one.text
        yield from _told(one, place)
