"""Media types as JSON:API 1.1 demands."""

import pytest

from services.api.domain.media import check_accept, check_content_type
from services.api.domain.problems import RequestError

JSON_API = "application/vnd.api+json"


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "*/*",
        JSON_API,
        JSON_API.upper(),
        f"{JSON_API};q=0.5",
        f'{JSON_API};profile="https://x.test/a,b;c https://x.test/d"',
        f"{JSON_API};charset=utf-8, {JSON_API}",
        f'{JSON_API};ext="x", application/json',
        "text/html,application/xhtml+xml,*/*;q=0.8",
    ],
)
def test_what_can_be_served_is(accept: str | None) -> None:
    check_accept(accept)


@pytest.mark.parametrize(
    "accept",
    [
        f"{JSON_API};charset=utf-8",
        f'{JSON_API};ext="https://x.test/e"',
        f'{JSON_API};profile="p";ext="e", {JSON_API};v=1',
        "text/html",
        f"{JSON_API};q=0",
        f"{JSON_API};q=0.000, text/csv",
    ],
)
def test_what_cannot_be_served_is_406(accept: str) -> None:
    with pytest.raises(RequestError) as caught:
        check_accept(accept)
    assert caught.value.status == 406
    assert caught.value.problems[0].header == "Accept"


@pytest.mark.parametrize("given", [None, JSON_API, f"{JSON_API};profile=x", "text/plain;a=b"])
def test_content_types_that_are_fine(given: str | None) -> None:
    check_content_type(given)


@pytest.mark.parametrize("given", [f"{JSON_API};charset=utf-8", f'{JSON_API}; ext="x"'])
def test_other_parameters_are_415(given: str) -> None:
    with pytest.raises(RequestError) as caught:
        check_content_type(given)
    assert caught.value.status == 415
