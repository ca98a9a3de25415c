"""Postal addresses of signatures: a postal code and its town, the street before it."""

import re
from collections.abc import Sequence
from typing import Final

from services.ingest.sources.mail.wording import wording

_TOWN = r"[^\W\d_][^\d,;|()@:]{1,40}?"

_CITY: Final = rf"(?P<city>{_TOWN})"
_END: Final = r"(?=$|[,;|()]|\.\s|\.$|\s-\s)"
_CLOSE: Final = r"(?=\W|$)"
_STATE_IN_FULL: Final = r"(?P<state>[A-Z][a-z]+(?: [A-Z][a-z]+)?)"
_STATE_OF_AUSTRALIA: Final = r"(?P<state>NSW|VIC|QLD|TAS|ACT|WA|SA|NT)"
_ZIP: Final = rf"(?P<postal_code>\d{{5}}(?:-\d{{4}})?){_CLOSE}"

_FORMS: Final = tuple(
    re.compile(form)
    for form in (
        # Japan: 〒100-0005 東京都…
        r"〒?\s?(?P<postal_code>\d{3}-\d{4})\s*(?P<street>[^\x00-\x7f].{2,80})$",
        # United States: New York, NY 10017
        rf"{_CITY},?\s+(?P<state>[A-Z]{{2}}),?\s+{_ZIP}",
        # The same with the state in full: Kansas City, Missouri 64105
        rf"{_CITY},\s+{_STATE_IN_FULL}\s+{_ZIP}",
        # Canada: Toronto, ON  M5V 2T6
        rf"{_CITY},?\s+(?P<state>[A-Z]{{2}}),?\s+(?P<postal_code>[A-Z]\d[A-Z]\s?\d[A-Z]\d){_CLOSE}",
        # Australia: Melbourne VIC 3000
        rf"{_CITY},?\s+{_STATE_OF_AUSTRALIA},?\s+(?P<postal_code>\d{{4}}){_CLOSE}",
        # Brazil: São Paulo - SP, 01310-200
        rf"{_CITY}\s*[-/,]\s*(?P<state>[A-Z]{{2}})\s*[-,]?\s*(?P<postal_code>\d{{5}}-\d{{3}}){_CLOSE}",
        # United Kingdom: London EC2A 4NE
        rf"{_CITY},?\s+(?P<postal_code>[A-Z]{{1,2}}\d[A-Z\d]?\s\d[A-Z]{{2}}){_CLOSE}",
        # Netherlands: 1016 EA Amsterdam
        rf"(?<![\w+])(?P<postal_code>\d{{4}}\s?[A-Z]{{2}})\s+{_CITY}{_END}",
        # Poland, Portugal: 31-147 Kraków, 1250-096 Lisboa
        rf"(?<![\w+])(?P<postal_code>\d{{2}}-\d{{3}}|\d{{4}}-\d{{3}})\s+{_CITY}{_END}",
        # Sweden, Czechia, Greece: 114 51 Stockholm
        rf"(?<![\w+])(?:[A-Z]{{1,3}}-)?(?P<postal_code>\d{{3}}\s\d{{2}})\s+{_CITY}{_END}",
        # Most of the continent: 24941 Flensburg, CH-8005 Zürich, F-67000 Strasbourg
        rf"(?<![\w+])(?:[A-Z]{{1,3}}[- ])?(?P<postal_code>\d{{4,5}})\s+{_CITY}{_END}",
    )
)
"""Where a postal code stands, country by country; the first that fits is taken."""

_NUMBERED = re.compile(
    r"^[^\W\d_][^@:]{2,60}?[\s,]\s?(?:n[°ºo]\.?\s?)?\d{1,5}\s?[a-zA-Z]?(?:[/-]\d{1,5})?\b"
    r"|^\d{1,5}[a-z]?[,\s]\s?[^\W\d_]"
)
"""A street by its number: `Innrain 52`, `12, rue des Tanneurs`."""


def read_place(pieces: Sequence[str]) -> tuple[dict[str, str], set[int]] | None:
    """Return the address that pieces of a signature write, and which of them it takes."""
    for index, piece in enumerate(pieces):
        for form in _FORMS:
            match = form.search(piece)
            if match is None:
                continue
            if not _is_town(match):
                continue
            found = {
                name: value.strip(" ,.-") for name, value in match.groupdict().items() if value
            }
            used = {index}
            before = piece[: match.start()].strip(" ,;-–·")
            if "street" not in found:
                street, taken = _street(before, pieces, index)
                if street:
                    found["street"] = street
                used |= taken
            _add_country(found, piece[match.end() :], pieces, index, used)
            return found, used
    return None


def _is_town(match: re.Match[str]) -> bool:
    """Tell a postal code and a town from the number of a house and its street."""
    groups = match.groupdict()
    state, city = groups.get("state") or "", groups.get("city") or ""
    if len(state) > 3 and not wording().state.fullmatch(state):
        return False
    return not city or not wording().street.search(city)


def _street(before: str, pieces: Sequence[str], index: int) -> tuple[str, set[int]]:
    """Return the street before a town: in its own piece, or in those just above."""
    if before:
        return (before, set()) if is_street(before) else ("", set())
    taken: list[int] = []
    for above in range(index - 1, max(-1, index - 3), -1):
        if not is_street(pieces[above]):
            break
        taken.insert(0, above)
    return ", ".join(pieces[one].strip(" ,") for one in taken), set(taken)


def is_street(piece: str) -> bool:
    """Tell whether a piece is the line of an address that names a street."""
    if len(piece) > 80 or "@" in piece or not any(char.isdigit() for char in piece):
        return False
    return bool(_NUMBERED.search(piece) or wording().street.search(piece))


def _add_country(
    found: dict[str, str], behind: str, pieces: Sequence[str], index: int, used: set[int]
) -> None:
    country = wording().country
    rest = behind.strip(" ,;()-–")
    following = pieces[index + 1].strip(" ,()") if index + 1 < len(pieces) else ""
    if rest and country.fullmatch(rest):
        found["country"] = rest
    elif not rest and country.fullmatch(following):
        found["country"] = following
        used.add(index + 1)
