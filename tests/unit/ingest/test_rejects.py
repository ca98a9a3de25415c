"""Rejected rows in the layout of their file: every other row left behind, nothing lost of these."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.sources.reading import SOURCES, Terms
from services.ingest.sources.rejected_tables import Reject
from services.ingest.sources.rejects import media_of, write_rejects
from services.ingest.sources.sniff import sniff
from services.ingest.sources.staging import stage
from services.ingest.sources.workbook import read_texts
from tests.support.ingest import ORIGIN, RULES
from tests.support.tables import take, workbook


def rejects_of(data: bytes) -> tuple[bytes, str]:
    """Take a file, and return its rejects with their media type."""
    file = io.BytesIO(data)
    sniffed = sniff(file)
    rows = list(stage(file, sniffed, Terms(ORIGIN, SOURCES[sniffed.layout], 1_000), RULES))
    ends = [row.line for row in rows[1:]] + [None]
    rejects = [
        Reject(row.line, end, row.reason, row.number)
        for row, end in zip(rows, ends, strict=True)
        if row.row_class == "rejected"
    ]
    out = io.BytesIO()
    write_rejects(file, sniffed, rejects, out)
    return out.getvalue(), media_of(sniffed)[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_rows_of_several_lines_come_back_whole(encoding: str) -> None:
    text = (
        'note\nName;E-Mail;Notes\nZoë;z@x.example;"gut\nso"\n'
        ';nobody;"zwei\nZeilen ""hier"""\nÄnne;a@x.example;\n'
    )
    found, media = rejects_of(text.encode(encoding))
    assert media == "text/csv; charset=utf-8"
    lines = found.decode("utf-8-sig").splitlines()
    assert lines[0] == "kith reason;Name;E-Mail;Notes"
    assert lines[1].endswith(';;nobody;"zwei')
    assert lines[2:] == ['Zeilen ""hier"""']
    corrected = found.replace(b";nobody;", b"Bo;b@x.example;")
    assert [facts["notes"] for facts in take(corrected).facts] == ['zwei\nZeilen "hier"']


def test_a_reason_is_never_a_formula() -> None:
    data = b"Name,Email\n,x\n"
    sniffed = sniff(io.BytesIO(data))
    out = io.BytesIO()
    write_rejects(io.BytesIO(data), sniffed, [Reject(2, None, '=HYPERLINK("x")')], out)
    assert b"'=HYPERLINK" in out.getvalue()


def test_cards_say_what_is_wrong_with_them() -> None:
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{}\r\n{}END:VCARD\r\n"
    data = card.format("Ada", "") + card.format("Engines", "KIND:org\r\n") + card.format("Bo", "")
    found, media = rejects_of(data.encode())
    assert media == "text/vcard; charset=utf-8"
    lines = found.decode().splitlines()
    assert lines[0] == "BEGIN:VCARD"
    assert lines[1].startswith("X-KITH-REASON:is a company's card")
    assert lines[2:] == ["VERSION:3.0", "FN:Engines", "KIND:org", "END:VCARD"]
    corrected = found.replace(b"KIND:org\r\n", b"")
    assert [facts["full_name"] for facts in take(corrected).facts] == ["Engines"]
    assert "custom_fields" not in take(corrected).facts[0]


def again(data: bytes, reason: str, number: int = 1) -> bytes:
    """Return a file's rejects where only one row is rejected, by its number."""
    file = io.BytesIO(data)
    sniffed = sniff(file)
    rows = list(stage(file, sniffed, Terms(ORIGIN, SOURCES[sniffed.layout], 1_000), RULES))
    end = rows[number].line if number < len(rows) else None
    out = io.BytesIO()
    write_rejects(file, sniffed, [Reject(rows[number - 1].line, end, reason, number)], out)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"Name,Email\nAda,nobody\n",
        b'Name,Email,Notes\nAda,nobody,"two\nlines, ""here"""\n',
        b"Name|Email|Notes\r\nAda|nobody|x",
        b"Name\tEmail\tNotes\nAda\tnobody\tx\n",
        b"Name;Email;Notes\nAda,nobody,x\n",
        b'"Name,Email"\n"Ada,nobody"\n',
        b'"Name","First\nEmail","Email"\nAda,,nobody\n',
        b'[{"Name":"Bob","Email":"x"}]',
        b'[["vcard",[["version",{},"text","4.0"],["fn",{},"text","Ada"]]]]',
        b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada\r\nEND:VCARD\r\n",
        b"dn: cn=Ada\r\nobjectClass: person\r\ncn: Ada\r\nmail: a@x.example\r\n",
    ],
)
def test_what_is_rejected_again_has_the_last_reason_alone(data: bytes) -> None:
    first = again(data, 'old: "quoted", of\ntwo lines; and; more\t|\r')
    second = again(first, "new")
    assert b"old" in first
    assert b"old" not in second
    assert second == again(data, "new")
    assert again(second, "new") == second


def test_rows_of_a_sheet_that_are_rejected_again_have_one_column_of_reasons() -> None:
    book = workbook([["Name", "Email"], ["Ada", "nobody"]])
    found = again(again(book, "=old"), "=new")
    sheet = sniff(io.BytesIO(found)).sheet
    assert [texts for _, texts in read_texts(io.BytesIO(found), sheet)] == [
        ["kith reason", "Name", "Email"],
        ["'=new", "Ada", "nobody"],
    ]


def test_a_second_column_of_reasons_is_nobodys_field() -> None:
    data = b"kith reason,kith reason,Name,Email\nnew,old,Ada,a@x.example\n"
    assert "custom_fields" not in take(data).facts[0]


@given(st.lists(st.sampled_from(["Ada,a@x.example", ",nobody", '"Bob,b@x.example', "", "C,d,e,f"])))
def test_whatever_was_rejected_comes_back_and_nothing_else(rows: list[str]) -> None:
    data = "\n".join(["Name,Email", "Ada,a@x.example", *rows, ""]).encode()
    found, _ = rejects_of(data)
    body = found.decode("utf-8-sig").splitlines()[1:]
    kept = [line for line in body if line]
    assert len(kept) >= sum(row in (",nobody", "C,d,e,f") for row in rows)
    assert not any(line == "Ada,a@x.example" for line in kept)
