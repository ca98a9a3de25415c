"""What `GET /contacts` may be asked: filters, sort order, fields, included resources."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args

from services.api.domain.documents import (
    CONTACT_ATTRIBUTES,
    CONTACT_RELATIONSHIPS,
    IDENTIFIER_ATTRIBUTES,
)
from services.api.domain.paging import PAGE_ALIASES, PAGE_PARAMETERS, PageRequest, parse_page
from services.api.domain.parameters import Parameters
from services.api.domain.position import WAIT_PARAMETER
from services.api.domain.problems import bad_parameter
from shared.events.contact import ContactStatus
from shared.events.group_query import LEAD_STATUSES, Query
from shared.identifiers.timezones import normalize_timezone
from shared.identifiers.titles import DEPARTMENTS, SENIORITIES

SORT_FIELDS: Final = (
    "id",
    "created_at",
    "updated_at",
    "display_name",
    "first_name",
    "last_name",
    "email_primary",
    "job_title",
    "company_name",
    "city",
    "country",
    "lead_status",
    "lead_source",
    "status",
)
"""What contacts can be sorted by. `id` is the order of creation, and the one with an index."""

MAX_CUSTOM_FILTERS: Final = 20
"""Most filters by custom fields of one request."""

_CUSTOM: Final = re.compile(r"filter\[custom\.(.+?)\](?:\[([a-z_]+)\])?")

MAX_SORT_FIELDS: Final = 3
"""Most sort fields of one request."""

STATUSES: Final = tuple(one for one in get_args(ContactStatus) if one != "deleted")
"""What can be asked for: of a deleted contact there is nothing to show."""

DEFAULT_STATUSES: Final = ("incomplete", "active")
"""Archived and absorbed contacts are shown to who asks for them (spec 003, 8.1)."""

FILTERS: Final[dict[str, str]] = {
    "q": "Full-text search, typo-tolerant: the best 1,000 matches are listed.",
    "company": "Company name, whole or in part, any case.",
    "company_id": "Company id, `cmp_…`: who works there, or at one that was merged into it.",
    "status": "incomplete, active, archived, merged; several by comma. "
    "Default: incomplete and active.",
    "lead_status": "new, contacted, qualified, nurturing, customer, lost, inactive; "
    "several by comma.",
    "lead_source": "The source that the contact entered by, like `csv_upload`; several by comma.",
    "email": "One of the contact's e-mail addresses, whole, any case.",
    "phone": "One of the contact's phone numbers, E.164.",
    "city": "City, whole, any case.",
    "country": "Country, whole, any case.",
    "seniority": "How high the job is: owner, founder, cxo, partner, vp, head, director, manager, "
    "senior, entry, intern; several by comma.",
    "department": "A department, any case: by its usual name (engineering, product, data, design, "
    "information_technology, marketing, sales, customer_service, finance, human_resources, legal, "
    "operations, education, medical, consulting, research, executive), or whole as a source calls "
    "it. Repeated: any of them.",
    "timezone": "An IANA name, like Europe/Berlin, present or old; several by comma.",
    "label": "A tag of this workspace, its whole name; groups of address books are tags. Repeated: "
    "all of them.",
    "group": "A group's id, `grp_…`, also of a smart one. Repeated: all of them.",
    "created_after": "ISO 8601, inclusive.",
    "created_before": "ISO 8601, exclusive.",
    "updated_after": "ISO 8601, inclusive.",
    "updated_before": "ISO 8601, exclusive.",
}
"""`filter[…]` → what it does."""

BARE_ALIASES: Final = (
    "q",
    "company",
    "company_id",
    "status",
    "lead_status",
    "lead_source",
    "created_after",
    "created_before",
)
"""The customer's own names (spec 003, 17.2), accepted beside `filter[…]`."""

ALIASES: Final = {
    **PAGE_ALIASES,
    **{name: f"filter[{name}]" for name in BARE_ALIASES},
    "tag": "filter[label]",
    "group_id": "filter[group]",
}
"""Name a client may use → canonical name."""

INCLUDES: Final = ("identifiers",)
"""What `include` may name."""

DETAIL_PARAMETERS: Final = frozenset(
    {"include", "fields[contacts]", "fields[contact_identifiers]", WAIT_PARAMETER}
)
"""What `GET /contacts/{id}` may be asked."""

CUSTOM_FILTER: Final = "filter[custom."
"""How a filter by a custom field begins: `filter[custom.KEY]`, or `filter[custom.KEY][OP]`."""

LIST_PARAMETERS: Final = (
    PAGE_PARAMETERS | DETAIL_PARAMETERS | {"sort"} | {f"filter[{name}]" for name in FILTERS}
)
"""What `GET /contacts` may be asked, by canonical names."""

SEARCH_FILTERS: Final = ("q", "status", "seniority", "department", "timezone")
"""Filters of `GET /contacts/search`."""

SEARCH_PARAMETERS: Final = (
    PAGE_PARAMETERS | DETAIL_PARAMETERS | {f"filter[{name}]" for name in SEARCH_FILTERS}
)
"""What `GET /contacts/search` may be asked."""

SEARCH_SORT: Final = "-score"
"""The one order of search results: best first."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """One field of the order."""

    field: str
    descending: bool


@dataclass(frozen=True, slots=True)
class CustomFilter:
    """What is asked of a custom field, as the client wrote it."""

    name: str
    key: str
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class Filters:
    """Which contacts; what is None does not restrict."""

    statuses: tuple[str, ...] = DEFAULT_STATUSES
    q: str | None = None
    company: str | None = None
    company_id: str | None = None
    lead_statuses: tuple[str, ...] = ()
    lead_sources: tuple[str, ...] = ()
    email: str | None = None
    phone: str | None = None
    city: str | None = None
    country: str | None = None
    seniorities: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    """In lower case; any of them."""
    timezones: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    created_after: datetime | None = None
    created_before: datetime | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    custom: tuple[CustomFilter, ...] = ()
    query: Query | None = None
    """What custom fields and smart groups ask, once it is read."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How much of each resource is shown."""

    contact_fields: frozenset[str] | None = None
    """None: all of them."""
    identifier_fields: frozenset[str] | None = None
    include: tuple[str, ...] | None = None
    """None: `include` was not given, so that the answer has no `included`."""

    @property
    def with_identifiers(self) -> bool:
        """Whether identifiers are included."""
        return self.include is not None and "identifiers" in self.include


@dataclass(frozen=True, slots=True)
class ContactQuery:
    """A parsed `GET /contacts`."""

    filters: Filters
    sort: tuple[SortKey, ...]
    """Ends with `id`, so that the order is total."""
    sort_name: str
    """The order in words: cursors of another order are refused."""
    page: PageRequest
    shape: Shape


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A parsed `GET /contacts/search`."""

    text: str
    filters: Filters
    """Of them the statuses, seniorities, departments and time zones."""
    page: PageRequest
    shape: Shape


def parse_search(parameters: Parameters) -> SearchQuery:
    """Read the parameters of `GET /contacts/search`; raises `RequestError`."""
    text = parameters.some("filter[q]")
    if text is None:
        raise bad_parameter("q", "Give the text to search for: q=…")
    return SearchQuery(
        text=text,
        filters=parse_filters(parameters),
        page=parse_page(parameters, SEARCH_SORT, 2),
        shape=parse_shape(parameters),
    )


def parse_listing(parameters: Parameters) -> ContactQuery:
    """Read the parameters of `GET /contacts`; raises `RequestError`."""
    sort = parse_sort(parameters)
    sort_name = ",".join(("-" if key.descending else "") + key.field for key in sort)
    return ContactQuery(
        filters=parse_filters(parameters),
        sort=sort,
        sort_name=sort_name,
        page=parse_page(parameters, sort_name, len(sort)),
        shape=parse_shape(parameters),
    )


def parse_filters(parameters: Parameters) -> Filters:
    """Read `filter[…]` and its aliases."""
    some, moment = parameters.some, parameters.moment
    statuses = parameters.choices("filter[status]", STATUSES)
    return Filters(
        statuses=statuses or DEFAULT_STATUSES,
        q=some("filter[q]"),
        company=some("filter[company]"),
        company_id=some("filter[company_id]"),
        lead_statuses=parameters.choices("filter[lead_status]", LEAD_STATUSES),
        lead_sources=parameters.many("filter[lead_source]"),
        email=some("filter[email]"),
        phone=some("filter[phone]"),
        city=some("filter[city]"),
        country=some("filter[country]"),
        seniorities=parameters.choices("filter[seniority]", SENIORITIES),
        departments=_departments(parameters),
        timezones=_timezones(parameters),
        labels=parameters.each("filter[label]"),
        groups=parameters.each("filter[group]"),
        created_after=moment("filter[created_after]"),
        created_before=moment("filter[created_before]"),
        updated_after=moment("filter[updated_after]"),
        updated_before=moment("filter[updated_before]"),
        custom=parse_custom(parameters),
    )


def _departments(parameters: Parameters) -> tuple[str, ...]:
    """Read names of departments; a usual one may be written with spaces: `Human Resources`."""
    asked = [name.lower() for name in parameters.each("filter[department]")]
    usual = [name.replace(" ", "_") for name in asked]
    return tuple(dict.fromkeys([*asked, *(name for name in usual if name in DEPARTMENTS)]))


def _timezones(parameters: Parameters) -> tuple[str, ...]:
    zones: dict[str, None] = {}
    for name in parameters.many("filter[timezone]"):
        zone = normalize_timezone(name)
        if zone is None:
            raise parameters.refuse(
                "filter[timezone]", "One or more names of time zones, like Europe/Berlin."
            )
        zones[zone] = None
    return tuple(zones)


def parse_custom(parameters: Parameters) -> tuple[CustomFilter, ...]:
    """Read `filter[custom.KEY]` and `filter[custom.KEY][OP]`; all of them have to hold."""
    found: list[CustomFilter] = []
    for name, values in parameters.beginning(CUSTOM_FILTER):
        parts = _CUSTOM.fullmatch(name)
        if parts is None:
            raise parameters.refuse(name, "Write filter[custom.KEY] or filter[custom.KEY][OP].")
        op = parts[2] or "eq"
        found += [CustomFilter(name, parts[1], op, value.strip()) for value in values]
    if len(found) > MAX_CUSTOM_FILTERS:
        raise parameters.refuse(
            found[-1].name, f"At most {MAX_CUSTOM_FILTERS} filters by custom fields."
        )
    return tuple(found)


def parse_sort(parameters: Parameters) -> tuple[SortKey, ...]:
    """Read `sort`; the default is newest first."""
    names = parameters.many("sort") or ("-id",)
    keys = tuple(SortKey(name.removeprefix("-"), name.startswith("-")) for name in names)
    if not {key.field for key in keys} <= set(SORT_FIELDS) or len(keys) > MAX_SORT_FIELDS:
        raise parameters.refuse(
            "sort",
            f"Up to {MAX_SORT_FIELDS} of: {', '.join(SORT_FIELDS)}; `-` before a name descends.",
        )
    if len({key.field for key in keys}) != len(keys):
        raise parameters.refuse("sort", "Name each field once.")
    if keys[-1].field == "id":
        return keys
    return (*keys, SortKey("id", keys[-1].descending))


def parse_shape(parameters: Parameters) -> Shape:
    """Read `fields[…]` and `include`."""
    contact_fields = (*CONTACT_ATTRIBUTES, *CONTACT_RELATIONSHIPS)
    return Shape(
        contact_fields=_fields(parameters, "fields[contacts]", contact_fields),
        identifier_fields=_fields(parameters, "fields[contact_identifiers]", IDENTIFIER_ATTRIBUTES),
        include=parameters.choices("include", INCLUDES) if parameters.has("include") else None,
    )


def _fields(parameters: Parameters, name: str, known: tuple[str, ...]) -> frozenset[str] | None:
    if not parameters.has(name):
        return None
    return frozenset(parameters.choices(name, known))
