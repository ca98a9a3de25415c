"""What `GET /contacts` may be asked."""

import pytest

from services.api.domain.listing import (
    ALIASES,
    DEFAULT_STATUSES,
    LIST_PARAMETERS,
    ContactQuery,
    SortKey,
    parse_listing,
)
from services.api.domain.paging import encode_cursor
from services.api.domain.parameters import Parameters
from services.api.domain.problems import RequestError
from services.api.store import page_clause


def asked(*items: tuple[str, str]) -> ContactQuery:
    return parse_listing(Parameters(items, known=LIST_PARAMETERS, aliases=ALIASES))


def test_nothing_asked_means_the_newest_active_contacts() -> None:
    query = asked()
    assert query.filters.statuses == DEFAULT_STATUSES
    assert query.sort == (SortKey("id", descending=True),)
    assert query.page.size == 25
    assert query.shape.include is None


def test_every_order_is_total() -> None:
    assert asked(("sort", "-city,first_name")).sort == (
        SortKey("city", descending=True),
        SortKey("first_name", descending=False),
        SortKey("id", descending=False),
    )
    assert asked(("sort", "id")).sort == (SortKey("id", descending=False),)


@pytest.mark.parametrize("sort", ["name", "--id", "id;drop", "city,-city", "a,b,c,d"])
def test_other_orders_are_refused(sort: str) -> None:
    with pytest.raises(RequestError):
        asked(("sort", sort))


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("seniority", "boss", "director"),
        ("timezone", "Europe/Berlin,Berlin", "Europe/Berlin"),
        ("department", " ", "give it a value"),
    ],
)
def test_other_values_are_refused_with_what_would_be_right(
    name: str, value: str, right: str
) -> None:
    with pytest.raises(RequestError) as refused:
        asked((f"filter[{name}]", value))
    [problem] = refused.value.problems
    assert right in problem.detail
    assert problem.parameter == f"filter[{name}]"


def test_a_zone_is_asked_for_by_any_of_its_names() -> None:
    found = asked(("filter[timezone]", "Asia/Calcutta, US/Pacific,America/Los_Angeles"))
    assert found.filters.timezones == ("Asia/Kolkata", "America/Los_Angeles")


def test_a_department_may_be_written_with_spaces() -> None:
    found = asked(("filter[department]", "Human Resources"), ("filter[department]", "Team, Blue"))
    assert found.filters.departments == ("human resources", "team, blue", "human_resources")


def test_the_customers_names_are_aliases() -> None:
    query = asked(("q", "x"), ("company", "Acme"), ("status", "archived"), ("lead_status", "lost"))
    assert query.filters.q == "x"
    assert query.filters.company == "Acme"
    assert query.filters.statuses == ("archived",)
    assert query.filters.lead_statuses == ("lost",)


def test_include_without_a_name_includes_nothing() -> None:
    assert asked(("include", "")).shape.include == ()
    assert not asked(("include", "")).shape.with_identifiers
    assert asked(("include", "identifiers")).shape.with_identifiers


def test_no_fields_is_not_all_fields() -> None:
    assert asked(("fields[contacts]", "")).shape.contact_fields == frozenset()
    assert asked().shape.contact_fields is None


def test_a_page_in_one_direction_is_a_row_comparison() -> None:
    """An index can serve a row comparison, not a chain of ORs."""
    query = asked(("page[after]", _cursor("-id", "con_1")))
    clause, arguments = page_clause(query.sort, query.page, first=3)
    assert '(view.public_id) < ($3::text COLLATE "C")' in clause
    assert arguments == ["con_1", 26]
    assert clause.endswith("LIMIT $4")


def test_a_page_before_turns_every_direction_around() -> None:
    query = asked(("sort", "city,-status"), ("page[before]", _cursor("city,-status,-id", *"abc")))
    clause, arguments = page_clause(query.sort, query.page, first=1)
    assert clause.endswith(
        "ORDER BY COALESCE(lower(view.city), '') DESC, view.status ASC, view.public_id ASC"
        "\nLIMIT $4"
    )
    assert arguments == ["a", "b", "c", 26]
    assert " OR " in clause


def _cursor(sort: str, *values: str) -> str:
    return encode_cursor(sort, values)
