"""A base is looked through with Splink; what it says of duplicates and strangers."""

from random import Random

import pytest

from kith.audit.linking import AuditError, find_pairs
from kith.audit.people import KEYS, People
from services.resolver.domain.matching.blocking import HOT
from tests.unit.resolver.matching.people import a_profile

GIVEN = ("Ada", "Bruno", "Clara", "Dmitri", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jonas")
FAMILY = (
    "Lovelace",
    "Hopper",
    "Turing",
    "Dijkstra",
    "Liskov",
    "Hoare",
    "Knuth",
    "Lamport",
    "Wirth",
)
COMPANIES = ("Acme", "Globex", "Initech", "Umbrella", "Hooli", "Stark", "Wayne", "Tyrell")
CITIES = ("Paris", "Rome", "Oslo", "Lima", "Bonn", "Cairo", "Osaka")


def a_base(strangers: int, twins: int) -> People:
    """Make strangers of whom the first few have a second contact under another address."""
    dice = Random(4)
    people = People()
    for number in range(strangers):
        name = f"{dice.choice(GIVEN)} {dice.choice(FAMILY)}{number % 40:02d}x"
        said = {
            "company": dice.choice(COMPANIES),
            "title": f"Keeper of {dice.choice(CITIES)} {dice.randrange(30)}",
            "city": dice.choice(CITIES),
        }
        people.add(f"con_{number}", [a_profile(name, email=f"a{number}@x.example", **said)])
        if number < twins:
            people.add(f"con_{number}b", [a_profile(name, email=f"b{number}@y.example", **said)])
    return people


def test_duplicates_are_found_and_strangers_are_not() -> None:
    found = find_pairs(a_base(600, 8), "duckdb", 0.95)
    pairs = {frozenset((pair.one, pair.other)) for pair in found}
    assert pairs == {frozenset((f"con_{n}", f"con_{n}b")) for n in range(8)}
    assert found == sorted(found, key=lambda pair: -pair.probability)


def test_a_base_of_nobody_or_one_has_no_pairs() -> None:
    assert find_pairs(People(), "duckdb", 0.5) == []
    assert find_pairs(a_base(1, 0), "duckdb", 0.5) == []


def test_a_key_that_too_many_have_finds_nobody() -> None:
    people = People()
    for number in range(HOT + 1):
        people.add(f"con_{number}", [a_profile("John Smith", company=f"Firm {number // 2}")])
    keys = dict(people.keys())
    assert set(keys) == set(KEYS)
    assert set(keys["key_name"]) == {None}
    assert keys["key_family_company"][:2] == ["smith|firm 0"] * 2
    assert keys["key_family_company"][-1] is None


def test_what_any_record_says_counts() -> None:
    people = People()
    people.add("con_1", [a_profile("Ada Lovelace"), a_profile("A. Byron", city="Rome")])
    assert people.columns["family"] == ["lovelace"]
    assert people.columns["city"] == ["rome"]


def test_spark_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyspark.sql", None)
    with pytest.raises(AuditError, match="pip install pyspark"):
        find_pairs(a_base(3, 1), "spark", 0.5)
