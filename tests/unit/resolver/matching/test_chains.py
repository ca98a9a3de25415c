"""What identifiers in common make of records, and where they contradict one another."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.resolver.domain.matching.chains import Chains, are_colleagues, differ, is_clear
from services.resolver.domain.matching.evidence import EvidenceScorer
from services.resolver.domain.matching.linking import Matcher, Verdict
from services.resolver.domain.matching.model import Profile
from services.resolver.domain.matching.partitioning import Link, Record
from services.resolver.domain.matching.statistics import Counts
from services.resolver.domain.matching.tiers import Action
from services.resolver.domain.matching.weights import default_weights
from tests.unit.resolver.matching.people import a_profile

MATCHER = Matcher(EvidenceScorer(default_weights()))
LEAST = MATCHER.least(Action.FLAG)
MAIL, PHONE = "ada@example.com", "+14155550100"

COUNTS = Counts(
    20_000,
    {("given", "ada"): 2_000, ("family", "lovelace"): 2_000}
    | {("company", name): 2_000 for name in ("engines", "engines ltd")},
)
"""A base in which one name and one employer say nothing: what is shared is not raised by them."""


def ada(**said: Any) -> Profile:
    return a_profile("Ada Lovelace", **said)


def linked(**records: Profile) -> dict[str, Link]:
    """Return how records compare by their chain, where that is more than by themselves."""
    profiles = {name.encode(): profile for name, profile in records.items()}

    def judge(one: Record, other: Record) -> Verdict:
        return MATCHER.judge(profiles[one], profiles[other], COUNTS)

    chains = Chains(profiles, judge)
    links = {}
    for one, other in combinations(sorted(profiles), 2):
        plain = judge(one, other).link
        link = chains.link(one, other, LEAST)
        if link != plain:
            links[f"{one.decode()}-{other.decode()}"] = link
    return links


def test_the_same_mailbox_is_worth_a_flagged_merge_whatever_else_is_said() -> None:
    links = linked(
        a=ada(email=MAIL, phone=PHONE, company="Engines"),
        b=ada(email=MAIL, phone="+442079460000", company="Difference Ltd"),
    )
    (link,) = links.values()
    assert link == Link(link.weight, Action.MERGE)
    assert link.weight == pytest.approx(LEAST)
    assert MATCHER.rules().action_at(link.weight) is Action.FLAG


def at_work(mailbox: str, **said: Any) -> Profile:
    """Return a record of an employer's, with a mailbox there."""
    return ada(email=f"{mailbox}@engines.example", company="Engines", **said)


def are_two(one: Profile, other: Profile) -> bool:
    """Tell whether two are colleagues: what they share is not raised to the least."""
    verdict = MATCHER.judge(one, other, COUNTS)
    assert verdict.link.weight < LEAST
    are = are_colleagues(one, other, verdict.score.signals)
    assert are_colleagues(other, one, verdict.score.signals) is are
    assert bool(linked(a=one, b=other)) is not are
    return are


def test_two_mailboxes_of_one_employer_are_weighed_though_they_answer_one_line() -> None:
    assert are_two(at_work("ada", phone=PHONE), at_work("lovelace", phone=PHONE))


def test_a_mailbox_at_home_contradicts_none_at_work() -> None:
    at_home = ada(email="ada@gmail.com", phone=PHONE)
    assert not are_two(at_work("ada", phone=PHONE), at_home)
    assert not are_two(ada(email="lovelace@gmail.com", phone=PHONE), at_home)
    assert not are_two(at_work("ada", phone=PHONE), ada(email=MAIL, phone=PHONE))


@pytest.mark.parametrize("switchboard", [PHONE, "+442079460000"])
def test_two_extensions_at_one_employer_are_weighed_though_they_share_a_mailbox(
    switchboard: str,
) -> None:
    desks = [f"{PHONE};ext=12", f"{switchboard};ext=34"]
    assert are_two(*(at_work("ada", phone=desk) for desk in desks))
    at_home: Any = {"email": "ada@gmail.com", "company": "Engines Ltd"}
    assert are_two(*(ada(phone=desk, **at_home) for desk in desks))


def test_a_mobile_contradicts_no_extension_nor_do_extensions_of_two_employers() -> None:
    desk = f"{PHONE};ext=12"
    assert not are_two(at_work("ada", phone=desk), at_work("ada", phone="+442079460000"))
    assert not are_two(at_work("ada", phone=desk), at_work("ada", phone=PHONE))
    assert not are_two(
        ada(email="ada@gmail.com", phone=desk, company="Engines"),
        ada(email="ada@gmail.com", phone="+442079460000;ext=34", company="Looms"),
    )


def test_a_slip_of_the_pen_makes_no_second_mailbox() -> None:
    one, other = (at_work(mailbox, phone=PHONE) for mailbox in ("lovelace", "lovelcae"))
    assert not are_colleagues(one, other, MATCHER.judge(one, other, COUNTS).score.signals)


def test_what_colleagues_share_holds_no_chain() -> None:
    links = linked(
        a=at_work("ada", phone=PHONE),
        b=at_work("lovelace", phone=PHONE),
        c=ada(email="ada@engines.example"),
    )
    assert links.keys() == {"a-c"}


def test_of_two_identifiers_that_are_worth_the_least_what_says_more_comes_first() -> None:
    links = linked(
        a=ada(phone=PHONE, email="ada@engines.example"),
        b=ada(phone=PHONE, email=MAIL),
        c=ada(phone="+442079460000", email=MAIL),
    )
    by_phone, by_mail = links["a-b"], links["b-c"]
    assert by_phone.weight > by_mail.weight == pytest.approx(LEAST)


def test_evidence_orders_what_is_raised_and_outweighs_nothing_however_high_the_least() -> None:
    """A tenant whose least is 35 bits: an identifier alone stays below what says more by itself."""
    least = 35.0
    profiles = {
        b"a": ada(phone=PHONE, email="ada@engines.example"),
        b"b": ada(phone=PHONE, email=MAIL, company="Engines", title="Chief", city="London"),
        b"c": ada(phone=PHONE, email=MAIL, company="Engines", title="Chief", city="London"),
    }

    def judge(one: Record, other: Record) -> Verdict:
        weight = {b"a": 20.0, b"b": least + 2}[one]
        verdict = MATCHER.judge(profiles[one], profiles[other], Counts())
        return replace(verdict, link=verdict.link._replace(weight=weight))

    chains = Chains(profiles, judge)
    assert chains.link(b"a", b"b", least).weight == pytest.approx(least)
    assert chains.link(b"b", b"c", least).weight == pytest.approx(least + 2)


def test_a_mailbox_alone_says_so_too() -> None:
    assert linked(a=a_profile(None, email=MAIL), b=ada(email=MAIL, phone=PHONE))


def test_the_ends_of_a_chain_are_together_while_they_do_not_contradict() -> None:
    ends = {"a": ada(email=MAIL), "b": ada(email=MAIL, phone=PHONE), "c": ada(phone=PHONE)}
    assert "a-c" in linked(**ends)
    assert "a-c" not in linked(**{**ends, "a": ada(email=MAIL, phone="+442079460000")})


def test_no_chain_leads_over_names_papers_or_profiles_that_deny_it() -> None:
    assert not linked(a=ada(email=MAIL), b=a_profile("Charles Babbage", email=MAIL))
    assert not linked(
        a=ada(email=MAIL, birthday="1815-12-10"), b=ada(email=MAIL, birthday="1843-05-02")
    )
    assert not linked(a=ada(email=MAIL, linkedin="ada"), b=ada(email=MAIL, linkedin="lovelace"))
    nameless = a_profile(None, email=MAIL)
    ends = linked(a=ada(email=MAIL), b=nameless, c=a_profile("Charles Babbage", email=MAIL))
    assert ends.keys() == {"a-b", "b-c"}


def test_only_what_both_know_differs() -> None:
    assert differ(ada(email=MAIL, phone=PHONE), ada(email=MAIL, phone="+442079460000"))
    assert not differ(ada(email=MAIL), ada(phone=PHONE))
    assert not differ(ada(), ada())


def test_clear_is_who_identifiers_alone_make_one() -> None:
    both = ada(email=MAIL, phone=PHONE)
    assert is_clear([])
    assert is_clear([ada()])
    assert is_clear([ada(email=MAIL), both, ada(phone=PHONE)])
    assert not is_clear([ada(email=MAIL), ada(phone=PHONE)])
    assert not is_clear([both, ada(email=MAIL, phone="+442079460000")])


def test_nobody_is_clear_whose_names_or_papers_may_deny_it() -> None:
    assert not is_clear([ada(email=MAIL), a_profile("Charles Babbage", email=MAIL)])
    assert not is_clear(
        [ada(email=MAIL, birthday="1815-12-10"), ada(email=MAIL, birthday="1843-05-02")]
    )
    assert is_clear([ada(email=MAIL, birthday="1815-12-10"), ada(email=MAIL)])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ef"), st.sampled_from("pq-")), max_size=6), st.randoms())
def test_a_chain_does_not_depend_on_the_order_of_its_records(
    said: list[tuple[str, str]], dice: Any
) -> None:
    phones = {"p": PHONE, "q": "+442079460000"}
    records = {
        f"r{place}": ada(
            email=f"{mail}@example.com", **({"phone": phones[phone]} if phone in phones else {})
        )
        for place, (mail, phone) in enumerate(said)
    }
    names = list(records)
    dice.shuffle(names)
    assert linked(**records) == linked(**{name: records[name] for name in names})
    assert is_clear(list(records.values())) == is_clear([records[name] for name in names])
