"""Elements of XML that were rejected come back, however large and long their file is."""

import io
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as ET

import pytest

from services.ingest.sources.originals import MAX_ELEMENT, original_elements
from services.ingest.sources.phone_backup import ENTRIES, pieces_of
from services.ingest.sources.phone_book import ENTRIES as PEOPLE
from services.ingest.sources.phone_book import read_entries

PICTURE = b'<part data="' + b"A" * 300_000 + b'"/>'


def mms(number: int, parts: bytes = PICTURE) -> bytes:
    return b'<mms date="%d">%b</mms>\n' % (number, parts)


def given_back(data: bytes, reasons: Mapping[int, str]) -> bytes:
    return b"".join(original_elements(pieces_of(io.BytesIO(data)), ENTRIES, reasons))


def dates(back: bytes) -> list[str | None]:
    return [one.get("date") for one in ET.fromstring(back)]  # what we wrote


def backup() -> Iterator[bytes]:
    yield b"<?xml version='1.0'?>\n<smses count='60' backup_set='x'>\n"
    for number in range(1, 61):
        yield mms(number)
    yield b"</smses>"


def test_elements_behind_more_pictures_than_one_may_hold_come_back() -> None:
    back = given_back(b"".join(backup()), {2: "bad", 50: "worse"})
    assert dates(back) == ["2", "50"]
    assert back.count(b"<!-- kith reason: ") == 2
    assert back.splitlines()[1] == b'<smses backup_set="x">'


def test_an_element_that_is_too_long_is_told_and_those_behind_it_come_back() -> None:
    long = mms(2, PICTURE * (MAX_ELEMENT // len(PICTURE) + 2))
    back = given_back(b"<smses>" + mms(1) + long + mms(3) + b"</smses>", dict.fromkeys((2, 3), "x"))
    assert dates(back) == ["3"]
    told = b"<!-- kith reason: x; the element is longer than 8,388,608 bytes and not given back -->"
    assert told in back


@pytest.mark.parametrize(
    "behind",
    [b"<mms <", b'<mms date="3"><part data="' + b"A" * (MAX_ELEMENT + 70_000) + b'"/></mms>'],
)
def test_what_cannot_be_read_is_told(behind: bytes) -> None:
    data = b"<smses>" + mms(1) + mms(2) + behind + mms(4) + b"</smses>"
    back = given_back(data, {2: "bad", 3: "cannot be read"})
    assert dates(back) == ["2"]
    assert b"<!-- kith reason: cannot be read; not given back -->" in back


def test_namespaces_are_declared_where_elements_come_back() -> None:
    book = (
        b'<p:book xmlns:p="urn:x" p:version="1"><p:group xmlns:q="urn:y"><p:contact q:a="1&#10;2">'
        b"<p:name>Ada &amp; <![CDATA[<b>]]>&#13;</p:name></p:contact></p:group></p:book>"
    )
    back = b"".join(original_elements([book], PEOPLE, {1: "no -- way -"}))
    root = ET.fromstring(back)  # what we wrote
    assert root.attrib == {"{urn:x}version": "1"}
    [contact] = root
    assert contact.attrib == {"{urn:y}a": "1\n2"}
    assert contact[0].text == "Ada & <b>\r"
    first, again = (list(read_entries(io.BytesIO(one), "utf-8")) for one in (book, back))
    assert first == again


def test_an_entry_that_is_all_of_a_file_comes_back() -> None:
    alone = b"<contact><item>x</item></contact>"
    back = b"".join(original_elements([alone], PEOPLE, {1: "bad"}))
    assert back.splitlines()[1:] == [b"<!-- kith reason: bad -->", alone]
