"""Folding of written words to plain lower-case Latin letters, whatever their script."""

import re
import unicodedata
from functools import lru_cache
from typing import Literal

from anyascii import anyascii

from services.resolver.domain.names.tables import read_pairs
from shared.identifiers.names import clean_text

Script = Literal[
    "latin", "cyrillic", "greek", "arabic", "hebrew", "han", "kana", "hangul", "other", "none"
]
"""The script that most letters of a name are in; `none` has no letters."""

WRITES_VOWELS: frozenset[Script] = frozenset({"latin", "cyrillic", "greek", "kana"})
"""Scripts whose transliteration can be read aloud: the others write no vowels, or lose them."""

MAX_LENGTH = 200
"""Characters of a name that are read; the rest is cut, so that the time is bounded."""

_SCRIPTS: tuple[tuple[int, int, Script], ...] = (
    (0x0041, 0x024F, "latin"),
    (0x0370, 0x03FF, "greek"),
    (0x0400, 0x052F, "cyrillic"),
    (0x0590, 0x05FF, "hebrew"),
    (0x0600, 0x077F, "arabic"),
    (0x08A0, 0x08FF, "arabic"),
    (0x1100, 0x11FF, "hangul"),
    (0x1E00, 0x1EFF, "latin"),
    (0x1F00, 0x1FFF, "greek"),
    (0x3040, 0x30FF, "kana"),
    (0x3400, 0x9FFF, "han"),
    (0xAC00, 0xD7AF, "hangul"),
    (0xFB50, 0xFDFF, "arabic"),
    (0xFE70, 0xFEFE, "arabic"),
    (0x20000, 0x323AF, "han"),
)
"""First and last code point of the blocks that names use (Unicode 15, Blocks.txt)."""

_APOSTROPHES = re.compile(r"[\u2018\u2019\u201b\u02bb\u02bc\u02b9\u00b4\u2032\uff07]")
"""What stands within a name as an apostrophe, modifier letters included."""

_GREEK = re.compile("[\u0370-\u03ff]")
_GREEK_ACCENTED_Y = re.compile("\u03cd")
_GREEK_SOUNDS = {
    "\u03bf\u03c5": "u",  # omicron upsilon
    "\u03bc\u03c0": "b",  # mu pi
    "\u03b3\u03ba": "g",  # gamma kappa
    "\u03b5\u03c5": "ev",  # epsilon upsilon
}
"""Two Greek letters that are one sound: a letter at a time would be read wrong."""

_GREEK_DIGRAPH = re.compile("|".join(_GREEK_SOUNDS))


def clean_name(text: str) -> str:
    """Clean a name for reading: bounded, full-width letters and ligatures plain, accents kept."""
    if text.isascii():
        return clean_text(text[:MAX_LENGTH])
    plain = unicodedata.normalize("NFKC", _APOSTROPHES.sub("'", text[:MAX_LENGTH]))
    return clean_text(plain)


def script_of(text: str) -> Script:
    """Tell which script most letters of a text are in."""
    if text.isascii():
        return "latin" if any(map(str.isalpha, text)) else "none"
    counts: dict[Script, int] = {}
    for character in text:
        if character.isalpha():
            script = _script_of_letter(ord(character))
            counts[script] = counts.get(script, 0) + 1
    return max(counts, key=counts.__getitem__) if counts else "none"


@lru_cache(maxsize=4096)
def _script_of_letter(point: int) -> Script:
    for first, last, script in _SCRIPTS:
        if first <= point <= last:
            return script
    return "other"


def repair_lookalikes(text: str) -> str:
    """Write Latin letters for the Cyrillic and Greek ones that look like them, in mixed words.

    A word wholly in one script is left alone: it is a name; `John` with a Cyrillic o is a mistake
    or a trick.
    """
    if text.isascii():
        return text
    return " ".join(map(_repair_word, text.split(" ")))


def _repair_word(word: str) -> str:
    scripts = {_script_of_letter(ord(letter)) for letter in word if letter.isalpha()}
    if "latin" not in scripts or not scripts & {"cyrillic", "greek"}:
        return word
    lookalikes = read_pairs("lookalikes")
    return "".join(lookalikes.get(letter, letter) for letter in word)


@lru_cache(maxsize=8_192)
def fold(text: str) -> str:
    """Fold text to lower-case ASCII: `Jürgen` → `jurgen`, `O'Brien` → `obrien`."""
    if not text.isascii():
        text = _APOSTROPHES.sub("", text)
        if _GREEK.search(text):
            text = _GREEK_DIGRAPH.sub(_spell_digraph, _GREEK_ACCENTED_Y.sub("\u03c5", text.lower()))
        text = anyascii(text)
    return text.replace("'", "").replace("`", "").lower()


def _spell_digraph(match: "re.Match[str]") -> str:
    return _GREEK_SOUNDS[match[0]]
