"""Which contacts are compared, and what comes of it."""

from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.resolver.domain.blocks import key_contacts, plan_blocks
from services.resolver.domain.matches import Asked, Known, Matches, compare, match, repeating
from services.resolver.domain.matching.blocking import HOT
from services.resolver.domain.matching.evidence import EvidenceScorer
from services.resolver.domain.matching.linking import Matcher
from services.resolver.domain.matching.model import Scorer
from services.resolver.domain.matching.profile import profile_of
from services.resolver.domain.matching.spec import SpecScorer
from services.resolver.domain.matching.statistics import Counts, count_all
from services.resolver.domain.matching.tiers import Action, Thresholds
from services.resolver.domain.matching.weights import default_weights
from shared.events.signal import Identifier
from tests.support.signals import a_signal, digest

MATCHER = Matcher(EvidenceScorer(default_weights()))
ALIKE = {
    "name": "Adalbert Lovelace",
    "company": "Analytical Engines",
    "title": "Chief Mathematician",
    "addresses": ({"city": "Marylebone"},),
}

PINE = {"company": "Pine Valley Partners"}


def a_record(contact: int, **said: Any) -> tuple[bytes, Known]:
    facts = a_signal(**said).facts
    return digest(contact, repr(said)), Known(contact, profile_of(facts))


def matched(
    *records: tuple[bytes, Known],
    apart: Collection[tuple[int, int]] = (),
    waiting: Collection[tuple[int, int]] = (),
    **told: Collection[int],
) -> Matches:
    known = dict(records)
    contacts = {one.contact for one in known.values()}
    return match(
        known,
        {contact: sorted(contacts - {contact}) for contact in contacts},
        MATCHER,
        count_all([one.profile for one in known.values()]),
        Asked(frozenset(apart), frozenset(waiting)),
        **told,
    )


def test_records_that_say_the_same_make_one_contact() -> None:
    found = matched(
        a_record(1, email="adalbert.lovelace@engines.example", **ALIKE),
        a_record(2, email="adalbert.lovelace@gmail.com", **ALIKE),
    )
    (merge,) = found.merges
    assert merge.pair == (1, 2)
    assert merge.action >= Action.FLAG
    assert found.reviews == []


def test_two_contacts_compare_alone_as_in_a_batch() -> None:
    records = dict(
        [
            a_record(1, email="adalbert.lovelace@engines.example", **ALIKE),
            a_record(1, name="A. Lovelace", email="lovelace@home.example"),
            a_record(2, email="adalbert.lovelace@gmail.com", **ALIKE),
        ]
    )
    (merge,) = matched(*records.items()).merges
    found = compare(records, (1, 2), MATCHER, count_all([one.profile for one in records.values()]))
    assert found is not None
    assert (found.pair, found.action) == (merge.pair, merge.action)
    assert found.verdict.rank == merge.verdict.rank


def test_what_speaks_for_a_pair_is_told_even_where_nothing_is_done_with_it() -> None:
    records = dict(
        [
            a_record(1, email="adalbert.lovelace@engines.example", **ALIKE),
            a_record(2, email="adalbert.lovelace@gmail.com", **ALIKE),
        ]
    )
    apart = Asked(apart=frozenset({(1, 2)}))
    found = compare(records, (2, 1), MATCHER, Counts(), apart)
    assert found is not None
    assert found.pair == (1, 2)
    assert found.action is Action.NOTHING
    assert found.verdict.action >= Action.FLAG
    (mail,) = (one for one in found.verdict.score.signals if one.attribute == "email")
    assert mail.left == "adalbert.lovelace@gmail.com", "of the contact that was named first"
    assert compare(records, (1, 3), MATCHER, Counts()) is None


def test_what_a_person_keeps_apart_is_neither_merged_nor_shown_again() -> None:
    found = matched(
        a_record(1, email="adalbert.lovelace@engines.example", **ALIKE),
        a_record(2, email="adalbert.lovelace@gmail.com", **ALIKE),
        apart={(1, 2)},
    )
    assert found == Matches()


def test_what_waits_for_a_person_is_shown_and_merged_by_nobody_else() -> None:
    """Neither directly, nor through a third contact that is like both."""
    third = a_record(3, email="lovelace@home.example", **ALIKE)
    found = matched(
        a_record(1, email="adalbert.lovelace@engines.example", **ALIKE),
        a_record(2, email="adalbert.lovelace@engines.example", **ALIKE),
        third,
        waiting={(1, 2)},
    )
    (merge,) = found.merges
    assert len({1, 2} & set(merge.pair)) == 1
    (review,) = found.reviews
    assert len({1, 2} & set(review.pair)) == 2


def test_a_phone_backup_joins_another_contact_by_an_equal_phone_alone() -> None:
    phone = "+442079460958"
    known = a_record(1, email="adalbert.lovelace@engines.example", phone=phone, **ALIKE)
    by_mail = a_record(2, email="adalbert.lovelace@engines.example", **ALIKE)
    by_phone = a_record(2, phone=phone, **ALIKE)
    for (record, one), joins in ((by_mail, False), (by_phone, True)):
        found = matched(known, (record, one._replace(is_backup=True)))
        assert [one.pair for one in (found.merges if joins else found.reviews)] == [(1, 2)]
        assert [one.pair for one in (found.reviews if joins else found.merges)] == []


def test_who_says_what_a_phone_backup_repeats_is_held_to_no_stricter_rule() -> None:
    known = a_record(1, email="adalbert.lovelace@engines.example", **ALIKE)
    other, said = a_record(2, email="adalbert.lovelace@engines.example", **ALIKE)
    for first in (digest("lower"), digest("higher")):
        backup = (min(first, other), said._replace(is_backup=True))
        assert matched(known, backup, (max(first, other), said)).merges


def test_contacts_that_meet_by_several_records_are_merged_once() -> None:
    """Either is a person of two jobs, as the other tells: records of one job meet first."""
    jobs = [
        {"company": "Pine Valley Partners", "title": "Broker", "email": "lamar@pine.example"},
        {"company": "Ward & Sons", "title": "Director", "email": "lb@ward.example"},
    ]
    phone = "+14155550187"
    found = matched(
        *(
            a_record(contact, name="Lamar Baker", phone=phone, **job)
            for contact in (1, 2)
            for job in jobs
        ),
        news={1, 2},
    )
    assert [one.pair for one in found.merges] == [(1, 2)]
    assert found.partings == []


def test_the_records_of_one_contact_are_held_together() -> None:
    found = matched(
        a_record(1, email="adalbert.lovelace@engines.example", **ALIKE),
        a_record(1, name="Bertie", phone="+442079460000"),
        a_record(2, email="adalbert.lovelace@gmail.com", **ALIKE),
    )
    assert all(decision.pair == (1, 2) for decision in [*found.merges, *found.reviews])


BROKER = {"name": "Lamar Baker", "title": "Broker", **PINE}
CHAIN = [
    a_record(1, email="lamar@pine.example", phone="+14155550187", **BROKER),
    a_record(1, email="raymond@ward.example", phone="+14155550187", **BROKER),
    a_record(1, email="raymond@ward.example", phone="+12125550111", name="Lamar Baker", **PINE),
]
"""The ends share no identifier, and contradict one another in two; the first two are more alike."""


def test_what_the_ends_of_a_chain_contradict_is_parted_when_something_is_told() -> None:
    (parting,) = matched(*CHAIN, news={1}).partings
    assert parting.contact == 1
    assert parting.leaving == (frozenset({CHAIN[2][0]}),)
    assert parting.records == {record for record, _ in CHAIN}
    assert matched(*CHAIN) == Matches()
    assert matched(*CHAIN, news={1}, whole={1}) == Matches()
    assert matched(*CHAIN, a_record(2, name="Nobody Else"), news={2}) == Matches()


def test_who_repeats_a_record_that_leaves_leaves_with_it() -> None:
    again = (digest("again"), CHAIN[2][1])
    (parting,) = matched(*CHAIN, again, news={1}).partings
    assert sorted(map(len, parting.leaving)) == [2]


def test_a_clear_contact_is_never_parted() -> None:
    """Nothing but a mailbox in common, and another employer each: identifiers decide."""
    found = matched(
        a_record(1, email="ada@x.example", company="Engines", title="Chief"),
        a_record(1, email="ada@x.example", company="Difference", title="Countess"),
        news={1},
    )
    assert found == Matches()


OFFICE = {"email": "office7@engines.example"}
NAMELESS = {**OFFICE, **ALIKE, "name": None}
RICKEY = {**OFFICE, "name": "Rickey Mendoza", "company": "Bronzeleaf"}
SARAH = {**OFFICE, **ALIKE, "name": "Sarah Riggs"}


@pytest.mark.parametrize("holder", [1, 2, 3])
def test_who_is_nameless_goes_where_most_agrees_whoever_held_its_mailbox(holder: int) -> None:
    """Two people whose names deny one another have one mailbox; the gate asks nothing else."""
    nameless, rickey, sarah = (
        a_record(holder, **NAMELESS),
        a_record(1, **RICKEY),
        a_record(2, **SARAH),
    )
    found = matched(nameless, rickey, sarah, news={1, 2, 3})
    match holder:
        case 1:  # identifiers alone hold the two together, and nothing in them denies it
            (parting,) = found.partings
            assert parting.records == {nameless[0], rickey[0]}
            assert not found.merges
        case 2:
            assert not found.partings
        case _:
            assert [decision.pair for decision in found.merges] == [(2, 3)]


LINE, BOX = "+16795550117", "enrique@mona.example"
MEMBER = (Identifier(type="linkedin_public_id", value="mark-331"),)
AT_WORK = {"company": "TotalEnergies", "title": "Data Engineer"}
MONA = {"name": "Mona Collins", "company": "TotalEnergies"}
AT_HOME = {**AT_WORK, "addresses": ({"city": "Malone"},), "more_identifiers": MEMBER}


@pytest.mark.parametrize("news", [(), (1, 2, 3)])
@pytest.mark.parametrize("line", [1, 2])
@pytest.mark.parametrize("mailbox", [1, 3])
def test_who_merges_follows_from_records_whoever_holds_them_and_whatever_is_news(
    line: int, mailbox: int, news: Collection[int]
) -> None:
    """Her line leads to one record that her mailbox contradicts, to which three others lead."""
    by_line = a_record(line, email="bruce@gannon.example", phone=LINE, **MONA)
    records = (
        a_record(1, name="Mona Co", phone=LINE, **AT_HOME),
        by_line,
        a_record(mailbox, email=BOX, **MONA),
        a_record(mailbox, name="Mona Collins", email=BOX, **AT_WORK),
        a_record(1, name="Mona Collins", email=BOX, phone=LINE, **AT_HOME),
    )
    found = matched(*records, news=news)
    if line == 1:
        leaving = [one.leaving for one in found.partings]
        assert leaving == ([(frozenset({by_line[0]}),)] if news else [])
        assert not found.merges
    else:
        assert not found.partings
        assert [one.pair for one in found.merges] == ([] if mailbox == 1 else [(1, 3)])


SAYINGS = {
    "name": ("Mona Collins", "Mona Co", "Mark Collins"),
    "email": (BOX, "bruce@gannon.example", "mona@home.example"),
    "phone": (LINE, "+14155550100"),
    "company": ("TotalEnergies", "Engines"),
    "addresses": (({"city": "Malone"},),),
    "more_identifiers": (MEMBER,),
}
HELD_APART = [
    (2, {"name": "Mona Co", "email": BOX, "addresses": ({"city": "Malone"},)}),
    (2, {**MONA, "email": "mona@home.example", "phone": LINE, "more_identifiers": MEMBER}),
    (1, {"name": "Mona Co", "phone": LINE, "more_identifiers": MEMBER}),
    (1, {**MONA, "email": "bruce@gannon.example", "phone": LINE}),
]
"""One of the two would come apart; once it is held together, the other would."""


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 4),
            st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in SAYINGS.items()}),
        ),
        min_size=3,
        max_size=8,
    )
)
@example(HELD_APART)
def test_whom_nothing_was_told_of_is_whole_whatever_comes_apart_beside_them(
    said: list[tuple[int, dict[str, Any]]],
) -> None:
    """Nobody is parted, two decisions of one pair or a pair of one contact never come up."""
    found = matched(*(a_record(contact, **facts) for contact, facts in said))
    assert not found.partings
    pairs = [one.pair for one in [*found.merges, *found.reviews]]
    assert all(one < other for one, other in pairs)
    assert len(pairs) == len(set(pairs))


def test_doubtful_is_who_links_or_nearly_does_or_may_be_parted() -> None:
    assert matched(*CHAIN, news={1}).doubtful == {1}
    assert matched(a_record(1, **RICKEY), a_record(2, **SARAH), news={1, 2}).doubtful == {1, 2}
    assert not matched(a_record(1, name="Ada Byron"), a_record(2, name="Bo Li")).doubtful
    known = dict([a_record(1, **RICKEY), a_record(2, **SARAH)])
    assert match(known, {2: [1]}, MATCHER, Counts(), news={2}).doubtful == {2}


@pytest.mark.parametrize("merge", [1.0, 0.9999])
@pytest.mark.parametrize("scorer", [EvidenceScorer(default_weights()), SpecScorer()])
def test_thresholds_that_hardly_anything_reaches_part_nobody(scorer: Scorer, merge: float) -> None:
    """A tenant that leaves merges to people still has one contact of one phone."""
    phone = "+14155550187"
    records = dict(
        a_record(1, name="Lamar Baker", phone=phone, email=email)
        for email in ("lamar@pine.example", "lb@ward.example")
    )
    matcher = Matcher(scorer, Thresholds(1.0, merge, 0.2))
    counts = count_all([known.profile for known in records.values()])
    assert match(records, {1: []}, matcher, counts, news={1}) == Matches()


def test_to_say_the_same_again_proves_nothing() -> None:
    """A vendor's answer in three systems is one piece of evidence, not three."""
    other, known = a_record(2, email="a.lovelace@gmail.com", name="A. Lovelace", company="Engines")
    said = a_record(1, email="adalbert.lovelace@engines.example", **ALIKE)[1]
    once, thrice = (
        match(
            {other: known, **{digest(n): said for n in range(times)}}, {1: [2]}, MATCHER, Counts()
        )
        for times in (1, 3)
    )
    assert [(one.pair, one.action, one.verdict.score.weight) for one in thrice.reviews] == [
        (one.pair, one.action, one.verdict.score.weight) for one in once.reviews
    ]
    assert len(once.reviews) == 1


def test_who_is_only_told_what_was_known_needs_no_second_look() -> None:
    known, again = a_record(1, **ALIKE), (digest("again"), a_record(1, **ALIKE)[1])
    new = a_record(1, email="ada@engines.example", **ALIKE)
    other = a_record(2, name="Nobody Else")
    assert repeating(dict([known, again, other]), {again[0]}) == {1, 2}
    assert repeating(dict([known, new]), {new[0]}) == set()
    assert repeating(dict([known]), {known[0]}) == set()
    assert repeating(dict([known]), {b"of somebody gone"}) == {1}


def test_strangers_are_left_alone() -> None:
    found = matched(
        a_record(1, email="ada@engines.example", **ALIKE),
        a_record(2, name="Charles Babbage", email="cb@difference.example", company="Difference"),
    )
    assert found == Matches()


def keyed(contact: int, *keys: int) -> dict[int, dict[int, bytes]]:
    return {contact: dict.fromkeys(keys, digest(contact))}


def test_candidates_are_those_with_the_rarest_keys_in_common() -> None:
    several = set(range(100, 111))
    plan = plan_blocks(keyed(1, 7, 8), {}, {7: several, 8: {50}}, set())
    assert plan.candidates[1][0] == 50
    assert len(plan.candidates[1]) == 10


def test_who_shares_but_a_crowded_block_is_not_compared() -> None:
    crowd = set(range(100, 112))
    alone = plan_blocks(keyed(1, 7), {}, {7: crowd}, set())
    assert alone.candidates == {1: []}
    twice = plan_blocks(keyed(1, 7, 8), {}, {7: crowd, 8: {100, *range(200, 211)}}, set())
    assert twice.candidates == {1: [100]}


def test_contacts_of_one_batch_find_each_other() -> None:
    plan = plan_blocks(keyed(1, 7) | keyed(2, 7), {}, {}, set())
    assert plan.candidates == {1: [2], 2: [1]}
    assert len(plan.added) == 2


def test_a_block_that_gets_too_full_is_given_up() -> None:
    plan = plan_blocks(keyed(1, 7), {}, {7: set(range(100, 100 + HOT))}, set())
    assert plan.heated == {7}
    assert plan.added == []
    assert plan.candidates == {1: []}


def test_keys_that_are_written_already_are_not_written_again_and_old_ones_go() -> None:
    plan = plan_blocks(keyed(1, 7), {1: {7, 9}}, {7: {1}}, set())
    assert plan.added == []
    assert plan.removed == [(1, 9)]


def test_hot_keys_are_neither_written_nor_asked() -> None:
    plan = plan_blocks(keyed(1, 7), {}, {7: {2}}, {7})
    assert (plan.added, plan.candidates) == ([], {1: []})


def test_a_contact_has_the_keys_of_all_its_records() -> None:
    records = dict(
        [
            a_record(1, email="ada.lovelace@example.com", name="Ada Lovelace"),
            a_record(1, name="Countess Lovelace"),
            a_record(2, name="Nobody Asked"),
        ]
    )
    found = key_contacts(records, {1})
    assert found.keys() == {1}
    assert set(found[1].values()) <= records.keys()


def test_a_crowd_of_look_alikes_is_cut_not_chased_for_ever() -> None:
    crowd = [
        a_record(
            n, name=f"Adal Lovel{n}", company="Engines", title="Chief", email=f"a{n}@e.example"
        )
        for n in range(1, 130)
    ]
    found = matched(*crowd)
    assert all(one.pair[0] < one.pair[1] for one in [*found.merges, *found.reviews])
