"""A whole address in one cell, where some of its parts have cells of their own."""

import re
from collections.abc import Mapping

from services.ingest.sources.cells import is_country, read_place
from services.ingest.sources.vocabulary import vocabulary

_BETWEEN = re.compile(r"[\n,;]")
_WORDS = re.compile(r"\w+")


def street_of(whole: str, parts: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    r"""Return what a whole address says beyond its known parts: its street, and parts not known.

    Where nothing is known beside it, it stays as it is.

    >>> street_of("5 Elm St, Paris", {"city": "Paris", "country": "France"})
    (['5 Elm St'], {})
    >>> street_of("1 Main\nLondon\nUK", {"city": "London"})
    (['1 Main'], {'country': 'UK'})
    >>> street_of("3 rue Cler, 75007 Paris", {"city": "paris"})
    (['3 rue Cler'], {'postal_code': '75007'})
    >>> street_of("Paris, France", {"city": "Paris", "country": "FR"})
    ([], {})
    >>> street_of("1 Main, London", {})
    (['1 Main, London'], {})
    """
    if not parts.keys() - {"country"}:
        return [whole], {}
    countries = vocabulary().countries
    code = countries.get(parts.get("country", "").casefold())
    known = {word for text in parts.values() for word in _words(text)}
    towns = {parts[part].casefold() for part in ("city", "state") if part in parts}
    rest: list[str] = []
    more: dict[str, str] = {}
    for piece in filter(None, map(str.strip, _BETWEEN.split(whole))):
        place = read_place(piece)
        if place["city"].casefold() in towns:
            more |= {part: text for part, text in place.items() if part not in {"city", *parts}}
        elif not known.issuperset(_words(piece)) and (
            code is None or countries.get(piece.casefold()) != code
        ):
            rest.append(piece)
    if "country" not in parts and len(rest) > 1 and is_country(rest[-1]):
        more["country"] = rest.pop()
    return ([", ".join(rest)] if rest else []), more


def _words(text: str) -> list[str]:
    return _WORDS.findall(text.casefold())
