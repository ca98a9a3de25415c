"""The JSON:API documents about companies: one source for the answers and for OpenAPI."""

import datetime as dt
from typing import Any, Final, Literal

from pydantic import Field

from services.api.domain.documents import (
    CursorMeta,
    HistoryAttributes,
    Part,
    Provenance,
    ToMany,
)


class FundingRound(Part):
    """A round of funding."""

    type: str
    date: dt.date | None = None
    amount_cents: int | None = Field(default=None, description="Hundredths of the currency.")
    currency: str | None = None
    investors: tuple[str, ...] = ()
    source: str = Field(description="Who told of it.")


class Technology(Part):
    """Something that the company uses."""

    name: str
    category: str | None = None
    source: str = Field(description="Who told of it.")


class CompanyPhone(Part):
    """A number of the company."""

    raw: str = Field(description="As the source wrote it.")
    value: str | None = Field(default=None, description="E.164, where it is a number.")
    label: str | None = None
    primary: bool = False
    source: str = Field(description="Who told of it.")


class Relation(Part):
    """How the company is related: `from_id` is a `kind` of `to_id`."""

    kind: str
    from_id: str
    to_id: str
    since: dt.date | None = None
    until: dt.date | None = None


class CompanyAttributes(Part):
    """A company: each value as the weightiest source says it."""

    name: str
    domain: str | None = None
    industry: str | None = None
    website: str | None = None
    logo_url: str | None = None
    size_range: str | None = Field(default=None, description="Employees: `11-50`, `5001+`.")
    employee_count: int | None = None
    founded_year: int | None = None
    revenue_range: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    total_funding_cents: int | None = Field(default=None, description="Hundredths of a US dollar.")
    latest_funding_stage: str | None = None
    latest_funding_date: dt.date | None = None
    linkedin_url: str | None = None
    stock_symbol: str | None = None
    funding: tuple[FundingRound, ...] = Field(default=(), description="Newest first.")
    technologies: tuple[Technology, ...] = ()
    phones: tuple[CompanyPhone, ...] = ()
    relations: tuple[Relation, ...] = Field(default=(), description="As people said them.")
    source: str = Field(description="Who told of it first.")
    version: int = Field(description="Number of the newest event that this shows.")
    created_at: dt.datetime
    updated_at: dt.datetime | None = None


COMPANY_ATTRIBUTES: Final = tuple(CompanyAttributes.model_fields)
"""What `fields[companies]` may name."""


class CompanyRelationships(Part):
    """What a company is related to."""

    contacts: ToMany


class CompanyMeta(CursorMeta):
    """What is known about a company's values."""

    provenance: dict[str, Provenance] | None = Field(
        default=None, description="Field → where its value came from; lists say it themselves."
    )


class Company(Part):
    """The resource `companies`."""

    type: Literal["companies"] = "companies"
    id: str
    attributes: CompanyAttributes
    relationships: CompanyRelationships | None = None
    links: dict[str, str]
    meta: CompanyMeta | None = None


class CompanyHistoryEntry(Part):
    """The resource `company_history`."""

    type: Literal["company_history"] = "company_history"
    id: str
    attributes: HistoryAttributes
    meta: CursorMeta | None = None


Json = dict[str, Any]
"""A resource, values as pydantic knows them: not yet JSON."""
