"""Which records of a contact hold together surely, and which hang on a thread."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.resolver.domain.matching.evidence import EvidenceScorer
from services.resolver.domain.matching.holding import sure_groups, threads
from services.resolver.domain.matching.linking import Matcher
from services.resolver.domain.matching.model import Profile
from services.resolver.domain.matching.statistics import Counts
from services.resolver.domain.matching.weights import default_weights
from tests.unit.resolver.matching.people import a_profile

MATCHER = Matcher(EvidenceScorer(default_weights()))
FULL = {"email": "ada@example.com", "phone": "+14155550100", "company": "Analytical Engines"}
THIN = {"email": "ada@example.com"}


def groups(**records: Profile) -> list[tuple[str, ...]]:
    return sure_groups(records, MATCHER, Counts(50_000))


def test_two_identifiers_hold_and_one_is_a_thread() -> None:
    full = a_profile("Ada Lovelace", **FULL)
    thin = a_profile("Ada Lovelace", **THIN)
    assert groups(a=thin, b=full, c=full) == [("b", "c"), ("a",)]


def test_what_holds_one_of_them_holds_all() -> None:
    """Through another record, with which each of two that share nothing shares two things."""
    mail = a_profile("Ada Lovelace", email="ada@example.com", birthday="1815-12-10")
    both = a_profile("Ada Lovelace", **FULL, birthday="1815-12-10")
    home = a_profile("Ada Lovelace", phone="+14155550100", birthday="1815-12-10")
    assert groups(a=mail, b=both, c=home) == [("a", "b", "c")]


def test_a_thread_is_told_by_the_comparison_in_which_it_agrees_best() -> None:
    other_city = a_profile("Ada Lovelace", **FULL, city="London")
    full = a_profile("Ada Lovelace", **FULL)
    thin = a_profile("Ada Lovelace", **THIN, city="Paris")
    found = threads({"a": thin, "b": other_city, "c": full}, MATCHER, Counts(50_000))
    assert found == {"a": MATCHER.judge(thin, full, Counts(50_000))}
    assert threads({"b": other_city, "c": full}, MATCHER, Counts(50_000)) == {}
    assert threads({}, MATCHER, Counts(50_000)) == {}


def test_one_record_is_a_group_and_nothing_is_none() -> None:
    assert groups(a=a_profile("Ada Lovelace")) == [("a",)]
    assert groups() == []


@settings(max_examples=20, deadline=None)
@given(kinds=st.lists(st.sampled_from(["full", "thin", "other"]), max_size=7))
def test_every_record_is_in_one_group(kinds: list[str]) -> None:
    said = {
        "full": a_profile("Ada Lovelace", **FULL),
        "thin": a_profile("Ada Lovelace", **THIN),
        "other": a_profile("Alan Turing", email="alan@example.com"),
    }
    records = {f"r{number}": said[kind] for number, kind in enumerate(kinds)}
    found = sure_groups(records, MATCHER, Counts(50_000))
    assert sorted(record for group in found for record in group) == sorted(records)
    assert [len(group) for group in found] == sorted(map(len, found), reverse=True)
    backwards = dict(reversed(records.items()))
    assert sure_groups(backwards, MATCHER, Counts(50_000)) == found
