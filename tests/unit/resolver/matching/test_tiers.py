"""What the evidence of a pair allows: a table of cases, each just beside another."""

import pytest

from services.resolver.domain.matching.model import IDENTIFIERS, Signal
from services.resolver.domain.matching.tiers import Action, Tier, allowed, tier_of
from services.resolver.domain.matching.vetoes import BARS, Veto

NUMBER, ANOTHER, WORD = "078-05-1120", "219-09-9999", "Blue"


def signals(**levels: str) -> list[Signal]:
    """Compare two records, attribute by attribute; of custom fields `code` and `ssn` are numbers.

    `colour` holds words, and `nino` words where a state's number is asked for.
    """
    numbers, words = {"code", "ssn"}, {"colour", "nino"}
    return [
        Signal(
            f"custom:{name}" if name in numbers | words else name,
            level,
            WORD if name in words else NUMBER,
            WORD if name in words else (NUMBER if level == "equal" else ANOTHER),
            0.0,
        )
        for name, level in levels.items()
    ]


@pytest.mark.parametrize("identifier", sorted(IDENTIFIERS))
def test_an_equal_identifier_is_exact_and_a_similar_one_a_hint(identifier: str) -> None:
    assert tier_of(signals(**{identifier: "equal"})) is Tier.EXACT
    assert tier_of(signals(**{identifier: "near"})) is Tier.LOW
    assert tier_of(signals(given="equal", **{identifier: "near"})) is Tier.HIGH
    assert tier_of(signals(**{identifier: "shared"})) is Tier.NONE


@pytest.mark.parametrize(
    ("agreeing", "tier"),
    [
        ("", Tier.NONE),
        ("given", Tier.LOW),
        ("family", Tier.LOW),
        ("given city", Tier.MEDIUM_PLACE),
        ("given title", Tier.MEDIUM_PLACE),
        ("given company", Tier.MEDIUM),
        ("given company title", Tier.HIGH),
        ("given domain", Tier.HIGH),
        ("given title city", Tier.MEDIUM),
        ("given street", Tier.HIGH),
        ("given postcode", Tier.HIGH),
        ("given birthday", Tier.HIGH),
        ("given code", Tier.HIGH),
        ("given colour", Tier.LOW),
        ("birthday", Tier.NONE),
        ("code", Tier.NONE),
        ("city", Tier.NONE),
        ("street city postcode", Tier.NONE),
        ("company title domain", Tier.NONE),
        ("company city", Tier.MEDIUM),
    ],
)
def test_what_agrees_makes_the_tier(agreeing: str, tier: Tier) -> None:
    names = agreeing.split()
    assert tier_of(signals(**dict.fromkeys(names, "equal"))) is tier
    others = {"state": "differ", "country": "differ"}
    assert tier_of(signals(**others, **dict.fromkeys(names, "equal"))) is tier


@pytest.mark.parametrize(
    ("level", "agrees"),
    [
        *((level, True) for level in ("equal", "nickname", "near", "subset", "prefix")),
        *((level, True) for level in ("initial", "similar", "local")),
        *((level, False) for level in ("part", "loose", "remote", "named", "neighbour")),
        *((level, False) for level in ("shared", "line", "numbered", "differ")),
    ],
)
def test_some_levels_agree_and_others_do_not(level: str, agrees: bool) -> None:
    assert tier_of(signals(given=level)) is (Tier.LOW if agrees else Tier.NONE)


@pytest.mark.parametrize(
    ("levels", "action"),
    [
        ({"email": "equal"}, Action.MERGE),
        ({"email": "equal", "birthday": "differ"}, Action.FLAG),
        ({"email": "equal", "birthday": "similar"}, Action.MERGE),
        ({"email": "equal", "ssn": "differ"}, Action.FLAG),
        ({"email": "equal", "code": "differ"}, Action.MERGE),
        ({"email": "equal", "nino": "differ"}, Action.MERGE),
        ({"given": "equal", "birthday": "equal"}, Action.FLAG),
        ({"given": "equal", "company": "equal"}, Action.FLAG),
        ({"given": "equal", "city": "equal"}, Action.REVIEW),
        ({"given": "equal"}, Action.REVIEW),
        ({"city": "equal"}, Action.NOTHING),
    ],
)
def test_a_tier_allows_so_much_and_other_papers_less(
    levels: dict[str, str], action: Action
) -> None:
    assert allowed(signals(**levels), None) is action
    assert allowed(signals(**levels), Veto.EVIDENCE) is action


def test_a_number_beside_a_word_is_no_paper() -> None:
    differing = Signal("custom:ssn", "differ", NUMBER, WORD, 0.0)
    assert allowed([*signals(email="equal"), differing], None) is Action.MERGE


@pytest.mark.parametrize("veto", sorted(BARS))
def test_after_a_bar_only_a_person_merges(veto: Veto) -> None:
    proofs = {"email": "equal", "phone": "equal", "birthday": "equal"}
    assert allowed(signals(**proofs), veto) is Action.REVIEW
    assert allowed(signals(city="equal"), veto) is Action.NOTHING


@pytest.mark.parametrize(
    ("levels", "action"),
    [
        ({"email": "equal"}, Action.FLAG),
        ({"email": "equal", "phone": "near"}, Action.FLAG),
        ({"email": "equal", "phone": "equal"}, Action.MERGE),
        ({"email": "equal", "birthday": "equal"}, Action.FLAG),
        ({"email": "equal", "phone": "equal", "birthday": "differ"}, Action.FLAG),
    ],
)
def test_two_identifiers_excuse_a_doubtful_name(levels: dict[str, str], action: Action) -> None:
    assert allowed(signals(**levels), Veto.DOUBT) is action


@pytest.mark.parametrize(
    ("agreeing", "action"),
    [
        ("given company", Action.NOTHING),
        ("given company title", Action.NOTHING),
        ("given street city", Action.NOTHING),
        ("given company street", Action.REVIEW),
        ("company street", Action.NOTHING),
        ("given birthday", Action.FLAG),
        ("given code", Action.FLAG),
    ],
)
def test_another_name_is_excused_by_papers_and_by_nothing_that_many_have(
    agreeing: str, action: Action
) -> None:
    levels = dict.fromkeys(agreeing.split(), "equal")
    assert allowed(signals(**levels), Veto.DOUBT) is action
    for veto in (Veto.NAMES, Veto.RELATIVES):
        assert allowed(signals(**levels), veto) is min(action, Action.REVIEW)


def test_a_similar_mailbox_leaves_another_name_to_a_person() -> None:
    assert allowed(signals(given="equal", email="near"), Veto.DOUBT) is Action.REVIEW
    assert allowed(signals(given="equal", email="near"), None) is Action.FLAG


def test_two_generations_with_one_name_are_shown_whatever_they_share() -> None:
    for veto in (Veto.GENERATIONS, Veto.PROFILES):
        assert allowed(signals(given="equal", company="equal"), veto) is Action.REVIEW


@pytest.mark.parametrize(
    ("agreeing", "action"),
    [
        ("street postcode city domain", Action.NOTHING),
        ("street company title", Action.FLAG),
        ("street phone", Action.MERGE),
        ("street birthday", Action.FLAG),
        ("street code", Action.FLAG),
    ],
)
def test_who_shares_no_letter_of_a_name_is_one_by_identifiers_or_papers_alone(
    agreeing: str, action: Action
) -> None:
    """Well-formed or not: one house has many people, and one of them may be misspelt."""
    levels = dict.fromkeys(agreeing.split(), "equal")
    assert allowed(signals(given="differ", family="differ", **levels), None) is action
    one_part = signals(given="differ", family="loose", **levels)
    assert allowed(one_part, None) >= action
