"""Damaged files of every dialect: a reason with its line, the good rows kept, never a traceback."""

import io
import random
import resource
import zipfile
from typing import BinaryIO, Final, cast

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from services.ingest.sources import table, workbook
from services.ingest.sources.encodings import MIXED, sniff_encoding
from services.ingest.sources.sniff import sniff
from shared.errors import PoisonMessageError
from tests.support.tables import FORMATS, RowNote, Taken, repacked, take
from tests.support.tables import workbook as a_workbook
from tests.unit.ingest.test_rejects import rejects_of

TABLES: Final = sorted(path.name for path in FORMATS.glob("*.csv"))
HEAD: Final = "First Name,Last Name,Email,Notes\r\n"
ROWS: Final = [f"P{number},Q{number},p{number}@x.example,n{number}\r\n" for number in range(9)]


def first_names(data: bytes) -> list[str]:
    return [facts["first_name"] for facts in take(data).facts]


@pytest.mark.parametrize("name", TABLES)
def test_a_file_cut_off_anywhere_keeps_its_whole_rows_and_tells_of_the_last(name: str) -> None:
    """At each hundredth: rows before the cut are as they were, the cut one is told."""
    data = (FORMATS / name).read_bytes()
    whole = [orjson.dumps(facts) for facts in take(data).facts]
    for percent in range(101):
        cut = data[: len(data) * percent // 100]
        taken = _with_verdicts(cut)
        if taken is None or taken.tally.rows == 0:
            continue
        facts = [orjson.dumps(one) for one in taken.facts]
        is_told = any(note.field == "" for note in taken.tally.warnings)
        assert set(facts[:-1] if is_told else facts) <= set(whole)


def test_a_quote_never_closed_costs_its_own_line_only() -> None:
    broken = 'Ann,"Never,closed@x.example,n\r\n'
    taken = take((HEAD + "".join(ROWS[:3]) + broken + "".join(ROWS[3:])).encode())
    assert [facts["first_name"] for facts in taken.facts] == [f"P{n}" for n in range(9)]
    assert [(note.line, note.field) for note in taken.tally.rejected] == [(5, "")]
    assert "quote" in taken.tally.rejected[0].reason


def test_a_table_whose_lines_stand_in_quotes_is_read_by_what_is_in_them() -> None:
    """So it is where a spreadsheet that expects another sign saved it; rejects come without."""
    lines = (
        "First Name;Last Name;Email;Notes",
        'Ada;Byron;ada@x.example;"says ""x""; y"',
        ';;nobody;"z;z"',
        "Bob;Bell;bob@x.example;",
    )
    wrapped = "".join('"' + line.replace('"', '""') + '"\r\n' for line in lines).encode()
    plain = "".join(f"{line}\r\n" for line in lines).encode()
    for data in (wrapped, b"\xef\xbb\xbf" + wrapped):
        taken = take(data)
        assert taken.facts == take(plain).facts
        assert [facts["first_name"] for facts in taken.facts] == ["Ada", "Bob"]
        assert [note.line for note in taken.tally.rejected] == [3]
    assert rejects_of(wrapped)[0] == rejects_of(plain)[0]


def test_a_quoted_cell_of_several_lines_is_no_row_of_another_sign() -> None:
    """It was read as one, and failed the whole file."""
    taken = take(f'{HEAD}"Ann;Lee;ann@x.example\r\nn;"\r\n{ROWS[0]}'.encode())
    assert [facts["first_name"] for facts in taken.facts][1:] == ["P0"]
    assert [note.line for note in taken.tally.warnings] == [2]


def test_a_quote_closed_by_another_rows_quote_is_found_out() -> None:
    """The next quoted cell ends the open one: what was swallowed is read again."""
    quoted = 'Bea,Bell,bea@x.example,"a, b"\r\n'
    data = HEAD + 'Ann,"Never,a@x.example,n\r\n' + ROWS[0] + quoted + ROWS[1]
    taken = take(data.encode())
    assert [facts["first_name"] for facts in taken.facts] == ["P0", "Bea", "P1"]
    assert [note.line for note in taken.tally.rejected] == [2]


def test_lines_of_a_note_that_lost_its_quotes_are_no_people() -> None:
    """Behind a broken row only rows with all their cells are trusted, until in step again."""
    data = HEAD + 'Ann,Bell,a@x.example,"one\r\ntwo, three\r\nfour\r\n' + ROWS[0] + ROWS[1]
    taken = take(data.encode())
    assert [facts["first_name"] for facts in taken.facts] == ["Ann", "P0", "P1"]
    assert [note.line for note in taken.tally.rejected] == [3, 4]
    assert "quotes" in taken.tally.warnings[0].reason


def test_quotes_that_are_not_doubled_are_read_where_all_cells_are_there() -> None:
    data = HEAD + 'Ann,"Ann "Bee" Bell",a@x.example,n\r\nBob,"say \\"hi, all\\"",b@x.example,n\r\n'
    taken = take(data.encode())
    assert [facts["last_name"] for facts in taken.facts] == ['Ann Bee" Bell"', 'say "hi, all"']
    assert len(taken.tally.warnings) == 2


def test_a_cell_of_a_hundred_megabytes_is_one_bad_row_in_little_memory() -> None:
    """As one line, and as a quoted cell of many lines; memory stays within 60 MB more."""
    size = 100 << 20
    for filler in (b"x" * 1_000, b"x" * 99 + b"\n"):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        head, tail = f'{HEAD}{ROWS[0]}Ann,"'.encode(), f'"\r\n{ROWS[1]}'.encode()
        file = cast("BinaryIO", _Made(head, filler, size, tail))
        found = sniff(file)
        good = bad = 0
        for row in table.read_table(file, found.encoding, ",", 1):
            good += isinstance(row, table.Cells)
            bad += not isinstance(row, table.Cells)
        assert good == 3
        assert bad >= 1
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 60 << 10


class _Made(io.RawIOBase):
    """A file that is made as it is read: a head, a filler again and again, a tail."""

    def __init__(self, head: bytes, filler: bytes, size: int, tail: bytes) -> None:
        self._parts = (head, filler, tail)
        self._count = size // len(filler)
        self._length = len(head) + self._count * len(filler) + len(tail)
        self._at = 0

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._length)[whence]
        return self._at

    @override
    def tell(self) -> int:
        return self._at

    @override
    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        head, filler, tail = self._parts
        behind = len(head) + self._count * len(filler)
        if self._at < len(head):
            piece = head[self._at :]
        elif self._at < behind:
            into = (self._at - len(head)) % len(filler)
            piece = (filler * (len(buffer) // len(filler) + 2))[into:][: behind - self._at]
        else:
            piece = tail[self._at - behind :]
        piece = piece[: len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def test_a_hundred_thousand_columns_are_refused_with_their_number() -> None:
    columns = ["First Name", "Email", *(f"c{number}" for number in range(100_000))]
    with pytest.raises(PoisonMessageError, match=r"100002 columns.* at most 2000"):
        take((",".join(columns) + "\nAda,a@x.example\n").encode())


def test_a_row_of_a_hundred_thousand_cells_harms_no_neighbour() -> None:
    wide = "Ann" + ",x" * 100_000 + "\r\n"
    wider = "Ann" + ",x" * 20_000 + "\r\n"
    taken = take((HEAD + ROWS[0] + wide + wider + ROWS[1]).encode())
    assert [facts["first_name"] for facts in taken.facts] == ["P0", "P1"]
    assert [note.line for note in taken.tally.rejected] == [3, 4]


@pytest.mark.timeout(30)  # a pattern that backtracks would take hours
@pytest.mark.parametrize("filler", [" ", "a@", "1 ", "<", ":::", "*", "=", "/", ",1 ", "https://"])
def test_no_cell_takes_long_to_read(filler: str) -> None:
    """Cells made to set a pattern against itself, in columns of every kind."""
    header = (
        "Name,Email,Phone,Website,Birthday,Notes,Labels,Address,Company,LinkedIn,Twitter,"
        "Anniversary,Q"
    )
    for column in range(1, 13):
        cells = ["Ada", *[""] * 12]
        cells[column] = '"x' + filler * (60_000 // len(filler)) + 'x"'
        take(f"{header}\n{','.join(cells)}\nBob,b@x.example{',' * 11}\n".encode())


def test_bytes_that_are_no_utf8_cost_no_row() -> None:
    """Two files put together: each line is read as what it is, and the odd ones are told."""
    latin = "Zoë,Müller,z@x.example,n\r\n"
    data = (HEAD + "Ünal,Öz,u@x.example,n\r\n").encode() + latin.encode("cp1252")
    taken = take(data)
    assert [facts["first_name"] for facts in taken.facts] == ["Ünal", "Zoë"]
    assert taken.sniffed.encoding == MIXED
    assert [note.line for note in taken.tally.warnings] == [3]


def test_marks_and_headers_in_the_middle_are_no_people() -> None:
    again = "\ufeff" + HEAD
    taken = take((HEAD + ROWS[0] + again + ROWS[1] + "\ufeff" + ROWS[2]).encode())
    assert [facts["first_name"] for facts in taken.facts] == ["P0", "P1", "P2"]
    assert [(note.line, note.reason[:18]) for note in taken.tally.rejected] == [
        (3, "repeats the header")
    ]


def test_a_nul_is_refused_with_its_column_and_makes_no_utf16_of_a_file() -> None:
    taken = take((HEAD + ROWS[0] + "A\0nn,B,a@x.example,n\r\n" + ROWS[1]).encode())
    assert taken.sniffed.encoding == "utf-8"
    assert [facts["first_name"] for facts in taken.facts] == ["P0", "P1"]
    assert [(note.line, note.field) for note in taken.tally.rejected] == [(3, "First Name")]


def test_columns_of_the_same_name_are_both_kept() -> None:
    data = "Name,Email,Email,Name,,Shoe,Shoe\nAda,a@x.example,b@x.example,Addie,5,38,39\n"
    [facts] = take(data.encode()).facts
    assert facts["emails"] == [{"value": "a@x.example"}, {"value": "b@x.example"}]
    assert facts["custom_fields"] == {
        "Name (2)": "Addie",
        "column 5": "5",
        "Shoe": "38",
        "Shoe (2)": "39",
    }


def test_text_from_right_to_left_and_combining_letters_stay() -> None:
    arabic = "\u0634\u0647\u0627\u0628 \u0627\u0644\u062f\u064a\u0646"
    data = f"Name,Email\n{arabic},s@x.example\nZoe\u0308 \u202eBell,z@x.example\n"
    assert [facts["full_name"] for facts in take(data.encode()).facts] == [
        arabic,
        "Zoë Bell",
    ]


@pytest.mark.parametrize(
    "data",
    [
        "Name,Birth Year,Email\nAda,1815,a@x.example\n",
        "Name,Birthday,Email\nAda,1815,a@x.example\n",
        "Name,Date of Birth,Email\nAda,1815.0,a@x.example\n",
        "Name,Birth Year,Birth Month,Birth Day,Email\nAda,1815,,,a@x.example\n",
        "Name,Geburtsjahr,E-Mail\nAda,1815,a@x.example\n",
    ],
)
def test_a_year_of_birth_alone_is_kept(data: str) -> None:
    taken = take(data.encode())
    assert "birthday" not in taken.facts[0]
    assert taken.facts[0]["custom_fields"] == {"Birth Year": "1815"}
    assert taken.tally.warnings == []


@pytest.mark.parametrize(
    ("cell", "year"),
    [("1975-13-10", "1975"), ("19391341", "1939"), ("1990/02/30", "1990"), ("90-02-30", None)],
)
def test_a_birthday_that_no_calendar_has_tells_its_year(cell: str, year: str | None) -> None:
    taken = take(f"Name,Birthday\nAda Ng,{cell}\n".encode())
    assert "birthday" not in taken.facts[0]
    assert taken.facts[0].get("custom_fields") == ({"Birth Year": year} if year else None)
    assert len(taken.tally.warnings) == 1


@pytest.mark.parametrize("cell", ["0/0/00", "00/00/0000", "0.0.00", "0000-00-00", "0-0-00"])
def test_a_date_that_is_none_is_no_birthday_and_no_fault(cell: str) -> None:
    taken = take(f"Name,Birthday,Email\nAda,{cell},a@x.example\n".encode())
    assert "birthday" not in taken.facts[0]
    assert taken.tally.warnings == []


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "a PNG image"),
        (b"\xff\xd8\xff\xe0" + bytes(64), "a JPEG image"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"+/v8-Name,Email\r\nJ+APY-rg,j@x.example\r\n", "UTF-7; save it as UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "old Excel"),
        (b"\x1f\x8b\x08" + bytes(16), "gzip"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "a web page"),
        (b"\xef\xbb\xbf\r\n<html><head>", "a web page"),
        (b"<?xml version='1.0'?><Workbook/>", "XML"),
        (b'[{"signal": "activity"}]', "JSON"),
        (b"From ada@x.example Mon Jan  1 00:00:00 2024\n", "e-mail"),
        (b"BEGIN:VCALENDAR\r\n", "a calendar"),
        (bytes(range(1, 9)) * 40, "not text"),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_name(data: bytes, says: str) -> None:
    with pytest.raises(PoisonMessageError, match=says):
        take(data)


def a_zip(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


BOOK: Final = a_workbook([["Name", "Email"], ["Ada", "a@x.example"], ["Bob", "b@x.example"]])
SHEET: Final = "xl/worksheets/sheet1.xml"
SHEET_XML: Final = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    b'<row r="1"><c r="A1" t="inlineStr"><is><t>Name</t></is></c></row>'
    b'<row r="2"><c r="A2" t="inlineStr"><is><t>Ada</t></is></c></row>%s</sheetData></worksheet>'
)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (a_zip(**{"contacts.csv": b"Name\n"}), "zip archive"),
        (BOOK[:-40], "damaged"),
        (BOOK[:200], "damaged"),
        (repacked(BOOK, "xl/workbook.xml", b"<nothing/>"), "damaged|header"),
        (repacked(BOOK, SHEET, b"<worksheet><sheetData><row r='1'><c"), "header"),
        (repacked(BOOK, "xl/styles.xml", b" " * (3 << 20)), "unfolds"),
        (repacked(BOOK, SHEET, b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]><worksheet>&a;"), "header"),
    ],
)
def test_a_workbook_that_is_none_or_a_bomb_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(PoisonMessageError, match=says):
        take(data)


def test_a_workbook_is_cut_at_each_hundredth_without_a_traceback() -> None:
    for percent in range(100):
        with pytest.raises(PoisonMessageError):
            take(BOOK[: len(BOOK) * percent // 100])


def test_a_sheet_of_far_rows_wide_rows_and_a_long_text_stays_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A row or column beyond Excel's is passed by, a text of megabytes is told."""
    far = b'<row r="999999999999"><c r="A999999999999"><v>1</v></c></row>'
    assert len(take(repacked(BOOK, SHEET, _named(far))).facts) == 1
    wide = b'<row r="3"><c r="XFD3"><v>1</v></c></row>'
    assert [note.line for note in take(repacked(BOOK, SHEET, _named(wide))).tally.rejected] == [3]
    text = random.Random(2).randbytes(3 << 19).hex().encode()
    long = b'<row r="3"><c r="A3" t="inlineStr"><is><t>%s</t></is></c></row>' % text
    monkeypatch.setattr(workbook, "MAX_RATIO", 10_000)
    taken = take(repacked(BOOK, SHEET, _named(long)))
    assert len(taken.facts) == 1
    assert [note.line for note in taken.tally.rejected] == [3]
    assert "damaged" in taken.tally.rejected[0].reason


def _named(more: bytes) -> bytes:
    """Return a sheet of two columns with one person and more rows."""
    cells = b'<c r="B1" t="inlineStr"><is><t>Email</t></is></c></row><row r="2">'
    return (SHEET_XML % more).replace(b'</row><row r="2">', cells, 1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(TABLES), st.data())
def test_any_damage_gives_a_report_or_a_reason(name: str, data: st.DataObject) -> None:
    """Bytes overwritten, left out or put in anywhere: every row has a verdict, or the file one."""
    content = bytearray((FORMATS / name).read_bytes())
    odd = st.sampled_from(
        [
            b'"',
            b"\0",
            b"\xff",
            b"\xef\xbb\xbf",
            b",",
            b";",
            b"\r",
            b"\n",
            b"\xc3",
            b"'",
            b"=",
            b"\t",
        ]
    )
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content)))
        if data.draw(st.booleans()):
            content[at:at] = data.draw(odd) * data.draw(st.sampled_from([1, 2, 300]))
        else:
            del content[at : at + data.draw(st.integers(1, 200))]
    _with_verdicts(bytes(content))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=600), st.sampled_from([b"", b"Name,Email\n", b"First Name;E-Mail\r\n"]))
def test_any_bytes_give_a_report_or_a_reason(content: bytes, head: bytes) -> None:
    _with_verdicts(head + content)


def _with_verdicts(content: bytes) -> Taken | None:
    """Import a file: None when it was refused with a reason, else every row has a verdict."""
    try:
        taken = take(content)
    except PoisonMessageError as error:
        return None if len(error.detail) > 8 else take(content)
    tally = taken.tally
    assert tally.rows == tally.accepted + tally.refused + tally.blank
    assert len(tally.rejected) == tally.refused
    assert all(note.reason for note in (*tally.rejected, *tally.warnings))
    return taken


@settings(max_examples=60, deadline=None)
@given(
    st.text("äöüßéèçñåøœàôÄÖÜÉ", min_size=12, max_size=60),
    st.sampled_from(["cp1252", "mac_roman", "utf-8", "utf-16-le", "utf-16-be", "utf-8-sig"]),
)
def test_the_encoding_of_latin_letters_is_found(letters: str, encoding: str) -> None:
    names = ",".join(f"B{letter}n" for letter in letters)
    data = f"Name,Email\r\n{names}\r\n".encode(encoding)
    found, _ = sniff_encoding(io.BytesIO(data))
    assert data.decode(found).lstrip("\ufeff") == f"Name,Email\r\n{names}\r\n"


@pytest.mark.parametrize(
    ("target", "longest", "remark"),
    [
        ("photo_url", 1_000, "has more than 1,000 characters; kept as a custom field"),
        ("website[1]", 255, "has more than 255 characters; kept as a custom field"),
        ("labels", 255, "has more than 255 characters; kept as a custom field"),
    ],
)
def test_what_is_too_long_for_its_field_costs_nobody_their_row(
    target: str, longest: int, remark: str
) -> None:
    """It is kept beside the others, and said to be."""
    fits = "https://x.org/".ljust(longest, "a")
    table = f"Name,Email,Pic\nCy,c@b.org,{fits}\nDi,d@b.org,{fits}a\n"
    taken = take(table.encode(), {"Pic": target})
    cy, di = taken.facts
    assert "custom_fields" not in cy
    assert di["custom_fields"] == {"Pic": f"{fits}a"}
    assert taken.tally.warnings == [RowNote(3, "Pic", remark)]


def test_a_profile_may_be_longer_than_a_website() -> None:
    """Campaigns hang their words behind it."""
    profile = f"https://www.linkedin.com/in/ada?trk={'a' * 300}"
    taken = take(f"Name,Website\nAda,{profile}\n".encode(), {"Website": "website[1]"})
    assert (taken.facts[0].get("custom_fields"), taken.tally.warnings) == (None, [])


def test_labels_beyond_the_most_of_them_are_left_out() -> None:
    labels = ";".join(f"l{number}" for number in range(60))
    taken = take(f"Name,Groups\nAda,{labels}\n".encode(), {"Groups": "labels"})
    assert len(taken.facts[0]["labels"]) == 50
    assert [one.field for one in taken.tally.warnings] == ["Groups"]


def test_a_word_that_is_no_seniority_is_said_to_be_left_out() -> None:
    table = b"Name,Job Title,Level\nAda,Engineer,Big Boss\nBob,Engineer,Senior\n"
    taken = take(table, {"Level": "job.seniority"})
    assert [one["employments"] for one in taken.facts] == [
        [{"title": "Engineer"}],
        [{"title": "Engineer", "seniority": "senior"}],
    ]
    [note] = taken.tally.warnings
    assert (note.line, note.field) == (2, "Level")
    assert note.reason.startswith("is no level of seniority; write one of owner, founder, cxo")
