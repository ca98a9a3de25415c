"""Companies: what may be asked of them, and how they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, get_args

from services.api.domain.company_documents import COMPANY_ATTRIBUTES, CompanyAttributes
from services.api.domain.contacts import ROOT, Resource
from services.api.domain.documents import Change, HistoryAttributes
from services.api.domain.listing import SortKey
from services.api.domain.paging import PAGE_ALIASES, PAGE_PARAMETERS, PageRequest, parse_page
from services.api.domain.parameters import Parameters
from services.api.domain.position import WAIT_PARAMETER
from shared.events.company import FundingType

COMPANY_SORT_FIELDS: Final = ("id", "name", "created_at")
"""What companies can be sorted by. `id` is the order of creation, and the one with an index."""

COMPANY_FILTERS: Final[dict[str, str]] = {
    "q": "Words of the name; slips of the pen are forgiven. The best 1,000 matches are listed.",
    "name": "Name, whole or in part, any case.",
    "domain": "Domain, whole, any case: `example.com`.",
    "industry": "Industry, whole, any case.",
    "city": "City, whole, any case.",
    "country": "Country, whole, any case.",
    "size_range": "Employees, like `11-50`; several by comma.",
    "min_employees": "At least so many employees.",
    "max_employees": "At most so many employees.",
    "funding_stage": "The latest stage, like `series_a`; several by comma.",
    "technology": "Something that the company uses, whole, any case.",
    "created_after": "ISO 8601, inclusive.",
    "created_before": "ISO 8601, exclusive.",
}
"""`filter[…]` → what it does."""

COMPANY_ALIASES: Final = {**PAGE_ALIASES, "q": "filter[q]"}
"""Name a client may use → canonical name."""

COMPANY_PARAMETERS: Final = frozenset({"fields[companies]", WAIT_PARAMETER})
"""What `GET /companies/{id}` may be asked."""

COMPANIES_PARAMETERS: Final = (
    PAGE_PARAMETERS
    | COMPANY_PARAMETERS
    | {"sort"}
    | {f"filter[{name}]" for name in COMPANY_FILTERS}
)
"""What `GET /companies` may be asked, by canonical names."""

COMPANY_AT_PARAMETERS: Final = frozenset({"at", *COMPANY_PARAMETERS})
"""What a point-in-time request may be asked."""

MOST_EMPLOYEES: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class CompanyRow:
    """A company of the read model, or of the past."""

    id: str
    attributes: CompanyAttributes
    survivor_id: str | None = None
    """Whom the company stands behind: whoever asks for it is led there."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    sort_values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CompanyFilters:
    """Which companies; what is None does not restrict."""

    q: str | None = None
    name: str | None = None
    domain: str | None = None
    industry: str | None = None
    city: str | None = None
    country: str | None = None
    size_ranges: tuple[str, ...] = ()
    min_employees: int | None = None
    max_employees: int | None = None
    funding_stages: tuple[str, ...] = ()
    technology: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class CompanyQuery:
    """A parsed `GET /companies`."""

    filters: CompanyFilters
    sort: tuple[SortKey, ...]
    sort_name: str
    page: PageRequest
    fields: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class CompanyEventRow:
    """What happened to a company."""

    version: int
    event_type: str
    occurred_at: datetime
    recorded_at: datetime
    payload: Mapping[str, Any]


def parse_companies(parameters: Parameters) -> CompanyQuery:
    """Read the parameters of `GET /companies`; raises `RequestError`."""
    some, moment = parameters.some, parameters.moment
    names = parameters.many("sort") or ("-id",)
    key = SortKey(names[0].removeprefix("-"), names[0].startswith("-"))
    if len(names) > 1 or key.field not in COMPANY_SORT_FIELDS:
        allowed = ", ".join(COMPANY_SORT_FIELDS)
        raise parameters.refuse("sort", f"One of: {allowed}; `-` before a name descends.")
    sort = (key,) if key.field == "id" else (key, SortKey("id", key.descending))
    sort_name = names[0]
    return CompanyQuery(
        filters=CompanyFilters(
            q=some("filter[q]"),
            name=some("filter[name]"),
            domain=some("filter[domain]"),
            industry=some("filter[industry]"),
            city=some("filter[city]"),
            country=some("filter[country]"),
            size_ranges=parameters.many("filter[size_range]"),
            min_employees=_number(parameters, "filter[min_employees]"),
            max_employees=_number(parameters, "filter[max_employees]"),
            funding_stages=parameters.choices("filter[funding_stage]", get_args(FundingType)),
            technology=some("filter[technology]"),
            created_after=moment("filter[created_after]"),
            created_before=moment("filter[created_before]"),
        ),
        sort=sort,
        sort_name=sort_name,
        page=parse_page(parameters, sort_name, len(sort)),
        fields=parse_company_fields(parameters),
    )


def parse_company_fields(parameters: Parameters) -> frozenset[str] | None:
    """Read `fields[companies]`; None: all of them."""
    if not parameters.has("fields[companies]"):
        return None
    return frozenset(parameters.choices("fields[companies]", COMPANY_ATTRIBUTES))


def company_path(company_id: str) -> str:
    """Where a company is."""
    return f"{ROOT}/companies/{company_id}"


def company_resource(
    row: CompanyRow, fields: frozenset[str] | None, cursor: str | None = None
) -> Resource:
    """Write a company, restricted to the fields that were asked for."""
    wanted = None if fields is None else set(fields)
    meta: dict[str, Any] = {} if cursor is None else {"page": {"cursor": cursor}}
    origins = {
        name: origin for name, origin in row.provenance.items() if fields is None or name in fields
    }
    if origins:
        meta["provenance"] = origins
    contacts = {"links": {"related": f"{company_path(row.id)}/contacts"}}
    resource: Resource = {
        "type": "companies",
        "id": row.id,
        "attributes": row.attributes.model_dump(mode="json", include=wanted),
        "relationships": {"contacts": contacts},
        "links": {"self": company_path(row.id)},
    }
    if meta:
        resource["meta"] = meta
    return resource


def row_of_event(event: CompanyEventRow) -> CompanyRow:
    """Show a company as an event left it: every event but the first has its whole shape."""
    told = event.payload
    shape = told.get("shape") or {**told, "created_at": told["occurred_at"]}
    profile = dict(shape.get("profile") or {})
    origins = profile.pop("origins", {})
    return CompanyRow(
        id=told["company_id"],
        attributes=CompanyAttributes.model_validate(
            {
                **profile,
                "name": shape["name"],
                "domain": shape.get("domain"),
                "relations": shape.get("relations", ()),
                "source": shape["source"],
                "version": event.version,
                "created_at": shape["created_at"],
                "updated_at": event.occurred_at,
            }
        ),
        survivor_id=shape.get("survivor_id"),
        provenance=origins,
    )


def company_history_resource(company_id: str, row: CompanyEventRow, cursor: str) -> Resource:
    """Write an entry: what happened, when, who said so, which values changed from what to what."""
    told = dict(row.payload)
    for name in ("company_id", "version", "occurred_at", "cause", "workspace", "shape"):
        told.pop(name, None)
    changes = told.pop("changes", ())
    source = told.pop("source", None)
    attributes = HistoryAttributes(
        what=row.event_type,
        version=row.version,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        source=source,
        changes=tuple(
            Change(
                field=one["field"],
                old=one.get("old"),
                new=one.get("new"),
                source=(one.get("origin") or {}).get("source"),
            )
            for one in changes
        ),
        summary=told,
    )
    return {
        "type": "company_history",
        "id": f"{company_id}.{row.version}",
        "attributes": attributes.model_dump(mode="json"),
        "meta": {"page": {"cursor": cursor}},
    }


def _number(parameters: Parameters, name: str) -> int | None:
    text = parameters.some(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > MOST_EMPLOYEES:
        raise parameters.refuse(name, f"A whole number from 0 to {MOST_EMPLOYEES}.")
    return int(text)
