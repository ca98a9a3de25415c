"""A newer version of a record takes back all that the older one said and nobody else says."""

from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.resolver.domain.model import Delivery, Job, Plan
from shared.events.contact import ContactEvent, FactRetracted, IdentifierRemoved
from shared.events.fold import ContactState
from shared.events.jobs import JobKey, job_key, stints
from shared.events.signal import Employment, Point
from tests.support.histories import a_said
from tests.support.merging import World


def the_state(world: World) -> ContactState:
    (state,) = world.states().values()
    return state


def the_events(world: World) -> list[ContactEvent]:
    (events,) = world.streams.values()
    return events


def test_an_identifier_that_no_record_says_any_more_still_resolves() -> None:
    world = World()
    world.tell("r1", email="old@x.org", phone="+14155550100")
    world.tell("r1", email="new@x.org", phone="+14155550100", minutes=1)
    assert [one.value for one in the_state(world).identifiers] == ["+14155550100", "new@x.org"]
    removed = the_events(world)[-1]
    assert isinstance(removed, IdentifierRemoved)
    assert (removed.value, removed.reason) == ("old@x.org", "dropped")
    world.tell("r2", email="old@x.org", minutes=2)
    values = [one.value for one in the_state(world).identifiers]
    assert values == ["+14155550100", "new@x.org", "old@x.org"]


def test_what_another_record_says_stays() -> None:
    world = World()
    world.tell("r1", email="a@x.org", company="Acme", title="CTO")
    world.tell("r2", email="a@x.org", company="ACME", title="cto", minutes=1)
    world.tell("r1", email="b@x.org", minutes=2)
    state = the_state(world)
    assert {one.value for one in state.identifiers} == {"a@x.org", "b@x.org"}
    assert [one.title for one in state.employments] == ["CTO"]
    assert not any(isinstance(one, FactRetracted | IdentifierRemoved) for one in the_events(world))


def test_a_job_dropped_and_told_again_is_there_once() -> None:
    world = World()
    for minutes, title in enumerate(["CTO", None, "CTO", "CEO"]):
        company = "Acme" if title else None
        world.tell("r1", email="a@x.org", company=company, title=title, minutes=minutes)
        assert [one.title for one in the_state(world).employments] == ([title] if title else [])
    assert the_state(world).fields["job_title"] == "CEO"


def test_a_job_of_several_spellings_goes_as_one() -> None:
    """State and event spell it as different records told it."""
    world = World()
    world.tell("r1", email="a@x.org", company="Acme", title="CTO")
    world.tell("r2", email="a@x.org", company="ACME", title="Cto", minutes=1)
    world.tell("r1", email="a@x.org", minutes=2)
    assert [one.title for one in the_state(world).employments] == ["CTO"]
    world.tell("r2", email="a@x.org", minutes=3)
    assert the_state(world).employments == ()


def test_rows_follow_within_one_batch() -> None:
    """What one batch brings and takes back is not written; what it tells anew is, as told last."""
    world = World()
    plans = [
        world.tell("r1", email="a@x.org", company="Acme", title="CTO"),
        world.tell("r1", email="b@x.org", minutes=1),
        world.tell("r1", email="a@x.org", company="Acme", title="CTO", minutes=2),
    ]
    together = World().resolve(*(one for plan in plans for one in _deliveries(plan)))
    assert set(together.emails) == {(1, "a@x.org")}
    assert together.dropped_emails == [(1, "a@x.org"), (1, "b@x.org")]
    assert [one.employment.title for one in together.employments] == ["CTO"]
    assert together.dropped_jobs == [(1, Job("acme", "cto"))]


def test_another_label_is_told_in_place_of_the_first() -> None:
    world = World()
    work = (Point(value="a@x.org", label="work"),)
    home = (Point(value="a@x.org", label="home", primary=True),)
    world.tell("r1", email="a@x.org", emails=work)
    plan = world.tell("r1", email="a@x.org", emails=home, minutes=1)
    (told,) = [point for _, point, _ in plan.emails.values()]
    assert (told.label, told.primary) == ("home", True)


@given(st.integers(0, 2**32), st.integers(2, 25))
def test_a_contact_has_what_its_records_say_at_present(seed: int, length: int) -> None:
    dice, world = Random(seed), World()
    for _ in range(length):
        one = a_said(dice, length)
        world.tell(one.record, one.workspace, **one.said)
    for contact in world.known.contacts.values():
        state = world.states()[contact.public_id]
        claims = contact.claims.values()
        said = {(1, one.type, one.value) for claim in claims for one in claim.facts.identifiers}
        held = {key for key, holder in world.known.holders.items() if holder == contact.id}
        shown = {(1, one.type, one.value) for one in state.identifiers}
        assert shown == held & said
        told = [job for claim in claims for job in claim.facts.employments]
        assert {job_key(one) for one in state.employments} >= _at_employers(told)
        assert {job_key(one) for one in state.employments} <= {job_key(one) for one in told}


def _at_employers(jobs: list[Employment]) -> set[JobKey]:
    return {job_key(one) for one in jobs if one.company_name or one.company_domain}


def _deliveries(plan: Plan) -> list[Delivery]:
    return [row.delivery for row in plan.ledger]


def test_that_a_job_ended_is_told_in_its_place() -> None:
    """A newer version of a record says until when: the job is the same, and is over."""
    world = World()
    began = Employment(company_name="Acme", title="CTO", start_date=date(2019, 3, 1))
    ended = began.model_copy(update={"end_date": date(2022, 1, 1), "is_current": False})
    world.tell("r1", email="a@x.org", employments=(began,))
    plan = world.tell("r1", email="a@x.org", employments=(ended,), minutes=1)
    assert [one.end_date for one in the_state(world).employments] == [date(2022, 1, 1)]
    assert [one.employment.end_date for one in plan.employments] == [date(2022, 1, 1)]
    assert plan.dropped_jobs == [(1, Job("acme", "cto", "2019-03-01"))]
    assert "company_name" not in the_state(world).fields


BEGAN = Employment(company_name="Acme", title="CTO", start_date=date(2019, 3, 1))
ENDED = BEGAN.model_copy(update={"end_date": date(2022, 1, 1), "is_current": False})


@pytest.mark.parametrize(
    ("first", "second", "end"),
    [
        (("apollo", BEGAN), ("manual_entry", ENDED), date(2022, 1, 1)),
        (("manual_entry", ENDED), ("apollo", BEGAN), date(2022, 1, 1)),
        (("apollo", BEGAN), ("apollo", ENDED), date(2022, 1, 1)),
        (("apollo", ENDED), ("apollo", BEGAN), None),
        (("manual_entry", BEGAN), ("apollo", ENDED), None),
    ],
)
def test_the_weightiest_word_says_whether_a_job_goes_on(
    first: tuple[str, Employment], second: tuple[str, Employment], end: date | None
) -> None:
    """The more trusted one, then the newer: whichever record came first."""
    world = World()
    plans = [
        world.tell(f"r{n}", email="a@x.org", source=source, employments=(job,), minutes=n)
        for n, (source, job) in enumerate((first, second))
    ]
    assert [one.end_date for one in the_state(world).employments] == [end]
    retold = [one.employment.end_date for one in plans[-1].employments]
    assert retold == ([end] if end != first[1].end_date else [])


EARLIER = BEGAN.model_copy(update={"start_date": date(2018, 11, 1)})
SINCE = BEGAN.model_copy(update={"start_date": date(2022, 6, 1)})


@given(st.permutations(range(3)), st.sampled_from([EARLIER, None, SINCE]))
def test_a_vendor_that_has_not_heard_keeps_no_job_going_by_another_first_day(
    order: list[int], told: Employment | None
) -> None:
    """Whatever comes first; who began anew after the end has a job, by the same vendor's word."""
    world = World()
    stale = told or BEGAN.model_copy(update={"start_date": None})
    said = [("apollo", stale), ("hubspot_crm", ENDED), ("manual_entry", ENDED)]
    for n in order:
        source, job = said[n]
        world.tell(f"r{n}", email="a@x.org", source=source, employments=(job,), minutes=n)
    shown = stints(the_state(world).employments)
    assert [one.start_date for one in shown if one.is_current] == (
        [] if told != SINCE else [SINCE.start_date]
    )
    assert date(2022, 1, 1) in {one.end_date for one in shown}


def test_a_job_goes_on_again_where_nobody_tells_of_its_end_any_more() -> None:
    world = World()
    world.tell("r1", email="a@x.org", source="apollo", employments=(EARLIER,))
    world.tell("r2", email="a@x.org", source="manual_entry", employments=(ENDED,), minutes=1)
    ends = {one.start_date: one.end_date for one in the_state(world).employments}
    assert ends == {EARLIER.start_date: date(2022, 1, 1), ENDED.start_date: date(2022, 1, 1)}
    world.tell("r2", email="a@x.org", source="manual_entry", minutes=2)
    ends = {one.start_date: one.end_date for one in the_state(world).employments}
    assert ends == {EARLIER.start_date: None}


def test_two_stints_of_one_title_are_two_jobs() -> None:
    world = World()
    first = Employment(
        company_name="Acme",
        title="CTO",
        start_date=date(2012, 1, 1),
        end_date=date(2015, 1, 1),
        is_current=False,
    )
    second = Employment(company_name="Acme", title="CTO", start_date=date(2019, 3, 1))
    world.tell("r1", email="a@x.org", employments=(first, second))
    assert len(the_state(world).employments) == 2
    world.tell("r1", email="a@x.org", employments=(first,), minutes=1)
    assert [one.start_date for one in the_state(world).employments] == [date(2012, 1, 1)]


def the_jobs(world: World) -> set[JobKey]:
    return {job_key(one) for one in the_state(world).employments}


UNDATED = Employment(company_name="Acme", title="CTO")
DATED = Employment(company_name="Acme", title="CTO", start_date=date(2020, 1, 1))


@pytest.mark.parametrize("first", [UNDATED, DATED])
@pytest.mark.parametrize("goes", ["r1", "r2"])
@pytest.mark.parametrize("instead", [(), (Employment(company_name="Acme", title="CEO"),)])
def test_what_another_record_says_outlasts_one_told_before_stints_were(
    first: Employment, goes: str, instead: tuple[Employment, ...]
) -> None:
    """Then the second of an employer and title was not told: it was the same job."""
    world = World()
    second = DATED if first is UNDATED else UNDATED
    world.tell("r1", email="a@x.org", employments=(first,))
    world.tell("r2", email="a@x.org", employments=(second,), minutes=1)
    (events,) = world.streams.values()
    events[-1] = events[-1].model_copy(update={"employments_added": ()})
    assert the_jobs(world) == {job_key(first)}
    plan = world.tell(goes, email="a@x.org", employments=instead, minutes=2)
    left = {job_key(one) for one in (second if goes == "r1" else first, *instead)}
    assert the_jobs(world) == left
    # Rows of both go, and those that are left are written: the table is what the events tell.
    assert {job_key(one.employment) for one in plan.employments} == left
    assert {job for _, job in plan.dropped_jobs} == {job_key(one) for one in (UNDATED, DATED)}
