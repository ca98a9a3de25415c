"""What time zones are called, and which a place is in: its country has one, or its state or city.

From the IANA database that `tzdata` carries, and `data/places.toml` for what that leaves open.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

_Zones = Mapping[tuple[str, str], str]
"""(country, folded name of a region or city) → zone."""

MAX_LENGTH: Final = 64
"""Characters of a zone's name: the longest of them has half of that."""


def is_timezone(name: str) -> bool:
    """Tell whether a text is a zone's name, like `Europe/Berlin`."""
    return name in _names()


def normalize_timezone(name: str) -> str | None:
    """Return the one name of a zone that may have several; None: no zone is called so.

    The database links old names to present ones (`Asia/Calcutta` to `Asia/Kolkata`), and also a
    country's zone to one of the same clock elsewhere, which is another: `Europe/Oslo` stays.
    """
    return _names().get(name)


@lru_cache(maxsize=16_384)
def timezone_of(city: str | None, state: str | None, country: str | None) -> str | None:
    """Return the zone of a place, by its IANA name; None where it may be one of several.

    A city counts with the state that is said of it: one of a name is not the others.
    """
    code = _code(country) if country else None
    if code is None:
        return None
    places = _places()
    if zone := places.whole.get(code):
        return zone
    if state and (zone := places.regions.get((code, _folded(state)))):
        return zone
    if state and code in places.by_state:
        known = places.by_state[code].get(_folded(state), {})
        return known.get(_folded(city)) if city else None
    return places.cities.get((code, _folded(city))) if city else None


class _Places:
    def __init__(self) -> None:
        named: Any = tomllib.loads(_text(__package__, "data", "places.toml"))
        zones: dict[str, list[str]] = {}
        for code, zone in _rows("zone.tab", 0, 2):
            zones.setdefault(code, []).append(zone)
        self.whole = {code: known[0] for code, known in zones.items() if len(known) == 1}
        self.whole |= named["whole"]
        self.regions = dict(_listed(named["regions"]))
        self.cities = {
            (code, _folded(zone.rpartition("/")[2].replace("_", " "))): zone
            for code, known in zones.items()
            for zone in known
        }
        for code, names in named["namesakes"].items():
            for name in names:
                del self.cities[code, _folded(name)]
        self.cities |= dict(_listed(named["cities"]))
        self.by_state = {code: dict(_states(states)) for code, states in named["states"].items()}
        self.codes = {_folded(name): code for code, name in _rows("iso3166.tab", 0, 1)}
        self.codes |= {_folded(code): code for code in self.codes.values()}
        self.codes |= {
            _folded(name): code for code, names in named["names"].items() for name in names
        }


@cache
def _places() -> _Places:
    return _Places()


@cache
def _names() -> Mapping[str, str]:
    """Return name → the one that the zone goes by here."""
    named = {name: name for name in _text("tzdata", "zones").split()}
    # Lines `L TARGET NAME` of what zic reads: no target is a link itself.
    source = _text("tzdata", "zoneinfo", "tzdata.zi").splitlines()
    named |= {line[2]: line[1] for line in map(str.split, source) if line[:1] == ["L"]}
    named |= {zone: zone for (zone,) in _rows("zone.tab", 2)}
    named |= tomllib.loads(_text(__package__, "data", "places.toml"))["links"]
    del named["Factory"]  # what a machine says whose zone nobody has set
    return named


def _code(country: str) -> str | None:
    return _places().codes.get(_folded(country))


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _listed(named: Mapping[str, Mapping[str, list[str]]]) -> Iterator[tuple[tuple[str, str], str]]:
    for code, zones in named.items():
        for zone, names in zones.items():
            for name in names:
                yield (code, _folded(name)), zone


def _states(
    states: Iterable[Mapping[str, Any]],
) -> Iterator[tuple[str, Mapping[str, str]]]:
    for state in states:
        cities = {_folded(city): zone for zone, names in state["cities"].items() for city in names}
        for name in state["names"]:
            yield _folded(name), cities


def _rows(name: str, *columns: int) -> Iterator[tuple[str, ...]]:
    for line in _text("tzdata", "zoneinfo", name).splitlines():
        if line and not line.startswith("#"):
            cells = line.split("\t")
            yield tuple(cells[column] for column in columns)


def _text(package: str | None, *path: str) -> str:
    assert package is not None, "read as part of a package"
    return resources.files(package).joinpath(*path).read_text("utf-8")
