"""One field of a name in words: what names, what is title, nickname or junk."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.resolver.domain.names.affixes import join_servants, sort_out
from services.resolver.domain.names.folding import (
    MAX_LENGTH,
    Script,
    clean_name,
    fold,
    repair_lookalikes,
    script_of,
)
from services.resolver.domain.names.plausibility import is_oddly_written
from services.resolver.domain.names.tables import read_pairs, read_words

MAX_WORDS = 8
"""Words that are read of a field, and of the given or family names; the rest is no name."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one field, sorted out."""

    words: tuple[str, ...] = ()
    """Folded words that name somebody, particles among them."""
    honorifics: tuple[str, ...] = ()
    nicknames: tuple[str, ...] = ()
    former: tuple[str, ...] = ()
    generation: int | None = None
    script: Script = "none"
    is_clean: bool = True
    """Nothing in it that no name has: digits, addresses, look-alike letters."""
    capitals_first: int = 0
    """How many words at the start are in capitals, of a name that is not all in capitals."""
    capitals_last: int = 0
    """The same at the end: `Jean DUPONT`."""


_MAX_AFFIXES = 6
"""Titles and letters that may stand beside the words of a name."""

_ASIDE = re.compile(
    '["\u201c\u201d\u201e\u00ab\u00bb](?P<double>[^"\u201c\u201d\u201e\u00ab\u00bb]{1,40})'
    '["\u201c\u201d\u201e\u00ab\u00bb]'
    r"|(?<!\w)'(?P<single>[^']{1,20})'(?!\w)"
    r"|[(\[{](?P<bracketed>[^)\]}]{0,60})[)\]}]?"
)
"""A nickname in quotes, or a remark in brackets."""

_FORMER = re.compile(
    r"\b(?:n\u00e9e|nee|n\u00e9|geb\.?|geboren[er]*|born|formerly|urozen\u00e1|roz\.|z domu|ur\.)"
    r"\s+(?P<name>[^\W\d_][\w'-]*)",
    re.IGNORECASE,
)
"""The family name at birth."""

_ADDRESS = re.compile(r"(?P<local>[^\s@<>()]+)@[^\s@<>()]+\.[^\s@<>()]+")
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
_DOTTED = re.compile(r"(?:[^\W\d_]\.){2,}[^\W\d_]?\.?")
_BETWEEN = re.compile(r"[^\w']+|_+")
_NUMBER = re.compile(r"\d\d|\d$")
"""Digits that stand for no letters: several together, or at the end."""

_DIGITS = str.maketrans("01345", "oieas")
"""Digits that are typed or read for a letter."""


def split_words(text: str, *, is_suffix: bool = False) -> Words:
    """Sort out the words of a field; `is_suffix` says that no word of it need name anybody."""
    if not text:
        return Words()
    if not is_suffix and text.isascii() and text.isalpha() and len(text) <= MAX_LENGTH:
        return _one_word(text)
    cleaned = clean_name(text)
    if fold(cleaned).strip(" .-_?*!") in _NOT_NAMES:
        return Words()
    if address := _ADDRESS.search(cleaned):
        cleaned, is_clean = re.sub(r"\d+$|\+.*", "", address["local"]), False
    elif _LINK.search(cleaned) or sum(map(str.isdigit, cleaned)) * 2 > len(cleaned):
        return Words(is_clean=False)
    else:
        is_clean = True
    rest, former, nicknames = _take_asides(repair_lookalikes(cleaned))
    written = _written_words(rest)
    lettered = [word for word in map(_letters_for_digits, written) if word]
    named, honorifics, generation = sort_out(lettered, is_suffix=is_suffix)
    return Words(
        words=join_servants([word for word in map(fold, named) if word][:MAX_WORDS]),
        honorifics=honorifics,
        nicknames=nicknames,
        former=former,
        generation=generation,
        script=script_of(rest),
        is_clean=is_clean
        and lettered == written
        and repair_lookalikes(cleaned) == cleaned
        and not any(map(is_oddly_written, named)),
        capitals_first=_count_capitals(named),
        capitals_last=_count_capitals(named[::-1]),
    )


_NOT_NAMES = read_words("placeholders") | {""}


def _one_word(text: str) -> Words:
    """Read a field of one word in plain letters, as most are: nothing in it is to be sorted out."""
    word = fold(text)
    if word in _NOT_NAMES:
        return Words()
    return Words(words=(word,), script="latin", is_clean=not is_oddly_written(text))


def _take_asides(text: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Take the family name at birth, and nicknames, out of a text."""
    if text.replace(" ", "").isalpha():
        former = _FORMER.search(text) if " " in text else None
        if former is None:
            return text, (), ()
    nicknames: list[str] = []

    def set_aside(match: "re.Match[str]") -> str:
        inner = match["double"] or match["single"] or match["bracketed"] or ""
        words = [fold(word) for word in _written_words(inner)]
        if len(words) <= 2:
            nicknames.extend(word for word in words if len(word) > 1 and word not in _REMARKS)
        return " "

    born = _FORMER.search(text)
    if born:
        text = text.replace(born[0], " ")
    rest = _ASIDE.sub(set_aside, text)
    return rest, (fold(born["name"]),) if born else (), tuple(nicknames)


_CREDENTIALS = read_words("credentials")
_REMARKS = read_words("honorifics") | _CREDENTIALS | read_words("placeholders")
_AFFIXES = read_words("honorifics") | _CREDENTIALS | read_pairs("generations").keys()


def _written_words(text: str) -> list[str]:
    """Split at what no word has inside; `J.R.R.` is three initials, `Ph.D.` one word."""
    words: list[str] = []
    for chunk in text.split()[: MAX_WORDS + _MAX_AFFIXES]:
        joined = chunk.replace(".", "")
        if joined != chunk and fold(joined) in _AFFIXES:
            words.append(joined)
        elif _DOTTED.fullmatch(chunk):
            words += joined
        else:
            words += _BETWEEN.split(chunk)
    return [word for word in words if word.strip("'")][: MAX_WORDS + _MAX_AFFIXES]


def _letters_for_digits(word: str) -> str:
    """Read `J0hn` as John, and drop words that are mostly digits.

    Digits that stand for no letter are a number, which tells people apart: `Person7x42`.
    """
    digits = 0 if word.isalpha() else sum(map(str.isdigit, word))
    if digits * 2 >= len(word):
        return ""
    letters = word.translate(_DIGITS) if digits and not _NUMBER.search(word) else word
    return word if any(map(str.isdigit, letters)) else letters


def _count_capitals(words: Sequence[str]) -> int:
    """Count the words in capitals before the first that is not; 0 when all are, or none."""
    for count, word in enumerate(words):
        if len(word) < 3 or not word.isupper():
            return count
    return 0
