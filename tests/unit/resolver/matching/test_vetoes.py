"""What a machine must not merge, and what may be done at most."""

from dataclasses import replace
from typing import Any

import pytest

from services.resolver.domain.matching.blocking import blocking_keys
from services.resolver.domain.matching.evidence import EvidenceScorer
from services.resolver.domain.matching.linking import Matcher, Verdict
from services.resolver.domain.matching.model import Profile
from services.resolver.domain.matching.statistics import Counts
from services.resolver.domain.matching.tiers import Action, Thresholds, Tier
from services.resolver.domain.matching.vetoes import Veto, veto_of
from services.resolver.domain.matching.weights import default_weights
from shared.events.signal import Address
from tests.unit.resolver.matching.people import a_profile

MATCHER = Matcher(EvidenceScorer(default_weights()))


def veto(left: Profile, right: Profile) -> Veto | None:
    return veto_of(left, right, Counts())


def judge(left: Profile, right: Profile) -> Verdict:
    return MATCHER.judge(left, right, Counts(20_000))


def test_two_known_names_that_disagree_are_barred() -> None:
    assert veto(a_profile("Mary Smith"), a_profile("John Smith")) is Veto.NAMES


@pytest.mark.parametrize(
    "other", ["Smith John", "Jon Smith", "J. Smith", "Johnny Smith", "JOHN SMITH", "Joh Smith"]
)
def test_spellings_orders_and_pet_forms_are_no_conflict(other: str) -> None:
    assert veto(a_profile("John Smith"), a_profile(other)) is None


def test_a_garbled_name_casts_doubt_and_no_more() -> None:
    john, garbled = (a_profile(name, company="Acme") for name in ("John Smith", "Xqjw Smith"))
    assert veto(john, garbled) in {Veto.DOUBT, None}


HOME: Any = {
    "phone": "+4930123456",
    "addresses": (Address(street="Hauptstr. 5", city="Berlin", postal_code="10827"),),
}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Heidelinde Hauffer", "Gerda Hauffer"),
        ("Geeorge Pennington", "Daisy Pnnington"),
        ("Bolormaa Bat-Erdene", "Ganzorig Bat-Erdene"),
    ],
)
def test_a_household_merges_nobody_of_another_given_name(one: str, other: str) -> None:
    """Known or not, misspelt or not: a line and an address are everybody's who lives there."""
    verdict = judge(a_profile(one, **HOME), a_profile(other, **HOME))
    assert (verdict.action, verdict.link.is_barred) == (Action.REVIEW, True)


@pytest.mark.parametrize("other", ["Gerd Hauffer", "G. Hauffer", "Grda Hauffer", "Gerda M Hauffer"])
def test_a_slip_an_initial_or_a_middle_name_is_no_relative(other: str) -> None:
    assert veto(a_profile("Gerda Hauffer", **HOME), a_profile(other, **HOME)) is not Veto.RELATIVES


def test_who_says_no_given_name_is_no_relative_of_who_does() -> None:
    gerda, hauffer = (
        a_profile("Gerda Hauffer", **HOME),
        a_profile(None, last_name="Hauffer", **HOME),
    )
    assert veto(gerda, hauffer) is veto(hauffer, gerda) is None


@pytest.mark.parametrize(
    ("family", "another"), [(None, "Dorj"), (None, None), ("Bat-Erdene", "Dorj")]
)
def test_only_who_share_a_family_name_are_relatives(
    family: str | None, another: str | None
) -> None:
    one, other = (
        a_profile(None, first_name=given, last_name=last, **HOME)
        for given, last in (("Bolormaa", family), ("Ganzorig", another))
    )
    assert Veto.RELATIVES not in {veto(one, other), veto(other, one)}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Daniel P", "Rebecca P", Veto.NAMES),  # a letter in the middle is nobody's name
        ("Bolormaa P", "Ganzorig P", Veto.RELATIVES),
        ("Juan Carlos", "Juan Manuel", Veto.RELATIVES),
        ("Juan Carlos", "Juan M", Veto.RELATIVES),
        ("Karen David", "Deanna K", Veto.RELATIVES),  # Karen's letter, but no David
        ("Crystal M", "Matthew M", Veto.NAMES),
        ("Bobbie B", "Brent J", Veto.RELATIVES),
        ("Bolormaa Sarnai", "Ganzorig", Veto.RELATIVES),
        ("Juan Carlos", "Pedro Carlos", Veto.NAMES),
        ("Michael P", "Robin Michael", Veto.RELATIVES),
        ("Robin M", "Michael R", None),  # each is beside the other
        ("Robin Michael", "Michael R", None),
        ("Juan Carlos", "Juan C", None),
        ("Juan Carlos", "Juan Crlos", None),
        ("Juan Carlos", "Juan", None),
        ("Anna M", "Maria", None),  # called by her second name
        ("Anna Maria", "Maria", None),
        ("J Robert", "Robert", None),
        ("Maria del Carmen", "Maria Carmen", None),
        ("Juan de", "Juan da", None),  # the family name's, in the wrong column
    ],
)
def test_names_in_the_middle_tell_relatives_apart(
    one: str, other: str, expected: Veto | None
) -> None:
    left, right = (a_profile(first_name=name, last_name="Hauffer", **HOME) for name in (one, other))
    assert veto(left, right) is veto(right, left) is expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        *(("24", Veto.GENERATIONS), ("41", Veto.GENERATIONS), ("42", None), ("50", None)),
        *(("1", Veto.GENERATIONS), ("110", Veto.GENERATIONS), ("111", None)),
        *(("0", None), ("unknown", None), ("999", None)),
    ],
)
def test_ages_of_two_generations_are_two(age: str, expected: Veto | None) -> None:
    """One's age moves between two lists by some years, not by a generation."""
    one, other = (a_profile(custom_fields={"age": said}, **HOME) for said in ("56", age))
    assert veto(one, other) is expected


@pytest.mark.parametrize(
    ("one", "other"), [("علي الحربي", "Ali Alharbi"), ("玲 石井", "Rei Ishii")]
)
def test_another_script_or_reading_makes_no_relatives(one: str, other: str) -> None:
    assert veto(a_profile(one, **HOME), a_profile(other, **HOME)) is not Veto.RELATIVES


@pytest.mark.parametrize(
    "own",
    [
        {"company": "Acme"},
        {"linkedin": "gerda"},
        {"custom_fields": {"passport": "C01X00T47"}},
        {"birthday": "1957-02-05"},
    ],
)
def test_what_is_ones_own_speaks_for_one_person_of_two_given_names(own: dict[str, Any]) -> None:
    one, other = (a_profile(name, **HOME, **own) for name in ("Bolormaa Bat", "Ganzorig Bat"))
    assert veto(one, other) is not Veto.RELATIVES


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ("1982-05-01", Veto.GENERATIONS),
        ("1994-05-01", Veto.GENERATIONS),
        ("1995-05-01", None),
        ("1959-05-01", Veto.GENERATIONS),
        ("1958-05-01", None),
        ("2009-01-11", None),
        ("2003-05-01", None),
        ("1900-01-01", None),
        ("--05-01", None),
    ],
)
def test_who_is_born_a_generation_apart_is_father_and_son(born: str, expected: Veto | None) -> None:
    """A slip, some years or a form's default are no generation."""
    son = a_profile("Jordan Barnes", birthday="2009-01-10", **HOME)
    assert veto(son, a_profile("Jordan Barnes", birthday=born, **HOME)) is expected


def test_generations_need_a_line_or_a_street_in_common_and_nothing_of_ones_own() -> None:
    son, father = ({"birthday": born} for born in ("2009-01-10", "1982-05-01"))
    name = "Jordan Barnes"
    assert veto(a_profile(name, **son), a_profile(name, **father)) is None
    at_home = {"addresses": HOME["addresses"]}
    assert veto(a_profile(name, **son, **at_home), a_profile(name, **father, **at_home)) is (
        Veto.GENERATIONS
    )
    at_work = [a_profile(name, company="Acme", **HOME, **born) for born in (son, father)]
    assert veto(*at_work) is None


def test_a_name_becomes_known_when_many_bear_it() -> None:
    left, right = (a_profile(f"{one} Bat", company="Acme") for one in ("Oyunbileg", "Tsetsegmaa"))
    counts = Counts(1_000, {("given", "oyunbileg"): 9, ("given", "tsetsegmaa"): 9})
    assert veto(left, right) is Veto.DOUBT
    assert veto_of(left, right, counts) is Veto.NAMES


def test_father_and_son_are_two() -> None:
    father, son = a_profile(name_suffix="Sr"), a_profile(name_suffix="Jr")
    assert veto(father, son) is Veto.GENERATIONS
    assert veto(son, son) is None
    assert veto(son, a_profile()) is veto(a_profile(), son) is None, "most leave it out"


def test_two_members_of_linkedin_are_two_and_one_is_one_whatever_the_name() -> None:
    mary = a_profile("Mary Smith", urn="urn:li:member:1")
    assert veto(mary, a_profile("Mary Smith", urn="urn:li:member:2")) is Veto.PROFILES
    assert veto(mary, a_profile("John Jones", urn="urn:li:member:1")) is None
    assert veto(mary, a_profile("Mary Smith", urn="urn:li:person:abcdef")) is None


def test_members_that_differ_by_one_kind_of_urn_are_two_from_either_side() -> None:
    mary = a_profile("Mary Smith", urn="urn:li:member:1")
    one, other = (
        replace(mary, values={**mary.values, "linkedin_urn": urns})
        for urns in (
            ("urn:li:member:1", "urn:li:person:a"),
            ("urn:li:person:a", "urn:li:member:2"),
        )
    )
    assert veto(one, other) is veto(other, one) is Veto.PROFILES


def test_names_in_each_others_place_are_compared_crosswise() -> None:
    """A family's address and phone make no `Brown, Dave` of Linda Brown."""
    linda = a_profile("Linda Brown")
    assert veto(linda, a_profile("Brown Linda")) is None
    assert veto(linda, a_profile("Brown L")) is None
    assert veto(linda, a_profile("Brown Dave")) is Veto.DOUBT


def test_papers_excuse_another_name() -> None:
    papers: dict[str, Any] = {"birthday": "1950-01-02", "custom_fields": {"tax_number": "A7719203"}}
    assert veto(a_profile("Mary Smith", **papers), a_profile("Mary Jones", **papers)) is Veto.DOUBT


@pytest.mark.parametrize("street", ["17 High Street flat 2", "Elm Lodge 17 High Street"])
def test_a_flat_or_a_house_left_out_makes_no_other_address(street: str) -> None:
    """With a state's number it is one person's paper, whatever the name; another number is none."""

    def someone(name: str, street: str, birthday: str) -> Profile:
        home = Address(street=street, city="Leeds", postal_code="LS1 4AP")
        number = {"passport_no": "A7719203"}
        return a_profile(name, birthday=birthday, addresses=(home,), custom_fields=number)

    mary = someone("Mary Smith", "17 High Street", "1950-01-02")
    assert veto(mary, someone("John Smith", street, "1951-03-04")) is Veto.DOUBT
    assert veto(mary, someone("John Smith", "19 High Street", "1951-03-04")) is Veto.NAMES


def test_a_number_of_the_state_is_one_persons_and_an_account_is_not() -> None:
    home: dict[str, Any] = {
        "addresses": (Address(street="9 High Street", city="Leeds", postal_code="LS1 4AP"),)
    }
    mary: dict[str, Any] = {"birthday": "1950-01-02", **home}
    john: dict[str, Any] = {"birthday": "1951-03-04", **home}
    for field, expected in (("passport_no", Veto.DOUBT), ("account_no", Veto.NAMES)):
        number: dict[str, Any] = {"custom_fields": {field: "A7719203"}}
        left, right = (
            a_profile("Mary Smith", **mary, **number),
            a_profile("John Smith", **john, **number),
        )
        assert veto(left, right) is expected


@pytest.mark.parametrize(
    ("said", "others", "action"),
    [
        ({}, {}, Action.MERGE),
        ({"birthday": "1950-01-02"}, {"birthday": "1950-01-02"}, Action.MERGE),
        ({"birthday": "1950-01-02"}, {"birthday": "1959-05-06"}, Action.FLAG),
        ({"birthday": "1950-01-02"}, {"birthday": "1981-05-06"}, Action.REVIEW),
        ({"ssn": "078051120"}, {"ssn": "219099999"}, Action.FLAG),
        (
            {"birthday": "1950-01-02", "ssn": "078051120"},
            {"birthday": "1950-01-02", "ssn": "219099999"},
            Action.FLAG,
        ),
        (
            {"birthday": "1950-01-02", "ssn": "078051120"},
            {"birthday": "1959-05-06", "ssn": "219099999"},
            Action.FLAG,
        ),
        ({"account": "07805112"}, {"account": "21909999"}, Action.MERGE),
    ],
)
def test_papers_that_differ_keep_a_machine_from_merging_silently(
    said: dict[str, str], others: dict[str, str], action: Action
) -> None:
    """Father and son: one name, one house, one phone. Papers have slips; a generation is none."""

    def someone(papers: dict[str, str]) -> Profile:
        home = Address(street="9 High Street", city="Leeds", postal_code="LS1 4AP")
        custom = {name: value for name, value in papers.items() if name != "birthday"}
        return a_profile(
            "Erasmus Ptolemy",
            phone="+442079460100",
            birthday=papers.get("birthday"),
            addresses=(home,),
            custom_fields=custom,
        )

    assert judge(someone(said), someone(others)).action is action


def test_an_address_and_an_employer_make_nobody_of_another_name_the_same() -> None:
    same: dict[str, Any] = {
        "company": "Gobi Cashmere",
        "title": "Accountant",
        "addresses": (Address(street="9 Peace Avenue", city="Ulaanbaatar", postal_code="14200"),),
    }
    verdict = judge(a_profile("Oyunbileg Bat", **same), a_profile("Tsetsegmaa Bat", **same))
    assert verdict.veto is Veto.DOUBT
    assert verdict.action is Action.REVIEW


def test_without_an_agreeing_name_an_address_says_nothing() -> None:
    home: dict[str, Any] = {
        "addresses": (Address(street="9 High Street", city="Leeds", postal_code="LS1 4AP"),)
    }
    verdict = judge(a_profile("Mary Smith", **home), a_profile("Xqvw Rtplk", **home))
    assert verdict.tier is Tier.NONE
    assert verdict.action is Action.NOTHING


def test_a_day_in_a_custom_field_proves_nothing() -> None:
    connected: dict[str, Any] = {"custom_fields": {"linkedin_connected_on": "2023-10-10"}}
    left = a_profile("Hamza Marchetti", company="Quillon Press", **connected)
    right = a_profile("Cillian Byrne", company="Quillon Press", **connected)
    assert judge(left, right).action is Action.NOTHING


@pytest.mark.parametrize("street", ["3504 Burgess Vista", "15204 1st Ave", "12045 Elm"])
def test_a_street_in_a_custom_field_is_a_households(street: str) -> None:
    home: dict[str, Any] = {"custom_fields": {"residence": street}}
    verdict = judge(a_profile("Karen Norton", **home), a_profile("Deanna Norton", **home))
    assert verdict.action <= Action.REVIEW
    assert verdict.tier is Tier.LOW


def test_colleagues_with_one_given_name_are_two_however_alike_their_mailboxes() -> None:
    same: dict[str, Any] = {"company": "Oriel Health", "title": "Founder"}
    left = a_profile("Anouk Dubois", email="anoukd36@example.net", **same)
    assert judge(left, a_profile("Anouk Raghunathan", **same)).action is Action.NOTHING
    right = a_profile("Anouk Raghunathan", email="anoukr96@example.net", **same)
    assert judge(left, right).action <= Action.REVIEW


def test_people_numbered_one_after_the_other_are_many() -> None:
    left, right = (
        a_profile(
            f"Ada Person{number}",
            email=f"person{number}@acme.com",
            phone=f"+1415555{number:04}",
            company=f"Plant {number}",
            title="Chief Technology Officer",
            city="Paris",
        )
        for number in (4217, 4271)
    )
    verdict = judge(left, right)
    assert verdict.action is Action.NOTHING
    levels = {one.attribute: one.level for one in verdict.score.signals}
    assert levels["family"] == levels["email"] == levels["company"] == "numbered"
    assert levels["phone"] == "neighbour"


def test_a_veto_beats_any_score() -> None:
    same: dict[str, Any] = {"email": "home@smith.org", "phone": "+14155550100", "city": "Paris"}
    verdict = judge(a_profile("Mary Smith", **same), a_profile("John Smith", **same))
    assert verdict.action <= Action.REVIEW
    assert verdict.link.is_barred


def test_nothing_merges_through_a_role_mailbox() -> None:
    left = a_profile("Mary Smith", email="info@acme.com", company="Acme")
    right = a_profile("Rob Brown", email="info@acme.com", company="Acme")
    assert judge(left, right).action <= Action.REVIEW
    assert not {key for key in blocking_keys(left) if "info" in key}


@pytest.mark.parametrize(
    ("left", "right", "tier"),
    [
        (a_profile(email="a@b.com"), a_profile(email="a@b.com"), Tier.EXACT),
        (a_profile(company="Acme", title="CTO"), a_profile(company="Acme", title="CTO"), Tier.HIGH),
        (a_profile(birthday="1815-12-10"), a_profile(birthday="1815-12-10"), Tier.HIGH),
        (a_profile(company="Acme"), a_profile(company="Acme"), Tier.MEDIUM),
        (a_profile(city="London"), a_profile(city="London"), Tier.MEDIUM_PLACE),
        (a_profile(), a_profile(), Tier.LOW),
        (a_profile(), a_profile("Bob Ng"), Tier.NONE),
    ],
)
def test_tiers_are_the_customers(left: Profile, right: Profile, tier: Tier) -> None:
    assert judge(left, right).tier is tier


def test_thresholds_and_tiers_bind_together() -> None:
    assert [Thresholds().action_at(p) for p in (0.95, 0.94, 0.60, 0.59, 0.20, 0.19)] == [
        Action.MERGE,
        Action.FLAG,
        Action.FLAG,
        Action.REVIEW,
        Action.REVIEW,
        Action.NOTHING,
    ]
    eager = Matcher(MATCHER.scorer, Thresholds(merge=0.0, merge_and_flag=0.0, review=0.0))
    named = eager.judge(a_profile(city="London"), a_profile(city="London"), Counts())
    assert named.action is Action.REVIEW
