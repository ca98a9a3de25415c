"""vCards that are cut, mixed up, huge or no vCards at all: good cards kept, the rest named."""

import tracemalloc
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.ingest.sources.row import BadRow, Blank, Row, Rows
from services.ingest.sources.sniffed import Sniffed
from services.ingest.sources.vcard import read_vcard
from tests.support.vcards import accounts_of, card, facts_of, read

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "formats" / "vcard").glob("*.vcf"))


def encoding_of(path: Path) -> str:
    """Return a fixture's encoding as its name says it."""
    wide = {
        "utf_16_bom": "utf-16",
        "utf_16_be_no_bom": "utf-16-be",
        "utf_16_le_no_bom": "utf-16-le",
    }
    return wide.get(path.stem, "cp1252")


def without_labels(account: dict[str, Any]) -> dict[str, Any]:
    """Leave out what may be told by a group's card, further down in the file."""
    facts = {name: value for name, value in account.get("facts", {}).items() if name != "labels"}
    return {**account, "facts": facts}


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_file_cut_at_each_percent_keeps_its_good_cards_and_names_the_cut_one(path: Path) -> None:
    data, encoding = path.read_bytes(), encoding_of(path)
    whole = {row["line"]: without_labels(row) for row in accounts_of(data, encoding)}
    for percent in range(1, 100):
        rows = accounts_of(data[: len(data) * percent // 100], encoding)
        *good, last = map(without_labels, rows)
        assert good == [whole[row["line"]] for row in good]
        if last != whole.get(last["line"]) and last["verdict"] == "taken":
            assert "END" in [name for name, _ in last["left_out"]]


def test_a_number_that_is_cut_off_is_never_taken_for_one() -> None:
    data = card("FN:Ada", "EMAIL:ada@x.example", "TEL:+44 7700 900123")
    begin, end = data.index(b"TEL"), data.index(b"\r\nEND")
    for cut in range(begin, end):
        [row] = read(data[:cut])
        assert isinstance(row, Row)
        assert "phones" not in row.record
        assert [name for name, _ in row.left_out][-1] == "END"


@pytest.mark.parametrize("cut", [b"BEGIN:VCARD\r\n", b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A"])
def test_a_card_that_is_cut_before_it_says_anything_is_refused(cut: bytes) -> None:
    [good, bad] = read(card("FN:Ada") + cut)
    assert isinstance(good, Row)
    assert bad == BadRow(
        5, "END", "the file ends before this card says anything; export the file again"
    )


def test_a_card_without_end_is_ended_by_the_next() -> None:
    [one, two] = read(card("FN:One").replace(b"END:VCARD\r\n", b"") + card("FN:Two"))
    assert isinstance(one, Row)
    assert isinstance(two, Row)
    assert (one.record, two.record) == ({"full_name": "One"}, {"full_name": "Two"})
    assert ([name for name, _ in one.left_out], two.left_out) == (["END"], [])


def test_lines_outside_any_card_are_named_once() -> None:
    rows = read(
        b"\xef\xbb\xbfhello\r\nworld\r\n" + card("FN:A") + b"TEL:1\r\nTEL:2\r\n" + card("FN:B")
    )
    assert [(type(row), row.line) for row in rows] == [(BadRow, 1), (Row, 3), (BadRow, 7), (Row, 9)]


def test_cards_within_a_card_leave_it_whole() -> None:
    inner = card("FN:Inner", "TEL:+44 7700 900999", "AGENT:", *["BEGIN:VCARD", "FN:X", "END:VCARD"])
    [row] = read(card("FN:Outer", "AGENT:", inner.decode().strip(), "EMAIL:outer@x.example"))
    assert isinstance(row, Row)
    assert row.record == {
        "full_name": "Outer",
        "emails": [{"value": "outer@x.example"}],
        "custom_fields": {"agent": "Inner"},
    }
    assert [name for name, _ in row.left_out] == ["AGENT"]


def test_a_card_nested_a_thousand_deep_is_one_card() -> None:
    deep = b"BEGIN:VCARD\r\nFN:A\r\nAGENT:\r\n" * 1_000 + b"END:VCARD\r\n" * 1_000
    [row] = read(deep)
    assert isinstance(row, Row)
    assert row.record["full_name"] == "A"


@pytest.mark.parametrize(
    "photo",
    [
        "PHOTO;ENCODING=b;TYPE=JPEG:{}",
        "PHOTO;JPEG;ENCODING=BASE64:{}",
        "PHOTO;BASE64:{}",
        "PHOTO:data:image/jpeg;base64,{}",
        "item1.LOGO;TYPE=PNG;ENCODING=B:{}",
        "X-MS-CARDPICTURE;ENCODING=BASE64:\r\n {}",
        "X-VENDOR-BLOB;ENCODING=b:{}",
    ],
)
@pytest.mark.parametrize("fold", ["\r\n ", "\n\t", "", "\r\n"])
def test_pictures_are_counted_and_not_kept(photo: str, fold: str) -> None:
    base64 = fold.join(["QUJDREVG" * 9] * 30)
    [row] = read(card("FN:Ada", photo.format(base64), "", "EMAIL:ada@x.example"))
    assert isinstance(row, Row)
    assert row.record == {"full_name": "Ada", "emails": [{"value": "ada@x.example"}]}
    [kept] = [
        text for name, text in row.raw.items() if "PHOTO" in name or "X-" in name or "LOGO" in name
    ]
    size = int(kept.removeprefix("(").partition(" ")[0].replace(",", ""))
    assert 30 * 72 <= size <= 30 * 75 + 40
    assert row.left_out == []


def test_bounds_leave_out_and_say_so() -> None:
    long = "x" * 20_000
    [row] = read(
        card(
            f"FN:{long}",
            f"NOTE:{long}",
            f"EMAIL:{long}@x.example",
            *[f"TEL:+44 7700 {number}" for number in range(900_000, 900_060)],
            *[f"X-ODD-{number}:{number}" for number in range(150)],
        )
    )
    assert isinstance(row, Row)
    assert (len(row.record["full_name"]), len(row.record["notes"])) == (255, 10_000)
    assert (len(row.record["phones"]), len(row.record["custom_fields"])) == (50, 100)
    assert {name for name, _ in row.left_out} >= {"FN", "NOTE", "EMAIL", "TEL", "X-ODD-149"}
    assert len(row.left_out) <= 60


def test_a_card_of_too_many_properties_is_refused_and_its_neighbour_taken() -> None:
    rows = read(card(*["X-A:1"] * 1_200) + card("FN:Ada"))
    assert [type(row) for row in rows] == [BadRow, Row]


class Endless:
    """A file of many bytes that nobody holds: a beginning, a middle as often as wanted, an end."""

    def __init__(self, begin: bytes, middle: bytes, times: int, end: bytes) -> None:
        self.pieces = (begin, middle, times, end)
        self.seek(0)

    def seek(self, offset: int) -> None:
        begin, middle, times, end = self.pieces
        self.left = iter([begin, *[middle] * times, end])

    def read(self, size: int) -> bytes:
        return next((piece for piece in self.left if piece), b"")


def read_endless(file: Endless) -> Rows:
    return read_vcard(cast("BinaryIO", file), Sniffed("vcard", "utf-8", assumed=False))


@pytest.mark.parametrize(
    "head", [b"PHOTO;ENCODING=b:", b"NOTE:", b"X-A;ENCODING=QUOTED-PRINTABLE:", b""]
)
@pytest.mark.parametrize("piece", [b"A" * 262_144, (b"A" * 74 + b"\r\n ") * 3_450])
def test_a_line_of_100_mb_takes_little_memory(head: bytes, piece: bytes) -> None:
    begin = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada\r\n" + head
    file = Endless(begin, piece, 400, b"\r\nEMAIL:ada@x.example\r\nEND:VCARD\r\n")
    tracemalloc.start()
    try:
        [row] = read_endless(file)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
    assert isinstance(row, Row)
    assert row.record["emails"] == [{"value": "ada@x.example"}]
    assert row.left_out or b"PHOTO" in head


def test_any_number_of_cards_takes_the_memory_of_one() -> None:
    file = Endless(b"", b"BEGIN:VCARD\nEND:VCARD\n" * 1_000, 5, b"")
    tracemalloc.start()
    try:
        found = read_endless(file)
        assert sum(isinstance(row, Blank) for row in found) == 5_000
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


TOKENS = [
    "BEGIN:VCARD", "END:VCARD", "VERSION:2.1", "\r\n", "\n", "\r", "\n ", "\r\n\t", ":", ";", "=",
    "=\r\n", "\\", "\\n", "\\;", ",", '"', "\0", "\ufeff", "^n", "FN", "N", "TEL", "EMAIL", "ADR",
    "ORG", "NOTE", "PHOTO", "BDAY", "UID", "REV", "URL", "IMPP", "AGENT", "KIND", "item1.",
    "X-ABLabel", "X-ANDROID-CUSTOM", "X-SOCIALPROFILE", "CATEGORIES", "CHARSET=", "UTF-7", "utf-16",
    "idna", "rot13", "shift_jis", "ENCODING=QUOTED-PRINTABLE", "ENCODING=b", "BASE64", "TYPE=",
    "PREF=1", "X-CUSTOM(", "=C3=B6", "=ZZ", "QUJD", "1815-12-10", "tel:+1", "http://x.com/a", "é",
    "\u202e", "👩‍🚀", "e\u0301", "group", "MEMBER", "urn:uuid:1", "VALUE=uri", "ALTID=1", "data:",
]  # fmt: skip


@given(
    st.lists(st.sampled_from(TOKENS) | st.text(max_size=8), max_size=60).map("".join),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "shift_jis", "utf-16-le"]),
)
@example("BEGIN:VCARD\nFN;CHARSET=idna:\u00ff..\u00ff\nEND:VCARD\n", "cp1252")
def test_no_text_makes_it_stumble(text: str, encoding: str) -> None:
    for data in (text, f"BEGIN:VCARD\r\n{text}", f"BEGIN:VCARD\n{text}\nEND:VCARD\n"):
        for account in accounts_of(data.encode(errors="replace"), encoding):
            assert account["verdict"] in ("taken", "refused", "blank")


@given(st.binary(max_size=400), st.sampled_from(["utf-8", "cp1252", "utf-16-be", "utf-16-le"]))
def test_no_bytes_make_it_stumble(data: bytes, encoding: str) -> None:
    accounts_of(data, encoding)
    accounts_of(b"BEGIN:VCARD\r\nFN:A\r\n" + data, encoding)


@given(st.data())
def test_a_spoilt_fixture_is_still_accounted_for(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(FIXTURES))
    raw = bytearray(path.read_bytes())
    for place, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(raw) - 1), st.integers(0, 255)), max_size=30)
    ):
        raw[place] = byte
    accounts_of(bytes(raw), encoding_of(path))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=60))
def test_escaped_text_is_read_back(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    facts = facts_of("EMAIL:a@x.example", f"ORG:{escaped};b", f"NOTE:{escaped}")
    [row] = read(card(f"ORG:{escaped};b", f"NOTE:{escaped}"))
    assert isinstance(row, Row)
    assert row.record["employments"][0].get("company_name", "") == text.strip()
    assert facts["employments"][0]["department"] == "b"
