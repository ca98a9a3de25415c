"""Pages and cursors."""

import base64

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.domain.paging import (
    MAX_SIZE,
    PAGE_ALIASES,
    PAGE_PARAMETERS,
    Page,
    PageRequest,
    cut_page,
    encode_cursor,
    page_links,
    parse_page,
)
from services.api.domain.parameters import Parameters
from services.api.domain.problems import RequestError


def asked(*items: tuple[str, str], keys: int = 1, numeric: bool = False) -> PageRequest:
    parameters = Parameters(items, known=PAGE_PARAMETERS, aliases=PAGE_ALIASES)
    return parse_page(parameters, "-id", keys, numeric=numeric)


@given(st.lists(st.text().filter(lambda text: "\x00" not in text), min_size=1, max_size=4))
def test_a_cursor_comes_back_as_it_was(values: list[str]) -> None:
    cursor = encode_cursor("-id", values)
    assert asked(("page[after]", cursor), keys=len(values)).after == tuple(values)
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_a_cursor(text: str) -> None:
    try:
        after = asked(("page[after]", text)).after
    except RequestError as error:
        assert error.status == 400  # noqa: PT017
    else:
        assert after is not None


@pytest.mark.parametrize(
    "document",
    [["id", "x"], ["-id"], ["-id", "x", "y"], ["-id", 1], {"-id": "x"}, ["-id", "a\x00"], "-id"],
)
def test_a_cursor_of_another_list_is_refused(document: object) -> None:
    cursor = base64.urlsafe_b64encode(orjson.dumps(document)).rstrip(b"=").decode()
    with pytest.raises(RequestError):
        asked(("page[after]", cursor))


@pytest.mark.parametrize("value", ["x", "-1", "1e3", "99999999999", "\u0661"])
def test_a_numeric_list_takes_numbers_only(value: str) -> None:
    with pytest.raises(RequestError):
        asked(("page[after]", encode_cursor("-id", [value])), numeric=True)
    assert asked(("page[after]", encode_cursor("-id", ["12"])), numeric=True).after == ("12",)


@pytest.mark.parametrize("size", ["0", "-1", "1.5", "ten", "", "²", "9" * 30])
def test_a_size_is_a_whole_number_within_bounds(size: str) -> None:
    with pytest.raises(RequestError):
        asked(("page[size]", size))


def test_too_large_a_page_is_told_the_largest() -> None:
    with pytest.raises(RequestError) as caught:
        asked(("page[size]", "101"))
    [problem] = caught.value.problems
    assert problem.type is not None
    assert problem.type.endswith("max-size-exceeded")
    assert problem.meta == {"page": {"maxSize": MAX_SIZE}}


def test_a_range_is_refused() -> None:
    cursor = encode_cursor("-id", ["x"])
    with pytest.raises(RequestError) as caught:
        asked(("page[after]", cursor), ("page[before]", cursor))
    assert str(caught.value.problems[0].type).endswith("range-pagination-not-supported")


def test_the_customers_name_of_a_cursor_is_understood() -> None:
    assert asked(("page[cursor]", encode_cursor("-id", ["x"]))).after == ("x",)


@pytest.mark.parametrize(
    ("request_", "rows", "kept", "prev", "next_"),
    [
        (PageRequest(2), [], [], False, False),
        (PageRequest(2), [1, 2], [1, 2], False, False),
        (PageRequest(2), [1, 2, 3], [1, 2], False, True),
        (PageRequest(2, after=("0",)), [1, 2, 3], [1, 2], True, True),
        (PageRequest(2, after=("0",)), [], [], False, False),
        (PageRequest(2, before=("9",)), [3, 2, 1], [2, 3], True, True),
        (PageRequest(2, before=("9",)), [3, 2], [2, 3], False, True),
        (PageRequest(2, before=("9",)), [], [], False, False),
    ],
)
def test_the_row_too_many_tells_that_there_is_more(
    request_: PageRequest, rows: list[int], kept: list[int], prev: bool, next_: bool
) -> None:
    page_rows, page = cut_page(request_, rows, str)
    assert page_rows == kept
    assert page == Page(2, tuple(map(str, kept)), has_prev=prev, has_next=next_)


def test_links_keep_what_was_asked_and_replace_the_cursor() -> None:
    query = [("filter[q]", "a b&c"), ("page[after]", "x"), ("page[cursor]", "y"), ("sort", "id")]
    links = page_links("/p", query, Page(2, ("c1", "c2"), has_prev=True, has_next=False))
    assert links == {
        "first": "/p?filter[q]=a%20b%26c&sort=id",
        "prev": "/p?filter[q]=a%20b%26c&sort=id&page[before]=c1",
        "next": None,
    }
