"""What a file is that is no address book, so that a wrong one is refused by its right name."""

import re
from typing import Final

JSON: Final = "JSON"
XML: Final = "XML"
LDIF_TEXT: Final = "LDIF"

_MAGIC: Final = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"RIFF", "a media file"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive; unpack it"),
    (b"BZh", "a bzip2 archive; unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"\xfd7zXZ", "an xz archive; unpack it"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; unpack it"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls), or one with a password; save it as .xlsx"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"{\\rtf", "an RTF document"),
    (b"bplist00", "a property list, as Apple's archives hold; export the contacts as vCard"),
    (b"!BDN", "an Outlook data file (.pst); export its contacts as CSV"),
    *((b"+/v" + last, "text in UTF-7; save it as UTF-8") for last in (b"8", b"9", b"+", b"/")),
    (b"BEGIN:VCALENDAR", "a calendar; import it with `kith activities`"),
)
"""How files of other formats begin → what they are."""

_TEXTS: Final = (
    (
        re.compile(r"<(?:!doctype\s+html|html|head|body|script)\b", re.IGNORECASE),
        "a web page (HTML)",
    ),
    (
        re.compile(r"<(?:[?!][^<]*<){0,16}(?:smses|calls)[\s/>]"),
        "a backup of calls or messages; import it with `kith activities`",
    ),
    (re.compile(r"<\?xml|<\w+[\s>]"), XML),
    (re.compile(r'\s*(?:[\w$]+(?:\.[\w$]+)+\s*=)?\s*[{\[]\s*(?:["{\[}\]]|$)'), JSON),
    (
        re.compile(
            r"(?:(?:version:[ \t]*1[ \t]*|#[^\r\n]*)[\r\n]\s*){0,20}dn::?[ \t]*\S", re.IGNORECASE
        ),
        LDIF_TEXT,
    ),
    (re.compile(r"From \S+@\S+ |(?:Received|Return-Path|Delivered-To): "), "e-mail"),
)
"""How text begins that is no table → what it is."""

_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1f]")


def kind_of_bytes(head: bytes) -> str | None:
    """Name a file by its first bytes, if it is known for no table and no cards."""
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)


def kind_of_text(head: str) -> str | None:
    """Name a text by how it begins, if it is known for no table and no cards."""
    begin = head.lstrip("\ufeff \t\r\n")[:2_048]
    for form, kind in _TEXTS:
        if form.match(begin):
            return kind
    return "not text" if len(_CONTROL.findall(begin)) * 20 > len(begin) else None
