"""What `GET` and `POST /contacts/export` may be asked."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, get_args

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.api.domain.export.files import KINDS, Format
from services.api.domain.export.record import FIELDS
from services.api.domain.listing import ALIASES, FILTERS, Filters, parse_filters
from services.api.domain.parameters import Parameters
from services.api.domain.position import WAIT_PARAMETER
from services.api.domain.problems import Problem, RequestError

MAX_IDS: Final = 10_000
"""Most contacts that one request names."""

MAX_BODY: Final = 1 << 20
"""Bytes of a request's body: the ids of so many contacts take a third of it."""

NAMED_STATUSES: Final = ("incomplete", "active", "archived")
"""Who is named is exported, archived or not; who was merged, as the contact they are now."""

EXPORT_PARAMETERS: Final = frozenset(
    {
        "format",
        "filter[id]",
        "fields[contacts]",
        "include",
        WAIT_PARAMETER,
        *(f"filter[{name}]" for name in FILTERS),
    }
)
"""What an export may be asked, by canonical names."""

EXPORT_ALIASES: Final = {
    **{name: known for name, known in ALIASES.items() if known in EXPORT_PARAMETERS},
    "ids": "filter[id]",
    "fields": "fields[contacts]",
    "group": "filter[label]",
}
"""Name a client may use → canonical name."""

_CONTACT_ID: Final = re.compile(r"con_[0-9A-HJKMNP-TV-Z]{26}")
_BY_MEDIA: Final[Mapping[str, Format]] = {
    "text/csv": "csv",
    "text/vcard": "vcard",
    "text/x-vcard": "vcard3",
    "application/json": "json",
    KINDS["xlsx"].media_type: "xlsx",
}
"""Media type that a client accepts → format, where it names none."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """A parsed request for an export."""

    format: Format
    filters: Filters
    fields: frozenset[str] | None = None
    """None: all of them."""
    ids: tuple[str, ...] | None = None
    """None: no contact is named."""
    with_history: bool = False


class ExportBody(BaseModel):
    """What `POST /contacts/export` takes in `meta`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str | None = None
    ids: tuple[str, ...] = Field(default=(), max_length=MAX_IDS)
    fields: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    filter: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)

    def items(self) -> Iterator[tuple[str, str]]:
        """Yield the same as parameters of a query."""
        if self.format is not None:
            yield "format", self.format
        yield from (("ids", one) for one in self.ids)
        yield from (("fields", one) for one in self.fields)
        yield from (("include", one) for one in self.include)
        for name, value in self.filter.items():
            for one in (value,) if isinstance(value, str) else value:
                yield f"filter[{name}]", one


def parse_export(parameters: Parameters, accept: str | None) -> ExportRequest:
    """Read the parameters of an export; raises `RequestError`."""
    ids = _ids(parameters)
    filters = parse_filters(parameters)
    if ids is not None and not parameters.has("filter[status]"):
        filters = replace(filters, statuses=NAMED_STATUSES)
    request = ExportRequest(
        format=_format(parameters, accept),
        filters=filters,
        fields=frozenset(parameters.choices("fields[contacts]", FIELDS)) or None,
        ids=ids,
        with_history=bool(parameters.choices("include", ("history",))),
    )
    if request.with_history and (request.format != "json" or ids is None or len(ids) != 1):
        raise parameters.refuse("include", "History comes with one contact, as format=json.")
    return request


def parse_export_body(body: bytes) -> list[tuple[str, str]]:
    """Read a body as the parameters that it stands for."""
    try:
        asked = ExportBody.model_validate(orjson.loads(body)["meta"])
    except (orjson.JSONDecodeError, LookupError, TypeError, ValidationError):
        problem = Problem(
            400,
            "invalid_body",
            "Invalid body",
            'Send {"meta": {"format": "csv", "ids": ["con_…"], "fields": ["emails"], "filter": '
            f'{{"company": "…"}}}}}}, all of it optional, with at most '
            f"{MAX_IDS} ids.",
        )
        raise RequestError([problem]) from None
    return list(asked.items())


def missing_contacts(ids: list[str]) -> RequestError:
    """Say which contacts there are not; at most ten are named."""
    named = ", ".join(ids[:10]) + (f" and {len(ids) - 10} more" if len(ids) > 10 else "")
    problem = Problem(404, "not_found", "Not found", f"There is no such contact here: {named}.")
    return RequestError([problem])


def too_many(count: int, most: int, detail: str) -> RequestError:
    """Refuse an export that is larger than its format or the operator allows."""
    text = f"{count} contacts; {detail} holds at most {most}. Narrow the filter."
    return RequestError([Problem(400, "too_many_contacts", "Too many contacts", text)])


def file_name(request: ExportRequest, day: str) -> str:
    """Name the file: nothing personal in it, since names of files are logged."""
    one = request.ids[0] if request.ids is not None and len(request.ids) == 1 else "contacts"
    return f"{one}-{day}.{KINDS[request.format].ending}"


def _ids(parameters: Parameters) -> tuple[str, ...] | None:
    if not parameters.has("filter[id]"):
        return None
    ids = parameters.many("filter[id]")
    if not ids or len(ids) > MAX_IDS or not all(map(_CONTACT_ID.fullmatch, ids)):
        raise parameters.refuse("filter[id]", f"1 to {MAX_IDS} contact ids, con_….")
    return ids


def _format(parameters: Parameters, accept: str | None) -> Format:
    text = parameters.some("format")
    for known in get_args(Format):
        if text == known:
            format_: Format = known
            return format_
    if text is not None:
        raise parameters.refuse("format", f"One of: {', '.join(get_args(Format))}.")
    for media in (accept or "").split(","):
        kind = media.partition(";")[0].strip().lower()
        if kind in _BY_MEDIA:
            return _BY_MEDIA[kind]
    return "csv"
