"""vCard's lines: folds, soft breaks and line ends undone, wherever the file is cut into blocks."""

import binascii
import io
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.sources.vcard_lines import MAX_LINE, Line, read_lines
from services.ingest.sources.vcard_property import Property, items_of, parts_of, read_properties


class Dripping:
    """A file that gives out a few bytes at a time."""

    def __init__(self, data: bytes, drop: int) -> None:
        self.file = io.BytesIO(data)
        self.drop = drop

    def seek(self, offset: int) -> None:
        self.file.seek(offset)

    def read(self, size: int) -> bytes:
        return self.file.read(min(size, self.drop))


def lines_of(data: bytes, drop: int = 1 << 20) -> list[Line]:
    return list(read_lines(cast("BinaryIO", Dripping(data, drop)), "utf-8"))


def values_of(data: bytes, encoding: str = "utf-8") -> list[str]:
    found = read_properties(io.BytesIO(data), encoding)
    return [one.value for one in found if isinstance(one, Property)]


@given(
    st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=200),
    st.sampled_from([b"\r\n ", b"\n ", b"\r\n\t", b"\n\t"]),
    st.integers(1, 80),
    st.integers(1, 300),
)
def test_folds_may_be_anywhere_even_in_a_character(
    text: str, fold: bytes, width: int, drop: int
) -> None:
    raw = text.encode()
    folded = fold.join(raw[at : at + width] for at in range(0, len(raw), width))
    lines = lines_of(b"FN:A\r\nNOTE:" + folded + b"\r\nEND:VCARD\r\n", drop)
    assert [line.raw for line in lines] == [b"FN:A", b"NOTE:" + raw, b"END:VCARD"]


@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=100),
    st.integers(10, 76),
    st.sampled_from(["utf-8", "cp1251"]),
)
def test_quoted_printable_is_read_back(text: str, width: int, charset: str) -> None:
    raw = text.encode(charset, "ignore")
    quoted = "".join(f"={byte:02X}" for byte in raw)
    width -= width % 3
    broken = "=\r\n".join(quoted[at : at + width] for at in range(0, len(quoted), width))
    data = f"NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET={charset}:{broken}\r\nFN:A\r\n".encode()
    assert values_of(data) == [raw.decode(charset).replace("\0", ""), "A"]


@given(st.integers(1, 9), st.sampled_from([b"\n", b"\r\n", b"\r", b"\r\r\n"]))
def test_line_ends_of_all_kinds(drop: int, end: bytes) -> None:
    data = end.join([b"BEGIN:VCARD", b"FN:A", b" B", b"", b"TEL:1", b"END:VCARD", b""])
    found = [line.raw for line in lines_of(data, drop) if line.raw]
    assert found == [b"BEGIN:VCARD", b"FN:AB", b"TEL:1", b"END:VCARD"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_know_where_they_begin(end: bytes) -> None:
    data = end.join([b"A:1", b" 2", b"", b"B:=", b"C;ENCODING=QUOTED-PRINTABLE:=", b"x", b"D:4"])
    found = [(line.number, line.raw) for line in lines_of(data) if line.raw]
    assert found == [
        (1, b"A:12"),
        (4, b"B:="),
        (5, b"C;ENCODING=QUOTED-PRINTABLE:x"),
        (7, b"D:4"),
    ]


def test_a_soft_break_never_joins_the_end_of_a_card() -> None:
    data = b"NOTE;QUOTED-PRINTABLE:a=0D=0A=\r\nEND:VCARD\r\n"
    assert [line.raw for line in lines_of(data)] == data.split(b"\r\n")[:-1]


@given(st.integers(1, 5), st.integers(1_000, 100_000))
def test_a_long_line_is_cut_and_its_size_told(times: int, drop: int) -> None:
    value = b"x" * (MAX_LINE * times)
    [first, second] = lines_of(b"NOTE:" + value + b"\nFN:A\n", drop)
    assert (len(first.raw), first.size) == (MAX_LINE, len(value) + 5)
    assert second == Line(2, b"FN:A", 4, ended=True)


def test_the_last_line_says_whether_it_ended() -> None:
    assert [line.ended for line in lines_of(b"A:1\nB:2")] == [True, False]
    assert [line.ended for line in lines_of(b"A:1\nB:2\n")] == [True, True]


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"FN:na\xc3\xafve", "naïve"),
        (b"FN:na\xefve", "naïve"),
        (b"FN;CHARSET=ISO-8859-1:na\xefve \x80", "naïve €"),
        (b"FN;CHARSET=Shift_JIS:\x8eR\x93c", "山田"),
        (b"FN;CHARSET=GB2312:\xd5\xc5\xc8\xfd", "张三"),
        (b"FN;CHARSET=KOI8-R;ENCODING=QUOTED-PRINTABLE:=E1=C4=C1", "Ада"),
        (b"FN;CHARSET=UTF-7:J+APY-rg M+APw-ller", "Jörg Müller"),
        (b"FN;CHARSET=UTF-7:Ada +2AA- Byron", "Ada ? Byron"),
        (b"FN;CHARSET=rot13:Ada", "Ada"),
        (b"FN;CHARSET=unicode_escape:\\u0041", "\\u0041"),
        (b"FN;CHARSET=idna:xn--a", "xn--a"),
        (b"FN;CHARSET=\xff\xfe:Ada", "Ada"),
        (b"FN;ENCODING=BASE64:" + binascii.b2a_base64("Ädä".encode()), "Ädä"),
        (b"FN;ENCODING=b:%%%", ""),
        (b"FN:A\0d\0a", "Ada"),
        (b'FN;X="a:b;c":Ada', "Ada"),
        (b'FN;X="a:Ada', "Ada"),
        (b"FN ; X = y : Ada", " Ada"),
    ],
)
def test_values_in_the_codes_that_they_declare_or_not(data: bytes, value: str) -> None:
    assert values_of(data) == [value]


def test_a_file_in_an_older_code_is_read_in_it() -> None:
    assert values_of("FN:Ада".encode("cp1251"), "cp1251") == ["Ада"]


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("", [""]),
        ("a;b", ["a", "b"]),
        ("a\\;b;c\\,d", ["a;b", "c,d"]),
        ("a\\\\;b", ["a\\", "b"]),
        ("a\\", ["a\\"]),
        (";;\\n;", ["", "", "", ""]),
    ],
)
def test_structured_values_are_split_at_their_own_semicolons(value: str, parts: list[str]) -> None:
    assert parts_of(value) == parts


def test_lists_are_split_at_their_own_commas() -> None:
    assert items_of("a\\,b,, c ,\\;") == ["a,b", "c", ";"]


def test_text_in_base64_is_no_picture_however_long() -> None:
    note = "née Byron " * 900
    data = b"item1.NOTE;ENCODING=b:" + binascii.b2a_base64(note.encode(), newline=False)
    folded = b"\r\n ".join(data[at : at + 75] for at in range(0, len(data), 75))
    assert values_of(folded + b"\r\nFN:A\r\n") == [note, "A"]
