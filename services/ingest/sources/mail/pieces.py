"""What one piece of a signature is: a telephone number, a link, an address, a company, a title."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from services.ingest.sources.mail.wording import KINDS, PhoneKind, wording
from shared.identifiers.domain import normalize_domain
from shared.identifiers.types import Refused

MAX_WORDS: Final = 9
"""Words of a title or of a company's name; what has more is a sentence."""

MAX_PIECE: Final = 100
"""Characters of the same."""

_SPLIT = re.compile(
    r"\s*[|•·∙▪●◆■※｜‖]\s*|\t+|\s{3,}|\s+[–—/~]+\s+|\s*//\s+|\s{2,}(?=\S+@)|\s*\*\s+"
)
_DASH = re.compile(r"\s+-\s+")
_EDGES = " \t,;*_\u200d\ufe0f"
_SYMBOLS = re.compile(r"^[^\w\s(+\"'«“„@#&/<]+\s*(?=\S)")
"""Pictures and marks before a piece: 📞, 🌐, »."""
_NORTH_AMERICAN = re.compile(r"\(?\d{3}\)?[\s.\-]\s?\d{3}[\s.\-]\d{4}")
_NUMBER = re.compile(
    r"(?P<number>(?:\+|00)?\s?(?:\(\+?\d{1,4}\)|\d)[\d\s().\-/\u2010-\u2013\u00a0]{5,24}\d)"
    r"(?P<extension>\s*(?:,?\s?ext\.?|x|anexo|ramal|poste|extension|dw\.?|int\.?)[\s:]*\d{1,6})?"
    r"\s*(?P<behind>\([^()\d]{1,30}\))?",
    re.IGNORECASE,
)
_LABELS = tuple(
    re.compile(rf"(?:[^\W\d_]+[./]?\s?[(/]?\s?){{{count}}}[:：.)\s]*$") for count in (1, 2, 3)
)
"""The last word before a number, the last two, the last three."""
_TRUNK_ZERO = re.compile(r"\(0\)")
_POSTAL = re.compile(
    r"\d{5}-\d{3,4}|\d{4,8}|(?:19|20)\d\d\s?-\s?(?:19|20)\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4}"
)
_DIGIT = re.compile(r"\d")
_ADDRESS_OF_MAIL = re.compile(r"[\w.+\-']+@[\w\-.]+")
_URL = re.compile(
    r"https?://[^\s<>\"|,;)]+|\bwww\.[^\s<>\"|,;)]+|"
    r"(?<![@\w.])(?:[a-z0-9-]+\.)+[a-z]{2,12}(?:/[^\s<>\"|,;)]*)?(?![\w@])",
    re.IGNORECASE,
)
_LABEL_OF_URL = re.compile(
    r"^\W*(?:w|web|www|website|web ?site|internet|site(?: web)?|url|homepage|home ?page|linkedin|"
    r"twitter|github|blog|x|网站|ウェブ|サイト|URL)\s*[:：.]?\s*$",
    re.IGNORECASE,
)
_NO_PAGE = re.compile(
    r"unsubscribe|/(?:maps|dir)/|google\.[a-z.]+/maps|goo\.gl/maps|maps\.app|aka\.ms|play\.google\.com"
    r"|apps\.apple\.com|itunes\.apple\.com|safelinks\.protection|list-manage\.com|calendly\.com",
    re.IGNORECASE,
)
"""Links in signatures that are nobody's page."""


class Number(Struct, frozen=True):
    """A telephone number as it is written."""

    value: str
    kind: PhoneKind | None


def split(line: str) -> list[str]:
    """Return the pieces of a line that stand for themselves."""
    parts = _SPLIT.split(line)
    if _DIGIT.search(line):
        # `Via Roma, 112 - 23900 Lecco` is two pieces, `AVP - Partnerships` is one.
        parts = [piece for part in parts for piece in _DASH.split(part)]
    stripped = (_SYMBOLS.sub("", part.strip(_EDGES)).strip(_EDGES) for part in parts)
    return [piece for piece in stripped if piece]


def numbers(line: str) -> tuple[list[Number], str]:
    """Return the telephone numbers of a line, each with the kind its label says, and the rest."""
    found: list[Number] = []
    rest: list[str] = []
    end = 0
    for match in _NUMBER.finditer(line):
        before = line[end : match.start()]
        value = _TRUNK_ZERO.sub("", match["number"]).strip()
        start, label = _label_of(before)
        kind = label or kind_of(match["behind"] or "")
        alone = not re.sub(r"[\W_]", "", before)
        if not _is_number(value, labelled=bool(kind), alone=alone):
            continue
        rest += [before[:start], " | "]
        end = match.end()
        extension = re.sub(r"\D", "", match["extension"] or "")
        found.append(Number(f"{value} ext. {extension}" if extension else value, kind))
    return found, "".join([*rest, line[end:]])


def _label_of(before: str) -> tuple[int, PhoneKind | None]:
    """Return where the label before a number begins, and what it means."""
    for pattern in _LABELS:
        match = pattern.search(before)
        kind = kind_of(match[0]) if match else None
        if match and kind:
            return match.start(), kind
    return len(before), None


def kind_of(label: str) -> PhoneKind | None:
    """Tell which kind of number a label means; a number of several kinds is the rarer one's."""
    if not label:
        return None
    patterns = wording().phone
    return next((kind for kind in KINDS if patterns[kind].search(label)), None)


def _is_number(value: str, *, labelled: bool, alone: bool) -> bool:
    """Tell a telephone number from postal codes, dates and entries of registers."""
    digits = len(_DIGIT.findall(value))
    if not 7 <= digits <= 15 or (_POSTAL.fullmatch(value) and not labelled):
        return False
    if labelled or value.startswith(("+", "00")):
        return True
    is_national = value.startswith(("0", "(")) and digits >= 9
    return alone and (is_national or bool(_NORTH_AMERICAN.fullmatch(value)))


def links(line: str) -> list[str]:
    """Return the pages that a line names; a bare domain counts where it stands alone."""
    bare = _ADDRESS_OF_MAIL.sub(" ", line)
    found = []
    for match in _URL.finditer(bare):
        url = match[0].rstrip(".")
        explicit = url.lower().startswith(("http://", "https://", "www."))
        before = bare[: match.start()].strip()
        if not explicit and before and not _LABEL_OF_URL.match(before):
            continue
        if is_page(url):
            found.append(url)
    return found


def is_page(url: str) -> bool:
    """Tell whether a link is a page of somebody, and under a domain that exists."""
    text = url if "://" in url else f"https://{url}"
    if (
        not text.lower().startswith(("http://", "https://"))
        or len(text) > 250
        or _NO_PAGE.search(text)
    ):
        return False
    try:
        host = urlsplit(text).hostname or ""
    except ValueError:
        return False
    return not isinstance(normalize_domain(host), Refused)


def is_wordy(piece: str) -> bool:
    """Tell whether a piece can be a title or a company: words, no sentence, no address."""
    return (
        2 <= len(piece) <= MAX_PIECE
        and len(piece.split()) <= MAX_WORDS
        and not _ADDRESS_OF_MAIL.search(piece)
        and not piece.endswith((".com", "?", "!", ":"))
        and any(char.isalpha() for char in piece)
        and not numbers(piece)[0]
    )


def is_title(piece: str) -> bool:
    """Tell whether a piece says what somebody does."""
    return bool(wording().title.search(piece)) and not _DIGIT.search(piece)


def is_department(piece: str) -> bool:
    """Tell whether a piece names a part of a company."""
    return bool(wording().department.search(piece)) and not _DIGIT.search(piece)


def is_role(piece: str) -> bool:
    """Tell whether a piece says what somebody is, or where in a company."""
    return is_title(piece) or is_department(piece)


def has_form(piece: str) -> bool:
    """Tell whether a piece names a company by its legal form: `GmbH`, `Inc.`, `株式会社`.

    Forms are written with capitals, or with a dot: `se` and `as` are words.
    """
    for match in wording().form.finditer(piece):
        form = match[0]
        is_upper = form[0].isupper() or "." in form or "/" in form or not form.isascii()
        alone = form == piece
        if (is_upper or form.casefold() == "gmbh") and not alone:
            return True
    return False


def is_organisation(piece: str) -> bool:
    """Tell whether a piece has a word that organisations have in their names."""
    return bool(wording().organisation.search(piece)) and piece[:1].upper() == piece[:1]


def pairs(piece: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to take a piece for a title and a company: `CTO, Acme`, `CTO at Acme`."""
    for match in re.finditer(r",\s+|\s+(?:at|@|bei|chez|en|bij|hos|w)\s+", piece):
        yield piece[: match.start()].strip(), piece[match.end() :].strip()
