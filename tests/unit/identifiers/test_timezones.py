"""In which time zone a place is, where that is sure."""

import tomllib
from importlib import resources

import pytest

from shared.identifiers.timezones import is_timezone, timezone_of


@pytest.mark.parametrize(
    ("city", "state", "country", "zone"),
    [
        ("Bonn", None, "Germany", "Europe/Berlin"),
        (None, None, "de", "Europe/Berlin"),
        (None, None, "Österreich", "Europe/Vienna"),
        (None, "California", "USA", "America/Los_Angeles"),
        ("Austin", "TX", "US", "America/Chicago"),
        ("El Paso", "Texas", "US", "America/Denver"),
        ("new  york", None, "United States", "America/New_York"),
        ("Portland", "ME", "US", "America/New_York"),
        ("Portland", None, "US", None),
        ("Paris", "TX", "US", None),
        ("Paris", None, None, None),
        (None, None, "Spain", None),
        ("Barcelona", "Catalonia", "Spain", "Europe/Madrid"),
        ("Nowhere", None, "Atlantis", None),
    ],
)
def test_the_zone_of_a_place(
    city: str | None, state: str | None, country: str | None, zone: str | None
) -> None:
    assert timezone_of(city, state, country) == zone


def test_every_zone_of_the_table_is_one() -> None:
    data = resources.files("shared.identifiers").joinpath("data", "places.toml")
    places = tomllib.loads(data.read_text("utf-8"))
    named = set(places["whole"].values())
    named |= {
        zone for kind in ("regions", "cities") for one in places[kind].values() for zone in one
    }
    assert all(map(is_timezone, named))
    assert not is_timezone("Mars/Olympus")
