"""Whether words can be a name that somebody meant, or are junk, mashed keys or a company."""

import re
from functools import lru_cache

from services.resolver.domain.names.tables import read_words

_MASHED = re.compile(r"(.)\1\1|[bcdfghjklmnpqrstvwxz]{6}|asdf|qwer|zxcv|[^a-z]")
"""What no name has once folded: a letter thrice, six consonants on end, neighbouring keys."""


def is_plausible(words: tuple[str, ...]) -> bool:
    """Say whether folded words look like a name; initials may stand beside a word of letters."""
    if not words or all(len(word) == 1 for word in words):
        return False
    return all(map(is_plausible_word, words))


@lru_cache(maxsize=65_536)
def is_plausible_word(word: str) -> bool:
    """Say whether one folded word may be part of a name."""
    if len(word) == 1:
        return word.isalpha()
    if len(word) > 25 or _MASHED.search(word) or word in read_words("placeholders"):
        return False
    return word not in read_words("legal_words")
