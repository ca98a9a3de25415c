"""Whether words can be a name that somebody meant, or are garbled, junk or a company's."""

import re
from functools import lru_cache

from services.resolver.domain.names.given import is_known
from services.resolver.domain.names.tables import read_pairs, read_words

_MIXED_CASE = re.compile(r"^[^\W\d_A-Z]{1,2}[A-Z]|(?:[a-z][A-Z].*){2}")
"""Capitals where no writer puts them: `lORi`, `BeAxD`; but `McDonald`, `DiCaprio`, `LaToya`."""


def is_plausible(words: tuple[str, ...], *, has_vowels: bool) -> bool:
    """Say whether folded words look like a name; initials may stand beside a word of letters.

    Words without vowels, as of Arabic script, cannot be told from garbled ones: they pass.
    """
    if not words or all(len(word) == 1 for word in words):
        return False
    return all(map(is_plausible_word, words)) if has_vowels else all(map(str.isalpha, words))


def is_oddly_written(word: str) -> bool:
    """Say whether the capitals of a word as written are where no writer puts them."""
    return not word[1:].islower() and _MIXED_CASE.search(word) is not None


@lru_cache(maxsize=8_192)
def is_plausible_word(word: str) -> bool:
    """Say whether one folded word may be part of a name: a known one, or one by its letters."""
    if (
        not word.isalpha()
        or word in read_words("placeholders")
        or word in read_words("legal_words")
    ):
        return False
    if word in read_words("known_names") or is_known(word):
        return True
    if len(word) < 3:
        return len(word) == 1 or word in read_words("short_names")
    follows = read_pairs("letters")
    spelled = f"^{word}$"
    return all(
        spelled[place + 2] in follows.get(spelled[place : place + 2], "")
        for place in range(len(word))
    )
