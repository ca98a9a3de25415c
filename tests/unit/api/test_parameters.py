"""Query parameters are known by name, or refused."""

from datetime import UTC, datetime

import pytest

from services.api.domain.parameters import MAX_LENGTH, Parameters
from services.api.domain.problems import RequestError

KNOWN = frozenset({"filter[q]", "sort", "at"})


def parameters(*items: tuple[str, str]) -> Parameters:
    return Parameters(items, known=KNOWN, aliases={"q": "filter[q]"})


def test_every_unknown_name_is_a_problem_of_its_own() -> None:
    with pytest.raises(RequestError) as caught:
        parameters(("nonsense", "1"), ("sort", "id"), ("Q", "x"))
    assert [problem.parameter for problem in caught.value.problems] == ["nonsense", "Q"]
    assert caught.value.status == 400


def test_an_alias_means_its_canonical_name_and_is_named_when_wrong() -> None:
    given = parameters(("q", " ada "))
    assert given.one("filter[q]") == "ada"
    assert given.has("filter[q]")
    assert given.refuse("filter[q]", "no").problems[0].parameter == "q"


def test_both_names_of_one_parameter_are_one_too_many() -> None:
    with pytest.raises(RequestError):
        parameters(("q", "ada"), ("filter[q]", "bob")).one("filter[q]")


def test_lists_are_by_comma_or_by_repetition() -> None:
    given = parameters(("sort", "a,b,"), ("sort", "c,a"))
    assert given.many("sort") == ("a", "b", "c")
    assert given.many("at") == ()


def test_an_empty_value_is_no_value() -> None:
    with pytest.raises(RequestError):
        parameters(("q", " ")).some("filter[q]")
    assert parameters().some("filter[q]") is None


@pytest.mark.parametrize("value", ["a\x00b", "x" * (MAX_LENGTH + 1)])
def test_what_no_database_holds_is_refused_at_once(value: str) -> None:
    with pytest.raises(RequestError):
        parameters(("q", value))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00+02:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31T12:00:00.5 02:00", datetime(2026, 1, 31, 10, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_moments_are_iso_8601_with_or_without_an_offset(text: str, moment: datetime) -> None:
    """A plus that was not percent-encoded arrives as a space and is still understood."""
    assert parameters(("at", text)).moment("at") == moment


@pytest.mark.parametrize("text", ["yesterday", "31.01.2026", "2026-13-01", "12:00"])
def test_other_dates_are_refused(text: str) -> None:
    with pytest.raises(RequestError):
        parameters(("at", text)).moment("at")


def test_choices_must_all_be_known() -> None:
    assert parameters(("sort", "a,b")).choices("sort", ("a", "b", "c")) == ("a", "b")
    with pytest.raises(RequestError):
        parameters(("sort", "a,x")).choices("sort", ("a", "b"))


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-12:00"])
def test_a_moment_that_no_calendar_holds_is_refused_by_name(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        parameters(("at", text)).moment("at")
    assert caught.value.problems[0].parameter == "at"
