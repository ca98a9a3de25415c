"""A company's name as a source writes it, brought to what tells it from others."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from services.resolver.domain.names.folding import clean_name, fold, repair_lookalikes
from services.resolver.domain.names.tables import read_lines, read_pairs, read_words

MAX_WORDS = 16
"""Words of a company's name that are read."""


@dataclass(frozen=True, slots=True)
class CompanyName:
    """A company's name, folded, abbreviations written out, legal forms apart.

    Empty (`bool(name)` is false) where the source named none.
    """

    words: tuple[str, ...] = ()
    """What is left of the name; never empty where anything was written."""
    legal: tuple[str, ...] = ()
    """Its legal forms: `gmbh`, `sa de cv`."""
    others: tuple[tuple[str, ...], ...] = ()
    """Further names: `doing business as`, formerly, in brackets."""

    def __bool__(self) -> bool:
        """Say whether a company is named."""
        return bool(self.words)

    @property
    def key(self) -> str | None:
        """The name as it is looked up: `The Stripe Co., Ltd.` → `stripe`."""
        kept = tuple(word for word in self.words if word not in _ARTICLES)
        return "_".join(kept or self.words) or None


_ARTICLES = frozenset({"the", "and"})

NO_COMPANY = CompanyName()
"""The company of a record that names none."""


def company_key(text: str | None) -> str | None:
    """Return the one spelling by which a company's name is looked up; None of junk."""
    return parse_company(text).key


def parse_company(text: str | None) -> CompanyName:
    """Read a company's name; never raises."""
    return _parse(text) if text else NO_COMPANY


_ALIAS = re.compile(
    r"\s*(?:\bd\.?/?b\.?/?a\b\.?|\bdoing business as\b|\bt/a\b|\btrading as\b|\ba\.?k\.?a\b\.?"
    r"|\balso known as\b|\bformerly(?: known as)?\b|\bf/?k/?a\b|\bpreviously\b|\bex-)\s*:?\s*",
    re.IGNORECASE,
)
"""Between two names of one company."""

_BRACKETS = re.compile(r"[(\[{](?P<inner>[^)\]}]*)[)\]}]?")
_ADDRESS = re.compile(r"^(?:https?://)?(?:www\.)?|/.*$")
_DOTTED = re.compile(r"\b(?:[^\W\d_]\.\s?){2,}(?:[^\W\d_]\b)?|\b[^\W\d_](?:/[^\W\d_])+\b")
"""Letters with full stops or slashes between: `S.A.`, `A/S`."""

_TOP_LEVEL = re.compile(r"(?<=\w)\.(?:com|net|org|io|ai|co(?:\.uk)?|de|fr|ru)\b", re.IGNORECASE)
"""The end of a domain name that stands for a company's name."""

_ELISION = re.compile(r"\b[ld]'(?=\w{2})", re.IGNORECASE)
"""The article of `L'Air Liquide`."""

_INNER_STOP = re.compile(r"(?<=\w)\.(?=\w)")
"""A full stop within a word: `E.ON`."""

_BETWEEN = re.compile(r"[^\w']+|_+")


@lru_cache(maxsize=8_192)
def _parse(text: str) -> CompanyName:
    cleaned = repair_lookalikes(clean_name(text))
    if fold(cleaned).strip(" .-_?*!") in read_words("placeholders"):
        return NO_COMPANY
    main, *aliases = [part for part in _ALIAS.split(cleaned) if part.strip(" ,()")] or [""]
    asides = [match["inner"] for match in _BRACKETS.finditer(main)]
    words, legal = _read(_BRACKETS.sub(" ", main))
    others = []
    for aside in (*asides, *aliases):
        found, forms = _read(aside.strip("()"))
        legal += forms
        if found and not set(found) <= read_words("places"):
            others.append(found)
    if not words and others:
        words, *others = others
    return CompanyName(words, legal, tuple(others))


def _read(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words of a name and its legal forms."""
    for form in read_lines("native_forms"):
        text = text.replace(form, " ")
    text = _ADDRESS.sub("", text) if "." in text and " " not in text.strip() else text
    joined = _DOTTED.sub(lambda match: re.sub(r"[./\s]", "", match[0]) + " ", text)
    joined = _INNER_STOP.sub("", _TOP_LEVEL.sub(" ", joined))
    joined = _ELISION.sub("", joined)
    folded = fold(joined.replace("&", " and ").replace("+", " and "))
    words = _join_letters([word for word in _BETWEEN.split(folded) if word][:MAX_WORDS])
    core, legal = _cut_forms(words)
    spellings = _spellings()
    if not any(word != "and" for word in core):
        return (), tuple(legal)
    return tuple(spellings.get(word, word) for word in core), tuple(legal)


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


def _cut_forms(words: list[str]) -> tuple[list[str], list[str]]:
    """Cut legal forms from the end and the start of a name, the longest first.

    A place may follow the form: `Siemens AG Austria`.
    """
    forms, leading, places = (
        read_words("legal_forms"),
        read_words("leading_forms"),
        read_words("places"),
    )
    core, legal = list(words), []
    end = len(core)
    while end > 2 and core[end - 1] in places:
        end -= 1
    core, after = core[:end], core[end:]
    while size := next((n for n in range(6, 0, -1) if _ends_with_form(core, n, forms)), 0):
        legal.append(" ".join(core[-size:]))
        core = core[:-size]
        while len(core) > 1 and core[-1] == "and":
            core.pop()
    for n in range(4, 0, -1):
        if len(core) > n and " ".join(core[:n]) in leading:
            legal.append(" ".join(core[:n]))
            core = core[n:]
            break
    return core + after, legal


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
