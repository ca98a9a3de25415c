"""Names in Chinese characters, kana and hangul: read aloud, family and given name told apart."""

import re
from functools import lru_cache
from typing import NamedTuple

from services.resolver.domain.names.folding import fold
from services.resolver.domain.names.tables import read_pairs, read_words


class Reading(NamedTuple):
    """A name read aloud."""

    family: str
    given: str
    is_certain: bool
    """The characters have one usual reading; else the name contradicts no other."""


_HAN = "\u3005\u3400-\u4dbf\u4e00-\u9fff"
_KANA = "\u3040-\u309f\u30a0-\u30fa\u30fc-\u30ff"
_HANGUL = "\uac00-\ud7a3"
_EAST_ASIAN = re.compile(f"[{_HAN}{_KANA}{_HANGUL}]")
_IS_HANGUL = re.compile(f"[{_HANGUL}]{{2,5}}")
_IS_HAN_OR_KANA = re.compile(f"[{_HAN}{_KANA}]{{2,8}}")
_HAS_KANA = re.compile(f"[{_KANA}]")
_HONORIFIC = re.compile(
    "(?:\u5148\u751f|\u5973\u58eb|\u5c0f\u59d0|\u69d8|\u3055\u3093|\uc528|\ub2d8)$"
)
"""Mr, Ms, Miss, -sama, -san, -ssi, -nim."""


_ONE_LETTER = {"i": "yi", "o": "oh", "u": "woo"}
"""Korean family names of one letter in Revised Romanisation: that would be an initial."""


def has_east_asian(text: str) -> bool:
    """Say whether a text has Chinese characters, kana or hangul."""
    return not text.isascii() and _EAST_ASIAN.search(text) is not None


@lru_cache(maxsize=16_384)
def read_east_asian(text: str) -> Reading | None:
    """Read a name written family name first, with or without a space between."""
    words = _HONORIFIC.sub("", text.strip()).split()
    joined = "".join(words)
    if not 1 <= len(words) <= 2:
        return None
    if _IS_HANGUL.fullmatch(joined):
        size = len(words[0]) if len(words) == 2 else _family_size(joined, "korean_compounds")
        family = fold(joined[:size])
        return Reading(_ONE_LETTER.get(family, family), fold(joined[size:]), is_certain=True)
    if not _IS_HAN_OR_KANA.fullmatch(joined):
        return None
    if japanese := _read_japanese(words):
        return japanese
    if _HAS_KANA.search(joined):
        return None
    size = len(words[0]) if len(words) == 2 else _family_size(joined, "compound_surnames")
    if not size < len(joined) <= size + 3:
        return None
    return Reading(fold(joined[:size]), fold(joined[size:]), is_certain=True)


def _family_size(text: str, compounds: str) -> int:
    return 2 if text[:2] in read_words(compounds) and len(text) > 2 else 1


def _read_japanese(words: list[str]) -> Reading | None:
    """Read a name whose family name is a Japanese one; a lone character may be Chinese as well."""
    families, givens = read_pairs("kanji_family"), read_pairs("kanji_given")
    joined = "".join(words)
    sizes = [len(words[0])] if len(words) == 2 else range(min(3, len(joined) - 1), 0, -1)
    for size in sizes:
        family, given = joined[:size], joined[size:]
        if family not in families:
            continue
        if given in givens:
            return Reading(families[family], givens[given], is_certain=len(given) > 1)
        if _HAS_KANA.search(given):
            return Reading(families[family], fold(given), is_certain=given == given.strip(_HAN))
    for size in sizes:
        if size > 1 and joined[:size] in families:
            return Reading(families[joined[:size]], fold(joined[size:]), is_certain=False)
    return None
