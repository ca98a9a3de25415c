"""Two given names under one line, mailbox and address: merged, and marked for a look."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.resolver.domain.matching.evidence import EvidenceScorer
from services.resolver.domain.matching.holding import sure_groups
from services.resolver.domain.matching.linking import Matcher, Verdict
from services.resolver.domain.matching.model import Profile
from services.resolver.domain.matching.partitioning import partition
from services.resolver.domain.matching.spec import SpecScorer
from services.resolver.domain.matching.statistics import Counts
from services.resolver.domain.matching.tiers import Action
from services.resolver.domain.matching.vetoes import Veto
from services.resolver.domain.matching.weights import default_weights
from shared.events.signal import Address
from tests.unit.resolver.matching.people import a_profile

MATCHER = Matcher(EvidenceScorer(default_weights()))
COUNTS = Counts(2_000)
HOME: dict[str, Any] = {
    "email": "oliverfamily@aol.com",
    "phone": "+441308935338",
    "addresses": (Address(street="902 Rose Ferry", city="Lake Grace", postal_code="N4F 5QL"),),
}


def judge(left: Profile, right: Profile) -> Verdict:
    return MATCHER.judge(left, right, COUNTS)


def at_home(name: str, **more: Any) -> Profile:
    return a_profile(name, **{**HOME, **more})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("F Oliver", "Francesca Oliver"),
        ("F Oliver", "F Oliver"),
        ("Joe Oliver", "Joel Oliver"),
        ("Carole Oliver", "Carolyn Oliver"),
        ("Alexander Oliver", "Alexandra Oliver"),
        ("Mari Oliver", "Marl Oliver"),
    ],
)
def test_what_a_household_shares_merges_nobody_unmarked(one: str, other: str) -> None:
    """A letter, a short form, a pet form, a name that is much like another."""
    verdict = judge(at_home(one), at_home(other))
    assert (verdict.veto, verdict.action) == (Veto.HOUSEHOLD, Action.FLAG)
    assert not verdict.link.is_barred


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Francesca Oliver", "Francesca Oliver"),
        ("Francesca Oliver", "Francesca M. Oliver"),
        ("Francesca Oliver", "Francsca Oliver"),
    ],
)
def test_one_given_name_or_a_slip_of_it_is_not_doubted(one: str, other: str) -> None:
    verdict = judge(at_home(one), at_home(other))
    assert (verdict.veto, verdict.action) == (None, Action.MERGE)


@pytest.mark.parametrize(
    "own",
    [
        {"linkedin": "francesca-oliver-1"},
        {"company": "Analytical Engines"},
        {"title": "Harbour pilot"},
        {"birthday": "1990-07-21"},
        {"custom_fields": {"member_no": "63350042"}},
        {"custom_fields": {"passport": "C01X00T47"}},
    ],
)
def test_something_of_ones_own_settles_a_short_form(own: dict[str, Any]) -> None:
    verdict = judge(at_home("F Oliver", **own), at_home("Francesca Oliver", **own))
    assert (verdict.veto, verdict.action) == (None, Action.MERGE)


@pytest.mark.parametrize(
    "shared",
    [
        {"birthday": "2014-08-11"},
        {"custom_fields": {"policy_no": "QFT000042"}},
        {"custom_fields": {"guardian": "Patricia Parrish"}},
    ],
)
def test_twins_share_a_birthday_and_spouses_an_account(shared: dict[str, Any]) -> None:
    verdict = judge(at_home("Emily T Wong", **shared), at_home("Teresa E Wogn", **shared))
    assert (verdict.veto, verdict.action) == (Veto.HOUSEHOLD, Action.FLAG)


def test_a_year_of_birth_is_of_many() -> None:
    born = {"birthday": "1990"}
    verdict = judge(at_home("F Oliver", **born), at_home("Francesca Oliver", **born))
    assert verdict.action is Action.FLAG


def test_two_identifiers_excuse_a_doubtful_name_not_within_a_household() -> None:
    crossed = at_home("Santiago Christine"), at_home("Kristi Santiago")
    assert judge(*crossed).veto is Veto.HOUSEHOLD
    work = {"company": "Analytical Engines"}
    excused = judge(at_home("Santiago Christine", **work), at_home("Kristi Santiago", **work))
    assert (excused.veto, excused.action) == (Veto.DOUBT, Action.MERGE)


def test_the_formula_of_the_customer_is_left_alone() -> None:
    spec = Matcher(SpecScorer())
    verdict = spec.judge(at_home("F Oliver"), at_home("Francesca Oliver"), COUNTS)
    assert verdict.veto is None


def test_who_hangs_by_a_short_name_is_on_a_thread() -> None:
    """At the gate, too: it joins `F Oliver` to whoever has the line, and the join is marked."""
    full = at_home("Francesca Oliver")
    records = {"a": full, "b": full, "c": at_home("F Oliver")}
    assert sure_groups(records, MATCHER, COUNTS) == [("a", "b"), ("c",)]


def test_the_flag_does_not_depend_on_the_order() -> None:
    records = {
        b"a": at_home("Francesca Oliver"),
        b"b": at_home("Francesca Oliver"),
        b"c": at_home("F Oliver"),
    }
    found = {
        partition(
            order, lambda one, other: judge(records[one], records[other]).link, MATCHER.rules()
        )
        for order in permutations(records)
    }
    (only,) = found
    assert only.groups == ((b"a", b"b", b"c"),)
    assert [step.action for step in only.steps] == [Action.MERGE, Action.FLAG]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Oliver", "Mari"), ("Marl", "Oliver")),
        (("Carole", "Oliver"), ("Oliver", "Carolyn")),
        (("F", "Oliver"), ("Oliver", "Francesca")),
    ],
)
def test_names_in_each_others_place_are_doubted_from_either_side(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    left, right = (at_home("", first_name=first, last_name=last) for first, last in (one, other))
    assert judge(left, right).veto is judge(right, left).veto is Veto.HOUSEHOLD
    same = at_home("", first_name=one[1], last_name=one[0])
    assert judge(left, same).veto is judge(same, left).veto


def test_one_name_in_either_order_is_one_name() -> None:
    left = at_home("", first_name="Carole", last_name="Oliver")
    same = at_home("", first_name="Oliver", last_name="Carole")
    assert judge(left, same).veto is judge(same, left).veto is None


_GIVEN = ("F", "Francesca", "Fran", "Frank", "Mari", "Marl", "Kristi", "Francesca Ann", "")
_FAMILY = ("Oliver", "Olvier", "Oliver-Reed", "Francesca")
_MORE: tuple[dict[str, Any], ...] = (
    {},
    {"birthday": "1990-07-21"},
    {"company": "Analytical Engines"},
    {"custom_fields": {"member_no": "63350042"}},
)


@settings(max_examples=200, deadline=None)
@given(
    names=st.tuples(
        *(st.tuples(st.sampled_from(_GIVEN), st.sampled_from(_FAMILY)) for _ in range(2))
    ),
    more=st.tuples(st.sampled_from(_MORE), st.sampled_from(_MORE)),
)
def test_the_sides_do_not_matter_and_nobody_is_kept_apart(
    names: tuple[tuple[str, str], tuple[str, str]],
    more: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    left, right = (
        at_home(" ".join(name).strip(), **said) for name, said in zip(names, more, strict=True)
    )
    one, other = judge(left, right), judge(right, left)
    assert (one.veto, one.action) == (other.veto, other.action)
    if one.veto is Veto.HOUSEHOLD:
        assert one.action is Action.FLAG
        assert not one.link.is_barred
