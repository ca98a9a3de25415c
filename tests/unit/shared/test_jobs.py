"""Which jobs are the same, what is left of them, and how several tellings are shown."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.jobs import job_key, stints, with_jobs, without_jobs
from shared.events.signal import Employment


def a_job(start: str | None = None, end: str | None = None, **said: object) -> Employment:
    """Make a job as CTO of Acme; one with an end is over."""
    said = {"company_name": "Acme", "title": "CTO", "is_current": end is None, **said}
    return Employment.model_validate({"start_date": start, "end_date": end, **said})


def shown(*jobs: Employment) -> list[tuple[str | None, str | None]]:
    return [(day(one.start_date), day(one.end_date)) for one in stints(jobs)]


def day(one: date | None) -> str | None:
    return str(one) if one else None


def test_who_came_back_has_two_jobs() -> None:
    first, second = a_job("2012-01-01", "2015-06-30"), a_job("2019-03-01")
    assert shown(first, second) == [("2012-01-01", "2015-06-30"), ("2019-03-01", None)]
    assert len({job_key(one) for one in (first, second, a_job())}) == 3


@pytest.mark.parametrize(
    ("jobs", "found"),
    [
        ([a_job(), a_job("2019-03-01")], [("2019-03-01", None)]),
        ([a_job("2019-01-01"), a_job("2019-03-01")], [("2019-01-01", None)]),
        ([a_job("2019-01-01"), a_job("2019-03-01", "2022-01-01")], [("2019-01-01", None)]),
        ([a_job("2015-01-01", "2017-01-01"), a_job("2017-01-01")],
         [("2015-01-01", "2017-01-01"), ("2017-01-01", None)]),
        ([a_job("2015-01-01", "2017-01-01"), a_job("2016-06-01")], [("2016-06-01", None)]),
        ([a_job(None, "2012-01-01"), a_job(None, "2019-01-01")], [(None, "2019-01-01")]),
        ([a_job(None, "2012-01-01"), a_job()], [(None, None)]),
        ([a_job(), a_job("2012-01-01", "2015-01-01")],
         [("2012-01-01", "2015-01-01"), (None, None)]),
        ([a_job(is_current=False), a_job("2012-01-01", "2015-01-01")],
         [("2012-01-01", "2015-01-01")]),
        ([a_job(None, "2014-01-01"), a_job("2012-01-01", "2015-01-01")],
         [("2012-01-01", "2015-01-01")]),
        ([a_job(None, "2018-01-01"), a_job("2012-01-01", "2015-01-01")],
         [("2012-01-01", "2015-01-01"), (None, "2018-01-01")]),
        ([a_job(), a_job(title="CEO")], [(None, None), (None, None)]),
    ],
)  # fmt: skip
def test_what_may_be_one_stint_is_shown_once(
    jobs: list[Employment], found: list[tuple[str | None, str | None]]
) -> None:
    assert shown(*jobs) == shown(*jobs[::-1]) or len(found) > 1
    assert sorted(map(str, shown(*jobs))) == sorted(map(str, found))
    assert sorted(map(str, shown(*jobs[::-1]))) == sorted(map(str, found))


def test_a_job_told_otherwise_is_told_in_place() -> None:
    before = (a_job("2019-03-01"), a_job(title="CEO"))
    ended = a_job("2019-03-01", "2022-01-01")
    assert with_jobs(before, [ended]) == (before[1], ended)


def test_an_event_of_before_stints_names_a_job_by_employer_and_title() -> None:
    """It may tell the job with a start where the state has it without one, and the reverse."""
    assert without_jobs((a_job(),), [a_job("2019-03-01")]) == ()
    assert without_jobs((a_job("2019-03-01"),), [a_job()]) == ()
    first, second = a_job("2012-01-01", "2015-06-30"), a_job("2019-03-01")
    assert without_jobs((first, second), [second]) == (first,)


days = st.none() | st.dates(date(2010, 1, 1), date(2020, 1, 1)).map(str)


@given(st.lists(st.builds(a_job, days, days), max_size=6))
def test_every_telling_is_within_something_shown(jobs: list[Employment]) -> None:
    found = stints(jobs)
    assert bool(found) == bool(jobs)
    assert set(found) <= set(jobs)
    assert len({job_key(one) for one in found}) == len(found)


@given(st.lists(st.builds(a_job, days, days), max_size=6).flatmap(
    lambda jobs: st.tuples(st.just(jobs), st.permutations(jobs))))  # fmt: skip
def test_what_is_shown_does_not_depend_on_who_told_first(
    told: tuple[list[Employment], list[Employment]],
) -> None:
    one, other = told
    assert sorted(map(str, shown(*one))) == sorted(map(str, shown(*other)))


@given(st.lists(st.builds(a_job, days, days), max_size=6))
def test_a_present_job_is_shown_as_one(jobs: list[Employment]) -> None:
    assert any(one.is_current for one in stints(jobs)) == any(one.is_current for one in jobs)
