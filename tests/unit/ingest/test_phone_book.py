"""Phone books in XML, of telephones and routers: what is read, refused, bounded, given back."""

import time
import tracemalloc
from contextlib import suppress
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.sources.phone_book import DEEPEST, MAX_ENTRY, MAX_VALUES
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


@given(st.text(max_size=300))
def test_whatever_stands_in_a_book_ends_in_a_verdict(text: str) -> None:
    """No traceback: entries, or a reason."""
    with suppress(PoisonMessageError):
        take(a_book(ADA, text))
