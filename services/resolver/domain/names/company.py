"""A company's name as a source writes it, brought to what tells it from others."""

import re
from functools import cache

from services.resolver.domain.names.folding import clean_name, fold, repair_lookalikes
from services.resolver.domain.names.tables import read_lines, read_pairs, read_words

MAX_WORDS = 16
"""Words of a company's name that are read."""


def company_words(text: str) -> tuple[str, ...]:
    """Return the words of a company's name, folded, written out, without its legal forms.

    None where nothing is named; never raises. What stands in brackets, or after `formerly` or
    `doing business as`, counts where nothing else does.
    """
    cleaned = repair_lookalikes(clean_name(text))
    if fold(cleaned).strip(" .-_?*!") in read_words("placeholders"):
        return ()
    main, *aliases = [part for part in _ALIAS.split(cleaned) if part.strip(" ,()")] or [""]
    if words := _read(_BRACKETS.sub(" ", main)):
        return words
    asides = [match["inner"] for match in _BRACKETS.finditer(main)]
    others = (_read(one.strip("()")) for one in (*asides, *aliases))
    return next((words for words in others if not read_words("places").issuperset(words)), ())


_ALIAS = re.compile(
    r"\s*(?:\bd\.?/?b\.?/?a\b\.?|\bdoing business as\b|\bt/a\b|\btrading as\b|\ba\.?k\.?a\b\.?"
    r"|\balso known as\b|\bformerly(?: known as)?\b|\bf/?k/?a\b|\bpreviously\b|\bex-)\s*:?\s*",
    re.IGNORECASE,
)
"""Between two names of one company."""

_BRACKETS = re.compile(r"[(\[{](?P<inner>[^)\]}]*)[)\]}]?")
_ADDRESS = re.compile(r"^(?:https?://)?(?:www\.)?|/.*$", re.IGNORECASE)
_DOTTED = re.compile(r"\b(?:[^\W\d_]\.\s?){2,}(?:[^\W\d_]\b)?|\b[^\W\d_](?:/[^\W\d_])+\b")
"""Letters with full stops or slashes between: `S.A.`, `A/S`."""

_TOP_LEVEL = re.compile(r"(?<=\w)\.(?:com|net|org|io|ai|co(?:\.uk)?|de|fr|ru)\b", re.IGNORECASE)
"""The end of a domain name that stands for a company's name."""

_ELISION = re.compile(r"\b[ld]'(?=\w{2})", re.IGNORECASE)
"""The article of `L'Air Liquide`."""

_INNER_STOP = re.compile(r"(?<=\w)\.(?=\w)")
"""A full stop within a word: `E.ON`."""

_BETWEEN = re.compile(r"[^\w']+|_+")


def _read(text: str) -> tuple[str, ...]:
    """Return the words of one name."""
    for form in read_lines("native_forms"):
        text = text.replace(form, " ")
    text = _ADDRESS.sub("", text) if "." in text and " " not in text.strip() else text
    joined = _DOTTED.sub(lambda match: re.sub(r"[./\s]", "", match[0]) + " ", text)
    joined = _INNER_STOP.sub("", _TOP_LEVEL.sub(" ", joined))
    joined = _ELISION.sub("", joined)
    folded = fold(joined.replace("&", " and ").replace("+", " and "))
    words = _join_letters([word for word in _BETWEEN.split(folded) if word][:MAX_WORDS])
    core = _without_forms(words)
    if all(word == "and" for word in core):
        return ()
    spellings = _spellings()
    return tuple(spellings.get(word, word) for word in core)


def _join_letters(words: list[str]) -> list[str]:
    """Join letters that stand alone side by side: `s a r l` → `sarl`."""
    joined: list[str] = []
    is_letters = False
    for word in words:
        is_letter = len(word) == 1 and word.isalpha()
        if is_letter and is_letters:
            joined[-1] += word
        else:
            joined.append(word)
        is_letters = is_letter
    return joined


def _without_forms(words: list[str]) -> list[str]:
    """Cut legal forms from the end and the start of a name, the longest first.

    A place may follow the form: `Siemens AG Austria`.
    """
    forms, leading, places = (
        read_words("legal_forms"),
        read_words("leading_forms"),
        read_words("places"),
    )
    end = len(words)
    while end > 2 and words[end - 1] in places:
        end -= 1
    core, after = words[:end], words[end:]
    while size := next((n for n in range(6, 0, -1) if _ends_with_form(core, n, forms)), 0):
        core = core[:-size]
        while len(core) > 1 and core[-1] == "and":
            core.pop()
    for n in range(4, 0, -1):
        if len(core) > n and " ".join(core[:n]) in leading:
            core = core[n:]
            break
    return core + after


def _ends_with_form(words: list[str], size: int, forms: frozenset[str]) -> bool:
    return len(words) > size and " ".join(words[-size:]) in forms


@cache
def _spellings() -> dict[str, str]:
    """Map each usual spelling of a word to the word that is kept."""
    return {
        spelling: word
        for word, spellings in read_pairs("company_words").items()
        for spelling in spellings.split()
    }
