"""Cleaning of names and other one-line text."""

import re
import unicodedata

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u2064\u2066-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff9-\ufffb]"
    "|[\ud800-\udfff]"
)
"""Characters that show nothing, and lone surrogates, which no UTF-8 text can hold.

The zero-width joiners U+200C and U+200D are spelling in Persian and Indic scripts and in emoji:
they are dropped only where `_STRAY_JOINER` says that they join nothing.
"""

_STRAY_JOINER = re.compile("(?<![^\x00-\u024f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\u024f])")
"""A joiner at an edge or beside a Latin character."""

_KANA = re.compile(r"[\u3040-\u30ff]")
_FAMILY_FIRST = re.compile(
    r"[\u30a0-\u30ff]*"
    r"[\u3005\u3007\u3040-\u309f\u3400-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff]"
    r"[\u3005\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff]*"
)
"""Han, kana and Hangul; katakana alone are a name from elsewhere, in its own order."""

_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
"""White space of any script and control characters."""


def clean_text(value: str) -> str:
    """Drop invisible characters, collapse white space, compose accents (NFC).

    Idempotent; never changes case or order, since what is shown is the source's to say.
    """
    if value.isascii():
        if value.isprintable() and "  " not in value:
            return value.strip(" ")
        return _BLANK.sub(" ", value).strip(" ")
    text = _INVISIBLE.sub("", value)
    if "\u200c" in text or "\u200d" in text:
        text = _BLANK.sub(" ", text).strip(" ")
        text = _STRAY_JOINER.sub("", text)
        text = _STRAY_JOINER.sub("", text)
    return _BLANK.sub(" ", unicodedata.normalize("NFC", text)).strip(" ")


def clean_block(value: str) -> str:
    """Clean text of several lines: as `clean_text`, but line breaks stay."""
    lines = (clean_text(line) for line in value.replace("\r\n", "\n").split("\n"))
    return "\n".join(lines).strip("\n")


def full_name(first: str | None, middle: str | None, last: str | None) -> str | None:
    """Join the parts of a name that are there, in the order of the script that they are written in.

    Han, hiragana and Hangul put the family's name first; nothing stands between, but beside kana.

    >>> full_name("Ada", None, "Byron"), full_name("小明", None, "王")
    ('Ada Byron', '王小明')
    >>> full_name("はな", None, "林"), full_name("ジョン", None, "スミス")
    ('林 はな', 'ジョン スミス')
    """
    if first and last and not first.isascii() and _FAMILY_FIRST.fullmatch(first + last):
        between = " " if _KANA.search(first + last) else ""
        return between.join(filter(None, (last, middle, first)))
    return " ".join(filter(None, (first, middle, last))) or None
