"""The default scorer: evidence for and against, explained, and the same when computed again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.resolver.domain.matching.blocking import blocking_keys
from services.resolver.domain.matching.evidence import EvidenceScorer, observe
from services.resolver.domain.matching.levels import compare_birthdays, compare_postcodes
from services.resolver.domain.matching.model import Profile, Score, Scorer
from services.resolver.domain.matching.profile import custom_attribute, squeeze, without
from services.resolver.domain.matching.spec import SpecScorer
from services.resolver.domain.matching.statistics import Counts
from services.resolver.domain.matching.tiers import Tier, is_paper, tier_of
from services.resolver.domain.matching.weights import (
    TOWN,
    default_weights,
    to_document,
    weights_from,
)
from shared.events.signal import Address
from tests.unit.resolver.matching.people import a_profile

SCORER = EvidenceScorer(default_weights())

profiles = st.builds(
    a_profile,
    st.sampled_from(
        ("Ada Lovelace", "ada LOVELACE", "Adah Lovelace", "Bob Ng", "A. Lovelace", None)
    ),
    email=st.sampled_from((None, "ada@acme.com", "ada@gmail.com", "info@acme.com")),
    phone=st.sampled_from((None, "+14155550100", "+14155550101")),
    company=st.sampled_from((None, "Acme", "ACME Inc", "Zorg")),
    title=st.sampled_from((None, "CTO", "Chief Technology Officer")),
    city=st.sampled_from((None, "Paris", "Pariss", "London")),
)

homes = st.builds(
    lambda city, code, state: a_profile(
        addresses=(Address(city=city, postal_code=code, state=state),)
    ),
    st.sampled_from((None, "Paris", "Pariss", "Austin")),
    st.sampled_from((None, "75001", "75011", "73301")),
    st.sampled_from((None, "Texas", "Ohio")),
)


def score(left: Profile, right: Profile, counts: Counts | None = None) -> Score:
    return SCORER.score(left, right, counts or Counts())


@given(profiles | homes, profiles | homes)
def test_a_score_is_symmetric(left: Profile, right: Profile) -> None:
    assert score(left, right).probability == score(right, left).probability


@given(profiles | homes, profiles | homes, st.sampled_from((SCORER, SpecScorer())))
def test_the_weight_alone_is_the_weight_of_the_score(
    left: Profile, right: Profile, scorer: Scorer
) -> None:
    assert scorer.weigh(left, right, Counts()) == scorer.score(left, right, Counts()).weight


@given(profiles | homes, profiles | homes, st.sampled_from((SCORER, SpecScorer())))
def test_stored_signals_recompute_to_the_very_score(
    left: Profile, right: Profile, scorer: Scorer
) -> None:
    made = scorer.score(left, right, Counts())
    again = scorer.recompute(made.signals)
    assert (again.probability, again.weight) == (made.probability, made.weight)
    assert 0.0 <= made.probability <= 1.0


def test_agreement_speaks_for_and_disagreement_against() -> None:
    same = score(a_profile(company="Acme"), a_profile(company="Acme"))
    other = score(a_profile(company="Acme"), a_profile("Bob Ng", company="Zorg"))
    assert same.weight > other.weight
    assert {one.attribute: one.weight < 0 for one in other.signals if one.attribute != "prior"} == {
        "given": True,
        "family": True,
        "company": True,
    }


def test_a_rare_value_says_more_than_a_common_one() -> None:
    pair = (a_profile(city="Paris"), a_profile(city="Paris"))
    rare = score(*pair, Counts(100_000, {("city", "paris"): 3}))
    common = score(*pair, Counts(100_000, {("city", "paris"): 30_000}))
    assert rare.weight > common.weight


def test_an_identifier_seen_with_many_people_says_little() -> None:
    pair = (a_profile(email="x@acme.com"), a_profile(email="x@acme.com"))
    own = score(*pair, Counts(100_000, {("email", "x@acme.com"): 1}))
    shared = score(*pair, Counts(100_000, {("email", "x@acme.com"): 40}))
    assert own.weight > shared.weight
    assert [one.level for one in shared.signals if one.attribute == "email"] == ["shared"]


def test_signals_show_both_values_as_their_sources_wrote_them() -> None:
    made = score(a_profile(company="ACME, Inc."), a_profile(company="Acme Inc"))
    (signal,) = (one for one in made.signals if one.attribute == "company")
    assert (signal.level, signal.left, signal.right) == ("equal", "ACME, Inc.", "Acme Inc")


def test_invisible_characters_case_and_spaces_are_no_difference() -> None:
    made = score(a_profile("A\u200bda  LOVELACE"), a_profile("ada lovelace"))
    assert {one.level for one in made.signals} == {"base", "equal"}


def test_given_and_family_name_in_each_others_place_are_seen() -> None:
    made = score(a_profile("Lovelace Ada"), a_profile("Ada Lovelace"))
    assert {one.level for one in made.signals if one.attribute in ("given", "family")} == {"equal"}


def test_any_attribute_of_a_source_is_evidence() -> None:
    plain = score(a_profile(), a_profile())
    fields = {"passport": "X1234567"}
    more = score(a_profile(custom_fields=fields), a_profile(custom_fields=fields))
    born = score(a_profile(birthday="1815-12-10"), a_profile(birthday="1815-12-10"))
    assert more.weight > plain.weight + 3
    assert born.weight > plain.weight + 3


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("1990-09-26", "1990-10-06", "similar"),
        ("1989-12-31", "1990-01-01", "similar"),
        ("1990-09-26", "1990-11-06", "differ"),
        ("--09-26", "1990-10-06", "differ"),
    ],
)
def test_days_less_than_a_month_apart_are_similar(one: str, other: str, level: str) -> None:
    assert compare_birthdays(one, other) == level


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ({"custom_fields": {"Birth Year": "1851"}}, {"birthday": "1851-03-02"}, "equal"),
        ({"custom_fields": {"YOB": 1851}}, {"custom_fields": {"birth_year": "1851"}}, "equal"),
        ({"custom_fields": {"Birth Year": "1851"}}, {"birthday": "1850-03-02"}, "near"),
        ({"custom_fields": {"Birth Year": "1851"}}, {"birthday": "1854-03-02"}, "loose"),
        ({"custom_fields": {"Birth Year": "1851"}}, {"birthday": "1951-03-02"}, "differ"),
        ({"custom_fields": {"Birth Year": "1851"}}, {"birthday": "--03-02"}, "loose"),
    ],
)
def test_a_year_of_birth_is_weighed_as_less_than_a_birthday(
    one: dict[str, Any], other: dict[str, Any], level: str
) -> None:
    made = score(a_profile(**one), a_profile(**other))
    born = a_profile(birthday="1851-03-02")
    day = score(born, born).signals
    (signal,) = (each for each in made.signals if each.attribute == "birthday")
    (whole,) = (each for each in day if each.attribute == "birthday")
    assert signal.level == level
    assert (signal.weight > 0, signal.weight < 0) == (level in ("equal", "near"), level == "differ")
    assert signal.weight < whole.weight


def test_a_record_with_a_birthday_needs_no_year() -> None:
    born = a_profile(birthday="1851-03-02", custom_fields={"Birth Year": "1951"})
    assert born.values["birthday"] == ("1851-03-02",)


@pytest.mark.parametrize("said", ["51", "unknown", "18510302", "0000", "3051"])
def test_what_is_no_year_is_no_year_of_birth(said: str) -> None:
    assert a_profile(custom_fields={"Birth Year": said}).values == a_profile().values


def test_the_end_of_a_number_is_a_number_where_it_is_called_so() -> None:
    equal, near, differ, other = (
        custom(*each)
        for each in (
            ("SSN last 4", "4821", "4821"),
            ("ssn_last4", "4821", "4831"),
            ("SSN4", "4821", "7395"),
            ("grade", "4821", "4821"),
        )
    )
    assert [level for level, _ in (equal, near, differ)] == ["equal", "near", "differ"]
    assert equal[1] > near[1] > 0 > differ[1]
    assert equal[1] > 2 * other[1], "a word"


@pytest.mark.parametrize(
    ("part", "one", "other", "level"),
    [
        ("street", "12 Elm Street", "12 ELM ST.", "equal"),
        ("street", "12 North Elm Avenue Apartment 4", "12 N. Elm Ave, Apt 4", "equal"),
        ("street", "12 North Elm Avenue Apartment 4", "12 N. Elm Ave", "prefix"),
        ("street", "Hauptstraße 5", "Hauptstr. 5", "equal"),
        ("street", "12 Elm Street", "14 Elm St", "numbered"),
        ("street", "12 Elm Street", "12 Elm Sreet", "near"),
        ("street", "78 Baseby Place", "78 Baseby Lace", "near"),
        ("state", "CA", "California", "equal"),
        ("state", "WA", "Western Australia", "equal"),
        ("state", "Washington", "Texas", "differ"),
        ("state", "TX", "Utah", "differ"),
        ("country", "US", "United States of America", "equal"),
        ("country", "Deutschland", "Germany", "equal"),
        ("country", "DEU", "Österreich", "differ"),
        ("country", "Narnia", "narnia", "equal"),
    ],
)
def test_addresses_agree_however_their_words_are_shortened(
    part: str, one: str, other: str, level: str
) -> None:
    left, right = (a_profile(addresses=(Address(**{part: said}),)) for said in (one, other))
    (signal,) = (each for each in score(left, right).signals if each.attribute == part)
    assert signal.level == level


@given(homes, homes)
def test_a_town_counts_once_whatever_tells_it(left: Profile, right: Profile) -> None:
    """What speaks most for and against counts whole; each other way of telling it is two thirds."""
    seen = [one for one in observe(left, right, Counts()) if one.attribute in TOWN]
    apart = [sum(SCORER.weights.weigh_all([one])) for one in seen]
    told = SCORER.weights.weigh_all(seen)
    agree = [bits for bits in apart if bits > 0.0]
    against = [bits for bits in apart if bits <= 0.0]
    share = SCORER.weights.told_again
    whole = max(agree, default=0.0) + min(against, default=0.0)
    expected = share * sum(apart) + (1.0 - share) * whole
    assert share < 1.0
    assert sum(told) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("SW1A 1AA", "SW1A 1BD", "near"),
        ("SW1A 1AA", "SW1A 2AA", "near"),  # a slip of the pen
        ("SW1A 1AA", "SW1A 2BD", "loose"),
        ("M1 1AE", "M2 1AE", "near"),  # another slip
        ("M1 1AE", "B33 8TH", "differ"),
        ("1010 AB", "1010 XY", "differ"),  # no British code
    ],
)
def test_british_postcodes_agree_by_sector_and_district(one: str, other: str, level: str) -> None:
    assert compare_postcodes(squeeze(one), squeeze(other)) == level


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("1851-01-01", "1851-03-02", "part"),
        ("1851-03-02", "1851-01-01", "part"),
        ("1851-01-01", "1851-01-01", "equal"),
        ("1851-01-01", "1851-01-02", "near"),  # a slip, as of any other day
        ("1851-01-01", "1851", "equal"),
        ("1851-01-01", "1861-10-12", "differ"),
        ("--01-01", "--03-02", "differ"),
    ],
)
def test_new_years_day_may_stand_for_the_year_alone(one: str, other: str, level: str) -> None:
    assert compare_birthdays(one, other) == level


def test_the_name_once_more_is_no_evidence_of_its_own() -> None:
    """`Sort name: Lovelace, Ada` agrees wherever the name does."""
    twice = a_profile(custom_fields={"Sort name": "Lovelace, Ada"})
    assert twice.values == a_profile().values
    assert "custom:mother" in a_profile(custom_fields={"Mother": "Ada Byron"}).values
    assert "custom:father" in a_profile(custom_fields={"Father": "Lovelace"}).values


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"name": "Kelly Holt"}, {"name": "Kasey Hoolt"}),
        ({"name": "Beth Fletcher", "city": "London"}, {"name": "Oeth Gletcher", "city": "London"}),
    ],
)
def test_garbled_names_are_compared_where_the_birthday_is_one(
    left: dict[str, Any], right: dict[str, Any]
) -> None:
    own, other, stranger = (
        blocking_keys(a_profile(**said, birthday=day))
        for said, day in ((left, "1990-02-03"), (right, "1990-02-03"), (right, "1991-05-06"))
    )
    assert own & other
    assert not own & stranger


def test_days_that_many_have_find_by_more_than_a_letter() -> None:
    """A year alone, a day without its year, and the day that stands for a year: each is of many."""
    for day in ("1990-01-01", "--02-03"):
        own, other, near = (
            blocking_keys(a_profile(name, birthday=day))
            for name in ("Ada Holt", "Eva Hart", "Ada Holst")
        )
        assert not {key for key in own & other if key.endswith(day)}
        assert {key for key in own & near if key.endswith(day)}


def custom(field: str, one: str, other: str) -> tuple[str, float]:
    """Return how far two values of a custom field agree, and what that weighs."""
    left, right = (a_profile(custom_fields={field: value}) for value in (one, other))
    return next(
        (signal.level, signal.weight)
        for signal in score(left, right).signals
        if signal.attribute == custom_attribute(field)
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("942 78 7803", "942787803"),
        ("942 78 7803", "94 27 87 80 3"),
        ("942 78 7803", "942-78-7803"),
        ("MEMB-0042", "MEMB0042"),
        ("HR-EMP-00042", "hr_emp_00042"),
        ("RSSMRA 85T10 A562S", "RSSMRA85T10A562S"),
        ("QQ 12 34 56 C", "QQ123456C"),
        ("5d2a1c9e-8f11-4c0d-9d7e-0b1f2a3c4d5e", "5D2A1C9E8F114C0D9D7E0B1F2A3C4D5E"),
    ],
)
def test_how_a_number_is_parted_is_no_difference(one: str, other: str) -> None:
    """It is rare, found by a key of its own, and one that a person has."""
    counts = Counts(20_000)
    left, right = (a_profile(custom_fields={"ssn": said}) for said in (one, other))
    made = score(left, right, counts)
    (signal,) = (each for each in made.signals if each.attribute == "custom:ssn")
    assert signal.level == "equal"
    assert signal.weight > 5
    assert (signal.left, signal.right) == (one, other)
    assert is_paper(signal)
    assert tier_of(made.signals) is Tier.HIGH
    keys = blocking_keys(left) & blocking_keys(right)
    assert any(key.startswith("custom:ssn:") for key in keys)


@pytest.mark.parametrize(
    "home",
    [
        "1201 42nd St",
        "1201 5th St",
        "15204 1st Ave",
        "12045 Elm",
        "89073 Ulm",
        "12B Elm 4",
        "Hauptstr. 12/4",
        "1201 E St NW",
    ],
)
def test_a_street_is_no_number_however_many_digits_it_has(home: str) -> None:
    left, right = (a_profile(name, custom_fields={"ssn": home}) for name in ("Ada Ng", "Bob Ng"))
    made = score(left, right, Counts(20_000))
    (signal,) = (each for each in made.signals if each.attribute == "custom:ssn")
    assert not is_paper(signal)
    assert tier_of(made.signals) is Tier.LOW, "a family name"
    assert not any(key.startswith("custom:") for key in blocking_keys(left))


@pytest.mark.parametrize(
    ("field", "one", "other", "level"),
    [
        ("gender", "F", "female", "equal"),
        ("sex", "M", "Female", "differ"),
        ("geschlecht", "männlich", "w", "differ"),
        ("Пол", "Ж", "\u041c", "differ"),
        ("Пол", "Женский", "ж", "equal"),
        ("性别", "女", "男", "differ"),
        ("性別", "男性", "男", "equal"),
        ("성별", "여성", "남", "differ"),
        ("gender", "M", "Ж", "differ"),
    ],
)
def test_a_woman_and_a_man_are_two(field: str, one: str, other: str, level: str) -> None:
    said, weight = custom(field, one, other)
    assert said == level
    assert (weight < -2) == (level == "differ")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("M", "prefer not to say"),
        ("prefer not to say", "prefer not to say"),
        ("unknown", "unknown"),
        ("nan", "女"),  # a table's missing value, which 男 is spelled as in Latin letters
        ("H", "M"),  # hombre and mujer, or hombre and masculino
    ],
)
def test_a_sex_that_is_withheld_or_reads_in_two_ways_says_nothing(one: str, other: str) -> None:
    left, right = (a_profile(custom_fields={"sexo": said}) for said in (one, other))
    assert score(left, right).weight == score(a_profile(), a_profile()).weight


def test_a_blocked_value_tells_nothing() -> None:
    profile = a_profile(email="nobody@acme.com", city="London")
    left = without(profile, {("email", "nobody@acme.com"), ("domain", "acme.com")})
    assert {one.attribute for one in score(left, profile).signals} == {
        "prior",
        "given",
        "family",
        "city",
    }


def test_weights_survive_their_document() -> None:
    weights = default_weights()
    assert weights_from(to_document(weights)) == weights


def test_the_customers_formula_gives_the_customers_numbers() -> None:
    scorer = SpecScorer()
    left = a_profile(company="Acme", title="CTO", city="London")
    named = scorer.score(left, left, Counts())
    assert round(named.probability, 6) == round(1 - 0.70 * 0.75 * 0.85 * 0.90, 6)
    mailed = scorer.score(a_profile(email="a@b.com"), a_profile(None, email="a@b.com"), Counts())
    assert mailed.probability == 1.0
    typo = scorer.score(a_profile("Catherine Smith"), a_profile("Katherine Smith"), Counts())
    assert typo.probability > 0.19


@pytest.mark.parametrize(
    ("name", "one", "other", "level"),
    [
        ("John Smith", "john.smith@acme.test", "john.smith@globex.test", "named"),
        ("John Smith", "jsmith@acme.test", "jsmith2@globex.test", "named"),
        ("Jörg Müller", "joerg.mueller@acme.test", "joerg.mueller@globex.test", "named"),
        ("John Smith", "smithjohn1984@acme.test", "smithjohn1984@globex.test", "local"),
        ("John Smith", "jellyfish@acme.test", "jellyfish@globex.test", "local"),
        ("John Smith", "john.smith@acme.test", "john.smith@acme.test", "equal"),
    ],
)
def test_mailboxes_that_spell_a_name_agree_as_the_names_do(
    name: str, one: str, other: str, level: str
) -> None:
    """Two namesakes have `john.smith@` at two employers: no evidence beyond the name."""
    found = observe(a_profile(name, email=one), a_profile(name, email=other), Counts())
    assert [each.level for each in found if each.attribute == "email"] == [level]


def test_a_garbled_name_leaves_the_mailbox_its_say() -> None:
    one = a_profile("John Smith", email="john.smith@acme.test")
    other = a_profile("Jhxn Smiht", email="john.smith@globex.test")
    assert next(each.level for each in observe(one, other, Counts())) == "local"


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("Acme Inc", "ACME, Inc.", "equal"),
        ("Acme", "Acme Inc", "subset"),
        ("Acme Holdings", "Acme Group", "subset"),
        ("Pendleton Holdings", "Spalding Holdings", "differ"),
        ("Zeta Group", "Acme Group", "differ"),
        ("Pendleton Holdings", "Pendelton Holdings", "near"),
        ("Plant 12 GmbH", "Plant 13 AG", "numbered"),
        ("Holdings Group", "Group", "subset"),
    ],
)
def test_companies_agree_in_what_tells_them_apart(one: str, other: str, level: str) -> None:
    left, right = a_profile("Ada Lovelace", company=one), a_profile("Bob Ng", company=other)
    found = observe(left, right, Counts())
    assert [each.level for each in found if each.attribute == "company"] == [level]
