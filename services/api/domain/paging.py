"""Cursor pagination: which page is asked for, and which pages there are beside it.

Follows the JSON:API profile "Cursor Pagination". A cursor holds the sort values of one row, so
that a page starts right after it whatever was added or removed meanwhile.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote

import orjson

from services.api.domain.parameters import Parameters
from services.api.domain.problems import CURSOR_PROFILE, Problem, RequestError

DEFAULT_SIZE: Final = 25
"""Rows of a page when nothing is said (spec 003, 17.2)."""
MAX_SIZE: Final = 100
"""Most rows of a page (spec 003, 17.2)."""
PAGE_PARAMETERS: Final = frozenset({"page[size]", "page[after]", "page[before]"})
"""Canonical names."""
PAGE_ALIASES: Final[Mapping[str, str]] = {"page[cursor]": "page[after]"}
"""The customer's name (spec 003, 17.2) for the profile's."""

Row = TypeVar("Row")

Cursor = tuple[str, ...]
"""The sort values of a row, as text, in the order of the sort keys."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """At most one of `after` and `before` is set."""

    size: int = DEFAULT_SIZE
    after: Cursor | None = None
    before: Cursor | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What a list answers besides its rows: a cursor for each row, and the neighbours."""

    size: int
    cursors: tuple[str, ...]
    has_prev: bool
    has_next: bool


def parse_page(
    parameters: Parameters, sort: str, keys: int, *, numeric: bool = False
) -> PageRequest:
    """Read `page[…]`; a cursor is only good for the sort order it was made under.

    The sort values of a `numeric` list are whole numbers that fit a PostgreSQL integer.
    """
    after = _cursor(parameters, "page[after]", sort, keys, numeric=numeric)
    before = _cursor(parameters, "page[before]", sort, keys, numeric=numeric)
    if after is not None and before is not None:
        raise RequestError(
            [
                Problem(
                    400,
                    "range_pagination_not_supported",
                    "Range pagination not supported",
                    "Give page[after] or page[before], not both.",
                    type=f"{CURSOR_PROFILE}range-pagination-not-supported",
                )
            ]
        )
    return PageRequest(_size(parameters), after, before)


def cut_page(
    request: PageRequest, rows: Sequence[Row], cursor_of: Callable[[Row], str]
) -> tuple[list[Row], Page]:
    """Make a page of up to `size + 1` rows, in the order in which they were looked for.

    The row too many tells that there is more; a page before a cursor was looked for backwards.
    """
    kept, more = list(rows[: request.size]), len(rows) > request.size
    if request.before is not None:
        kept.reverse()
        has_prev, has_next = more, bool(kept)
    else:
        has_prev, has_next = request.after is not None and bool(kept), more
    return kept, Page(request.size, tuple(map(cursor_of, kept)), has_prev, has_next)


def encode_cursor(sort: str, values: Sequence[str]) -> str:
    """Write a cursor: opaque, and URL-safe without escaping."""
    return base64.urlsafe_b64encode(orjson.dumps([sort, *values])).rstrip(b"=").decode()


def page_links(path: str, query: Sequence[tuple[str, str]], page: Page) -> dict[str, str | None]:
    """Write `self`, `first`, `prev` and `next`; the last two are null at the ends."""
    kept = [(name, value) for name, value in query if name not in _CURSOR_NAMES]

    def link(*extra: tuple[str, str]) -> str:
        pairs = "&".join(f"{quote(n, safe='[]')}={quote(v, safe='')}" for n, v in (*kept, *extra))
        return f"{path}?{pairs}" if pairs else path

    return {
        "first": link(),
        "prev": link(("page[before]", page.cursors[0])) if page.has_prev else None,
        "next": link(("page[after]", page.cursors[-1])) if page.has_next else None,
    }


def page_meta(page: Page) -> dict[str, Any]:
    """Write `meta.page`."""
    return {"size": page.size, "has_next": page.has_next, "has_prev": page.has_prev}


_NUMBER = re.compile(r"[0-9]{1,9}")
_CURSOR_NAMES = frozenset({"page[after]", "page[before]", "page[cursor]", "waitFor"})


def _size(parameters: Parameters) -> int:
    text = parameters.some("page[size]")
    if text is None:
        return DEFAULT_SIZE
    if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) < 1:
        raise parameters.refuse("page[size]", f"A whole number from 1 to {MAX_SIZE}.")
    if int(text) > MAX_SIZE:
        raise RequestError(
            [
                Problem(
                    400,
                    "max_size_exceeded",
                    "Page size too large",
                    f"At most {MAX_SIZE} rows a page.",
                    parameter="page[size]",
                    type=f"{CURSOR_PROFILE}max-size-exceeded",
                    meta={"page": {"maxSize": MAX_SIZE}},
                )
            ]
        )
    return int(text)


def _cursor(
    parameters: Parameters, name: str, sort: str, keys: int, *, numeric: bool
) -> Cursor | None:
    text = parameters.some(name)
    if text is None:
        return None
    refused = parameters.refuse(name, "Use a cursor of this list under the same sort order.")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        values = orjson.loads(raw)
    except (binascii.Error, ValueError):
        raise refused from None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise refused
    if len(values) != keys + 1 or values[0] != sort or any("\x00" in value for value in values):
        raise refused
    if numeric and not all(_NUMBER.fullmatch(value) for value in values[1:]):
        raise refused
    return tuple(values[1:])
