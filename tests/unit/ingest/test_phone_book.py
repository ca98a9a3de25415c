"""Phone books in XML, of telephones and routers: what is read, refused, bounded, given back."""

import io
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.sources.phone_book import DEEPEST, MAX_ENTRY, MAX_VALUES
from services.ingest.sources.reading import read_rows
from services.ingest.sources.rejected_tables import Reject
from services.ingest.sources.rejects import write_rejects
from services.ingest.sources.row import Row
from services.ingest.sources.sniff import sniff
from shared.errors import PoisonMessageError
from tests.support.tables import FORMATS, Taken, take
from tests.unit.ingest.test_rejects import rejects_of

FILES = sorted((FORMATS / "phone_books").glob("*.xml"))


def a_book(*entries: str, head: str = "<?xml version='1.0'?>") -> bytes:
    return f"{head}<tbook>{''.join(entries)}</tbook>".encode()


ADA = "<item><name>Ada</name><number>+442079460958</number></item>"


def rejected(taken: Taken) -> list[tuple[int, str]]:
    return [(note.line, note.reason) for note in taken.tally.rejected]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_dialect_is_read_in_full(path: Path) -> None:
    """What was found of the file, every fact and every remark are as the golden file says."""
    assert take(path.read_bytes()).told() == orjson.loads(path.with_suffix(".json").read_bytes())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_book_cut_off_anywhere_keeps_its_whole_entries(path: Path) -> None:
    data = path.read_bytes()
    names = [facts["full_name"] for facts in take(data).facts]
    for percent in range(100):
        try:
            taken = take(data[: len(data) * percent // 100])
        except PoisonMessageError:  # nobody could be read of it
            continue
        found = [facts["full_name"] for facts in taken.facts]
        assert found == names[: len(found)]
        assert rejected(taken)[-1][1].startswith("is no XML from here on")


def test_what_a_document_type_declares_is_never_looked_at() -> None:
    laughs = "<!DOCTYPE t [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]>"
    outside = "<!DOCTYPE t [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"
    for head in (laughs, outside):
        with pytest.raises(PoisonMessageError, match="declares a document type"):
            take(a_book(ADA.replace("Ada", "&a;"), head=f"<?xml version='1.0'?>{head}"))
    [broken] = rejected(take(a_book(ADA, ADA.replace("Ada", "&a;"))))
    assert broken == (2, "is no XML from here on; export the phone book again")


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (f"<item>{'<number>1</number>' * (MAX_VALUES + 1)}</item>", "more than 200 values"),
        (f"<item><name>{'x' * 70_000}</name></item>", "more than 65,536 characters"),
        (f"<item><name>{'x' * (MAX_ENTRY + 200_000)}</name></item>", "longer than"),
        (f"<item>{'<a>' * DEEPEST}{'</a>' * DEEPEST}</item>", "deeper than"),
    ],
)
def test_an_entry_beyond_its_bounds_is_refused(entry: str, says: str) -> None:
    taken = take(a_book(ADA, entry, ADA))
    [(number, reason)] = rejected(taken)
    assert number == 2
    assert says in reason


def test_other_xml_is_refused_as_what_it_is() -> None:
    for text in ("<?xml version='1.0'?><rss><channel/></rss>", "<?xml", "<note>hi</note>"):
        with pytest.raises(PoisonMessageError, match="XML, but no phone book"):
            take(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "<products><item><name>Blue shirt</name><number>4711</number></item></products>",
        "<shop><item><name>Shirt</name><price>1</price><phone>0301234567</phone></item></shop>",
        f"<order>{ADA.replace('item>', 'contact>')}<item><name>Blue shirt</name></item></order>",
        "<feed><entry><title>News</title><author><phone>+442079460958</phone></author></entry></feed>",
        "<files><entry><name>a.txt</name></entry><entry><name>b.txt</name></entry></files>",
        "<contact><name>Ada</name><phone>+442079460958</phone></contact>",
        "<menu><menuitem><prompt>Open</prompt><uri>http://x.example/1</uri></menuitem></menu>",
    ],
)
def test_items_and_entries_of_others_make_no_phone_book(text: str) -> None:
    """A shop's articles, an order, a feed, a list of files: nobody of them is a contact."""
    with pytest.raises(PoisonMessageError, match="XML, but no phone book"):
        take(f"<?xml version='1.0'?>{text}".encode())


def test_a_book_of_an_unknown_name_is_known_by_its_numbers() -> None:
    number = "<number>020 79460958</number>"
    entries = f"<entry><name>Ada</name>{number}</entry><entry><name>Bob</name></entry>"
    taken = take(f"<?xml version='1.0'?><staff>{entries}</staff>".encode())
    assert [facts["full_name"] for facts in taken.facts] == ["Ada", "Bob"]


@pytest.mark.parametrize(
    "more",
    [
        "<displayname>Ada B</displayname>",
        "<group><name>Friends</name><title>Club</title></group>",
        "<ringtone><name>Bell</name></ringtone>",
    ],
)
def test_whoever_has_several_names_is_called_by_the_first(more: str) -> None:
    """A name below another element is of something else; the record keeps all of them."""
    entry = ADA.replace("<number>", f"{more}<number>")
    file = io.BytesIO(a_book(entry))
    [row] = read_rows(file, sniff(file))
    assert isinstance(row, Row)
    assert row.record["full_name"] == "Ada"
    assert "employments" not in row.record
    assert {"Ada B", "Friends", "Bell"} & set(row.raw.values())


@pytest.mark.parametrize(
    "inner",
    [
        "<items><item><name>Ada</name><number>+442079460957</number></item></items>",
        "<item name='Ada' phone='+442079460957'/>",
    ],
)
def test_an_entry_within_another_is_told_and_mixed_with_none(inner: str) -> None:
    taken = take(a_book(ADA, f"<item><name>Acme</name>{inner}</item>"))
    assert [facts["full_name"] for facts in taken.facts] == ["Ada"]
    assert rejected(taken) == [(2, "holds another entry; write each beside the others")]


def test_numbers_of_groups_are_no_labels_and_extensions_stay_apart() -> None:
    group = "<group>0</group><number>11</number><number>12</number>"
    file = io.BytesIO(a_book(f"<item><name>Ada</name>{group}</item>"))
    [row] = read_rows(file, sniff(file))
    assert isinstance(row, Row)
    assert "labels" not in row.record
    assert row.record["phones"] == [{"value": "11"}, {"value": "12"}]


def test_a_name_is_read_around_what_is_emphasised_in_it() -> None:
    [facts] = take(a_book(ADA.replace("Ada", "Ada <b>King</b> Byron"))).facts
    assert facts["full_name"] == "Ada Byron"


def test_memory_does_not_grow_with_a_book() -> None:
    """Ten thousand entries, on one line, in little time."""
    book = a_book(*(ADA.replace("Ada", f"Ada {n}") for n in range(10_000)))
    tracemalloc.start()
    begun = time.process_time()
    assert len(take(book).facts) == 10_000
    assert time.process_time() - begun < 20
    tracemalloc.stop()


def test_rejected_entries_come_back_in_xml_below_their_reason() -> None:
    bad = "<item><number>nothing &amp; &lt;more&gt;</number><note>a -- b</note></item>"
    raw, media = rejects_of(a_book(ADA, bad, ADA))
    assert media == "application/xml"
    back = raw.decode()
    assert back.count("<item>") == 1
    assert "<!-- kith reason: " in back
    assert "<number>nothing &amp; &lt;more&gt;</number>" in back
    again = take(back.replace("nothing &amp; &lt;more&gt;", "+442079460959").encode())
    assert again.facts[0]["phones"] == [{"value": "+442079460959"}]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_rejects_of_a_dialect_are_taken_for_a_book_again(path: Path) -> None:
    """They come below the root alone: what told it from a shop's items may be gone, or be amiss."""
    file = io.BytesIO(path.read_bytes())
    sniffed = sniff(file)
    out = io.BytesIO()
    write_rejects(file, sniffed, [Reject(1, None, "a reason", 1)], out)
    assert [row.line for row in read_rows(out, sniff(out))] == [1]


def test_a_number_is_known_by_its_element_too_and_by_its_account() -> None:
    entries = (
        "<contact><firstname>Ada</firstname><home>0301</home><office>0302</office></contact>",
        "<contact><fn>Bob</fn><ct>sip:+442079460958@pbx.example</ct></contact>",
        "<contact><fn>Cid</fn><ct>cid@pbx.example</ct></contact>",
        "<contact><fn>Dan</fn><ct>Berlin</ct></contact>",
    )
    file = io.BytesIO(a_book(*entries))
    ada, bob, cid, dan = [
        row.record for row in read_rows(file, sniff(file)) if isinstance(row, Row)
    ]
    assert ada["phones"] == [
        {"value": "0301", "label": "home"},
        {"value": "0302", "label": "work"},
    ]
    assert bob["phones"] == [{"value": "+442079460958"}]
    assert cid == {"first_name": "Cid"}
    assert dan == {"first_name": "Dan", "addresses": [{"city": "Berlin"}]}


def test_the_way_to_a_menus_next_page_is_nobody() -> None:
    item = "<MenuItem><Prompt>{}</Prompt><URI>{}</URI></MenuItem>"
    book = item.format("Ada", "+442079460958") + item.format("Next", "http://pbx.example/2")
    book += item.format("Bob", "sip:bob@pbx.example")
    taken = take(f"<AastraIPPhoneDirectory>{book}</AastraIPPhoneDirectory>".encode())
    assert [facts["full_name"] for facts in taken.facts] == ["Ada", "Bob"]
    assert taken.tally.blank == 1


@given(st.text(max_size=300))
def test_whatever_stands_in_a_book_ends_in_a_verdict(text: str) -> None:
    """No traceback: entries, or a reason."""
    with suppress(PoisonMessageError):
        take(a_book(ADA, text))


def test_a_contact_of_windows_says_what_is_wrong_with_it() -> None:
    whole = (FORMATS / "phone_books" / "windows.xml").read_bytes()
    with pytest.raises(PoisonMessageError, match="entry 1 is no XML, or is cut off"):
        take(whole[:900])
    with pytest.raises(PoisonMessageError, match="declares a document type"):
        take(whole.replace(b"<c:contact", b"<!DOCTYPE c><c:contact", 1))
    large = whole.replace(b"QUJD", b"QUJD" * 3_000_000)
    with pytest.raises(PoisonMessageError, match="take its picture out"):
        take(large)
    pictured = take(whole.replace(b"QUJD", b"QUJD" * 300_000))
    assert pictured.facts == take(whole).facts
    many = whole.replace(b"<c:Notes>", b"<c:Notes/>" * 3_000 + b"<c:Notes>")
    with pytest.raises(PoisonMessageError, match="has more than 2,000 elements"):
        take(many)


def test_a_rejected_contact_of_windows_comes_back_whole() -> None:
    whole = (FORMATS / "phone_books" / "windows.xml").read_bytes()
    file = io.BytesIO(whole)
    out = io.BytesIO()
    write_rejects(file, sniff(file), [Reject(1, None, "is not wanted", 1)], out)
    assert b"kith reason: is not wanted" in out.getvalue()
    assert take(out.getvalue()).facts == take(whole).facts
