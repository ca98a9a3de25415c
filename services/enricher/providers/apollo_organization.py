"""Apollo's `organization`, the present employer, as a company's record (docs.apollo.io).

Read tolerantly: an odd field is left out, as the answer around it was paid for.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from pydantic import ValidationError

from services.enricher.providers.apollo_parts import (
    date_of,
    number_of,
    part_of,
    parts_of,
    text_of,
    texts_of,
)
from shared.events.company import (
    MAX_ROUNDS,
    MAX_TECHNOLOGIES,
    CompanyPhone,
    CompanyRecord,
    FundingRound,
    Technology,
)

_MAX_ADDRESS: Final = 1_000
_MOST: Final = 10**13
"""Units of a currency: its hundredths still fit."""
_WHOLE_NUMBERS: Final = re.compile(r"([\d.,]+)\s*([KMB])?", re.IGNORECASE)
_TIMES: Final = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9}
_SIGNS: Final = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
"""Of money, as Apollo writes it before or after the sum."""


def read_organization(organization: dict[str, Any]) -> tuple[CompanyRecord, ...]:
    """Return what Apollo says about a company; nothing when that makes no sense."""
    total = number_of(organization, "total_funding", 0, _MOST)
    try:
        record = CompanyRecord(
            source_record_id=text_of(organization, "id"),
            name=text_of(organization, "name"),
            domain=text_of(organization, "primary_domain"),
            website=text_of(organization, "website_url", _MAX_ADDRESS),
            linkedin_url=text_of(organization, "linkedin_url", _MAX_ADDRESS),
            crunchbase_slug=text_of(organization, "crunchbase_url", _MAX_ADDRESS),
            logo_url=text_of(organization, "logo_url", _MAX_ADDRESS),
            industry=text_of(organization, "industry"),
            employee_count=number_of(organization, "estimated_num_employees", 0, 100_000_000),
            founded_year=number_of(organization, "founded_year", 1000, 9999),
            revenue_range=text_of(organization, "annual_revenue_printed"),
            city=text_of(organization, "city"),
            state=text_of(organization, "state"),
            country=text_of(organization, "country"),
            total_funding_cents=None if total is None else total * 100,
            latest_funding_stage=text_of(organization, "latest_funding_stage"),
            latest_funding_date=date_of(organization, "latest_funding_round_date"),
            stock_symbol=_symbol(organization),
            funding=tuple(_rounds(organization)),
            technologies=tuple(_technologies(organization)),
            phones=tuple(_phones(organization)),
        )
    except ValidationError:
        return ()
    return (record,) if record.domain or record.name or record.linkedin_url else ()


def _symbol(organization: dict[str, Any]) -> str | None:
    symbol = text_of(organization, "publicly_traded_symbol")
    exchange = text_of(organization, "publicly_traded_exchange")
    return f"{exchange}:{symbol}"[:255] if symbol and exchange else symbol


def _rounds(organization: dict[str, Any]) -> Iterator[FundingRound]:
    for one in parts_of(organization, "funding_events")[:MAX_ROUNDS]:
        investors = (text_of(one, "investors") or "").split(",")
        yield FundingRound(
            type=text_of(one, "type") or "other",
            date=date_of(one, "date"),
            amount_cents=_cents(one),
            currency=_SIGNS.get(text_of(one, "currency") or "", None),
            investors=tuple(name.strip() for name in investors if name.strip())[:50],
        )


def _cents(one: dict[str, Any]) -> int | None:
    """Read a sum: a number, or words like `12.5M`."""
    number = number_of(one, "amount", 0, _MOST)
    if number is not None:
        return number * 100
    match = _WHOLE_NUMBERS.fullmatch(text_of(one, "amount") or "")
    try:
        units = float((match[1] if match else "").replace(",", ""))
    except ValueError:
        return None
    cents = round(units * _TIMES[(match[2] or "").upper() if match else ""] * 100)
    return cents if cents <= _MOST * 100 else None


def _technologies(organization: dict[str, Any]) -> Iterator[Technology]:
    """Read what it uses: with categories where they are told, else by name alone."""
    categories = {
        name.casefold(): text_of(one, "category")
        for one in parts_of(organization, "current_technologies")
        if (name := text_of(one, "name"))
    }
    names = texts_of(organization, "technology_names") or [
        name
        for one in parts_of(organization, "current_technologies")
        if (name := text_of(one, "name"))
    ]
    for name in names[:MAX_TECHNOLOGIES]:
        yield Technology(name=name, category=categories.get(name.casefold()))


def _phones(organization: dict[str, Any]) -> Iterator[CompanyPhone]:
    primary = part_of(organization, "primary_phone")
    number = text_of(primary, "sanitized_number") or text_of(primary, "number")
    number = number or text_of(organization, "sanitized_phone") or text_of(organization, "phone")
    if number:
        yield CompanyPhone(value=number, label="work", primary=True)
