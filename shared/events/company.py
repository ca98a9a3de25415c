"""What a source says of a company: as published beside a person, and normalised.

A signal about a person may bring what its source knows of companies, as vendors and directories
do. It is a record of its own: the same company told of with a thousand people is one record.
"""

import datetime as dt
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from shared.events.wire import Line, Short, Wire

MAX_COMPANIES: Final = 20
"""The most companies one signal may tell of."""

MAX_ROUNDS: Final = 100
"""The most rounds of funding one record may list."""

MAX_TECHNOLOGIES: Final = 300
"""The most technologies one record may list: vendors' answers have up to some 200."""

CompanyIdentifierType = Literal["domain", "linkedin_uid", "crunchbase_slug", "tracxn_slug"]
"""What identifies a company, strongest first (spec 004); a name alone never does (DESIGN 9)."""

FundingType = Literal[
    "pre_seed",
    "seed",
    "angel",
    "grant",
    "series_a",
    "series_b",
    "series_c",
    "series_d",
    "series_e",
    "series_f",
    "series_g",
    "series_h",
    "venture",
    "convertible_note",
    "debt",
    "private_equity",
    "secondary",
    "ipo",
    "post_ipo",
    "other",
]
"""Kinds of funding (spec 004)."""

CompanyField = Literal[
    "name",
    "industry",
    "website",
    "logo_url",
    "size_range",
    "employee_count",
    "founded_year",
    "revenue_range",
    "city",
    "state",
    "country",
    "total_funding_cents",
    "latest_funding_stage",
    "latest_funding_date",
    "linkedin_url",
    "stock_symbol",
]
"""The single values that a company shows; each is chosen from what sources say."""

Money = Annotated[int, Field(ge=0, le=10**15)]
"""Hundredths of a currency's unit."""

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""ISO 4217, for example `EUR`."""


class FundingRound(Wire):
    """A round of funding as a source tells of it."""

    type: Short
    """`seed`, `Series A`, …: normalised to one of `FundingType`, `other` where it is none."""
    date: dt.date | None = None
    amount_cents: Money | None = None
    currency: Currency | None = None
    investors: Annotated[tuple[Short, ...], Field(max_length=50)] = ()


class Technology(Wire):
    """Something that a company uses."""

    name: Short
    category: Short | None = None
    """`crm`, `analytics`, …: the sources' open list, spelt `cloud_infrastructure`."""


class CompanyPhone(Wire):
    """A number of a company as the source wrote it."""

    value: Short
    label: Short | None = None
    primary: bool = False


class Firmographics(Wire):
    """The single values that are said of a company besides its name."""

    industry: Short | None = None
    website: Line | None = None
    logo_url: Line | None = None
    size_range: Short | None = None
    """Employees: `11-50`, `5001+`."""
    employee_count: Annotated[int, Field(ge=0, le=100_000_000)] | None = None
    founded_year: Annotated[int, Field(ge=1000, le=9999)] | None = None
    revenue_range: Short | None = None
    city: Short | None = None
    state: Short | None = None
    country: Short | None = None
    total_funding_cents: Money | None = None
    """Hundredths of a US dollar."""
    latest_funding_date: dt.date | None = None
    linkedin_url: Line | None = None
    stock_symbol: Short | None = None


class CompanyRecord(Firmographics):
    """What a source says of a company, as published."""

    source_record_id: Short | None = None
    """What the source calls the company; without one, what identifies it stands for it."""
    name: Short | None = None
    domain: Short | None = None
    linkedin_uid: Short | None = None
    """LinkedIn's name or number of the company: the last part of its page's address."""
    crunchbase_slug: Line | None = None
    """The last part of `crunchbase.com/organization/stripe`; the whole address will do."""
    tracxn_slug: Line | None = None
    latest_funding_stage: Short | None = None
    funding: Annotated[tuple[FundingRound, ...], Field(max_length=MAX_ROUNDS)] = ()
    technologies: Annotated[tuple[Technology, ...], Field(max_length=MAX_TECHNOLOGIES)] = ()
    phones: Annotated[tuple[CompanyPhone, ...], Field(max_length=50)] = ()


class CompanyIdentifier(Wire):
    """A normalised identifier of a company."""

    type: CompanyIdentifierType
    value: Short


class Round(Wire):
    """A round of funding, normalised."""

    type: FundingType
    date: dt.date | None = None
    amount_cents: Money | None = None
    currency: Currency | None = None
    investors: tuple[Short, ...] = ()


class CompanyNumber(Wire):
    """A number of a company: as written, and in E.164 where it is one."""

    raw: Short
    value: Short | None = None
    label: Short | None = None
    primary: bool = False


class CompanyFacts(Firmographics):
    """What one source record says of a company, normalised."""

    name: Short | None = None
    latest_funding_stage: FundingType | None = None
    identifiers: tuple[CompanyIdentifier, ...] = ()
    """Strongest first."""
    funding: tuple[Round, ...] = ()
    technologies: tuple[Technology, ...] = ()
    phones: tuple[CompanyNumber, ...] = ()


class NormalizedCompany(Wire):
    """A company's record on its way to the resolver, beside the person that it came with."""

    record_key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    """Keyed digest of (tenant, source, the source's record of the company), hex: every workspace
    that asks a source about a company is told by the same record."""
    content_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    source_record_id: Short | None = None
    facts: CompanyFacts
