"""In which time zone a place is, where that is sure."""

import tomllib
from datetime import datetime
from importlib import resources
from zoneinfo import ZoneInfo

import pytest

from shared.identifiers.timezones import is_timezone, normalize_timezone, timezone_of


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
        ("Atlanta", None, "US", "America/New_York"),
        ("Atlanta", "TX", "US", None),
        ("Miami", "Texas", "US", None),
        ("Nashville", "IN", "US", None),
        ("Nashville", "TN", "US", "America/Chicago"),
        ("Petersburg", "FL", "US", None),
        ("Petersburg", "Indiana", "US", "America/Indiana/Petersburg"),
        ("Houston", "AK", "US", None),
        ("Pensacola", "FL", "US", "America/Chicago"),
        ("Chicago", "Chicagoland", "US", None),
        ("Center", None, "US", None),
        ("Knox", None, "US", None),
        ("Petersburg", None, "US", None),
        ("Monticello", None, "US", None),
        ("London", "ON", "CA", "America/Toronto"),
        ("Vancouver", "ON", "CA", None),
        ("Manaus", "Amazonas", "Brasil", "America/Manaus"),
        ("Moscow", "Moscow Oblast", "RU", "Europe/Moscow"),
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
    states = [one for each in places["states"].values() for one in each]
    named |= {zone for one in states for zone in one["cities"]}
    assert all(map(is_timezone, named))
    for code, regions in places["regions"].items():
        known = {name for names in regions.values() for name in names}
        assert not known & {
            name for one in places["states"].get(code, ()) for name in one["names"]
        }, "a state is in one zone, or in several"
    assert not is_timezone("Mars/Olympus")


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Asia/Kolkata", "Asia/Kolkata"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("US/Pacific", "America/Los_Angeles"),
        ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("Japan", "Asia/Tokyo"),
        ("UTC", "Etc/UTC"),
        ("Zulu", "Etc/UTC"),
        ("Etc/GMT+3", "Etc/GMT+3"),
        # Of one clock with another country's since 1970, and a zone of its own all the same.
        ("Europe/Oslo", "Europe/Oslo"),
        ("Atlantic/Reykjavik", "Atlantic/Reykjavik"),
        ("Iceland", "Atlantic/Reykjavik"),
        ("Africa/Asmera", "Africa/Asmara"),
        ("Pacific/Truk", "Pacific/Chuuk"),
        # Clocks, and no places: who keeps Eastern time all year need not live in Panama.
        ("EST", "EST"),
        ("CET", "CET"),
        ("Factory", None),
        ("Mars/Olympus", None),
        ("", None),
    ],
)
def test_a_zone_has_one_name(name: str, zone: str | None) -> None:
    assert normalize_timezone(name) == zone
    assert is_timezone(name) == (zone is not None)


def test_every_zone_has_one_name_that_stands_for_itself() -> None:
    """Whatever tzdata calls one; its clock is that of the name that it gets, in our time."""
    tzdata = resources.files("tzdata")
    named = set(tzdata.joinpath("zones").read_text("utf-8").split()) - {"Factory"}
    for name in named:
        zone = normalize_timezone(name)
        assert zone is not None, name
        assert normalize_timezone(zone) == zone
        for month in (1, 7):
            said, kept = (datetime(2025, month, 1, tzinfo=ZoneInfo(one)) for one in (name, zone))
            assert said.utcoffset() == kept.utcoffset(), name
    table = tzdata.joinpath("zoneinfo", "zone.tab").read_text("utf-8").splitlines()
    of_countries = {line.split("\t")[2] for line in table if not line.startswith("#")}
    assert {normalize_timezone(name) for name in of_countries} == of_countries
