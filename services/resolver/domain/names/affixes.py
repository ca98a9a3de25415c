"""What stands before and after a name and is no part of it: titles, letters, Jr and Sr."""

from services.resolver.domain.names.folding import fold
from services.resolver.domain.names.tables import read_pairs, read_words

_TITLES = read_words("honorifics")
_LETTERS = read_words("credentials")
_AFTER = _TITLES | _LETTERS
_GENERATIONS = {word: int(number) for word, number in read_pairs("generations").items()}


def sort_out(
    written: list[str], *, is_suffix: bool
) -> tuple[list[str], tuple[str, ...], int | None]:
    """Take titles from the front and letters from the back of a name's words, as written.

    Return the words that name, the titles and letters, and the generation. Where `is_suffix`,
    nothing need be left that names anybody.
    """
    words = list(written)
    taken: list[str] = []
    generation: int | None = None
    is_mixed = any(not word.isupper() for word in words)
    while len(words) > 1 and fold(words[0]) in _TITLES:
        taken.append(fold(words.pop(0)))
    while len(words) > (0 if is_suffix else 1):
        last = fold(words[-1])
        if last in _GENERATIONS:
            generation = _GENERATIONS[last]
        elif last in (_AFTER if is_suffix else _LETTERS) and (
            is_suffix or (len(words) > 2 and is_mixed and _has_capitals(words[-1]))
        ):
            taken.append(last)
        else:
            break
        words.pop()
    return words, tuple(taken), generation


def _has_capitals(word: str) -> bool:
    return sum(map(str.isupper, word)) > 1


_SERVANTS = frozenset({"abd", "abdul", "abdel", "abdal", "abdur", "abdus"})
_ARTICLES = frozenset({"al", "el", "ul", "ur", "us", "ar", "er"})


def join_servants(words: list[str]) -> tuple[str, ...]:
    """Join the Arabic `Abd al-Rahman`, servant of the Merciful, to the one name that it is."""
    for place, word in enumerate(words[:-1]):
        if word not in _SERVANTS:
            continue
        end = place + 2 if word == "abd" and words[place + 1] in _ARTICLES else place + 1
        if end < len(words) and len(words) - end + place >= 1 + (end == place + 1):
            return (*words[:place], "abdul" + words[end], *words[end + 1 :])
    return tuple(words)
