"""Normalise what a source says of a company: every value cleaned, every identifier in one spelling.

Ingest and the enricher must come to the same record of the same company, so it is done here.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, get_args
from urllib.parse import urlsplit

import orjson

from shared.events.company import (
    CompanyFacts,
    CompanyIdentifier,
    CompanyIdentifierType,
    CompanyNumber,
    CompanyPhone,
    CompanyRecord,
    FundingRound,
    FundingType,
    NormalizedCompany,
    Round,
    Technology,
)
from shared.events.signal import RejectedValue
from shared.identifiers.company import (
    company_name_key,
    normalize_company_linkedin,
    normalize_crunchbase,
    normalize_tracxn,
)
from shared.identifiers.digests import Digests, content_hash
from shared.identifiers.domain import is_free_mail, is_shared_hosting, normalize_domain
from shared.identifiers.names import clean_text
from shared.identifiers.phone import normalize_phone
from shared.identifiers.types import Refused

_FUNDING: Final = frozenset(get_args(FundingType))
_OTHER_WORDS: Final = {
    "angel_round": "angel",
    "seed_round": "seed",
    "preseed": "pre_seed",
    "pre_seed_round": "pre_seed",
    "venture_round": "venture",
    "series_unknown": "venture",
    "venture_series_unknown": "venture",
    "corporate_round": "venture",
    "debt_financing": "debt",
    "convertible": "convertible_note",
    "private_equity_round": "private_equity",
    "secondary_market": "secondary",
    "initial_public_offering": "ipo",
    "public": "ipo",
    "post_ipo_equity": "post_ipo",
    "post_ipo_debt": "post_ipo",
    "post_ipo_secondary": "post_ipo",
}
"""What vendors call kinds of funding, where it is not our word."""

MAX_TEXT: Final = 255
MAX_ADDRESS: Final = 1_000
"""Characters of a short text and of an address, as `wire.Short` and `wire.Line`."""

_STRENGTH: Final = {kind: rank for rank, kind in enumerate(get_args(CompanyIdentifierType))}
_TEXTS: Final = ("name", "industry", "revenue_range", "city", "state", "country")
_AS_THEY_ARE: Final = (
    "employee_count",
    "founded_year",
    "total_funding_cents",
    "latest_funding_date",
)
_NOT_WORD: Final = re.compile(r"[\W_]+")
_RANGE: Final = re.compile(
    r"([\d.,]+)\s*(?:-|\u2013|to)\s*([\d.,]+)(?:\s*employees)?", re.IGNORECASE
)
_LEAST: Final = re.compile(r"([\d.,]+)\s*\+(?:\s*employees)?", re.IGNORECASE)
_SYMBOL: Final = re.compile(r"[A-Z0-9][A-Z0-9.:-]{0,19}")
_SIZE: Final = "is no number of employees; write it as 11-50, or 5001+"
_WEB: Final = "is not an address of the web; write it like https://example.com"
_NO_COMPANYS: Final = "is where anybody can have a mailbox or a page; give the company's own domain"


def funding_type(text: str) -> str:
    """Return what kind of funding a text means; `other` where it is none that has a name."""
    word = _NOT_WORD.sub("_", text.casefold()).strip("_")
    if word in _FUNDING:
        return word
    return _OTHER_WORDS.get(word, "other")


def normalize_companies(
    records: Iterable[CompanyRecord], region: str | None = None, default_region: str = "US"
) -> tuple[list[tuple[str, CompanyFacts]], list[RejectedValue]]:
    """Return each company's record id and facts, and what was left out, by field and reason.

    A record without an id is known by what identifies its company.  One that names no company is
    left out whole.  `region` is that of national phone numbers.
    """
    kept: dict[str, CompanyFacts] = {}
    rejected: list[RejectedValue] = []
    for place, record in enumerate(records):
        reading = _Reading(record, f"companies.{place}", region, default_region)
        facts = reading.facts()
        rejected += reading.rejected
        name = _record_id(record, facts)
        if name is None:
            reason = "names no company; give its domain, its LinkedIn page or its name"
            rejected.append(RejectedValue(field=f"companies.{place}", reason=reason))
        else:
            kept.setdefault(name, facts)
    return list(kept.items()), rejected


def normalize_company(
    record: CompanyRecord, default_region: str = "US"
) -> tuple[CompanyFacts, list[RejectedValue]]:
    """Return what one record says, whether or not it names a company, and what was left out.

    Fields are named as the record has them.
    """
    reading = _Reading(record, "", None, default_region)
    return reading.facts(), reading.rejected


def named(
    companies: Iterable[tuple[str, CompanyFacts]], tenant: str, source: str, digests: Digests
) -> tuple[NormalizedCompany, ...]:
    """Give companies' records the names and digests that the ledger knows them by."""
    found = []
    for record, facts in companies:
        said = orjson.dumps(
            facts.model_dump(mode="json", exclude_defaults=True), option=orjson.OPT_SORT_KEYS
        )
        found.append(
            NormalizedCompany(
                # No workspace: companies are the tenant's.
                record_key=digests.record_key(tenant, "", source, f"company\0{record}").hex(),
                content_hash=content_hash(said).hex(),
                source_record_id=record if "\0" not in record else None,
                facts=facts,
            )
        )
    return tuple(found)


def _record_id(record: CompanyRecord, facts: CompanyFacts) -> str | None:
    if not (facts.identifiers or facts.name):
        return None
    if record.source_record_id and (stated := _short(record.source_record_id)):
        return stated
    if facts.identifiers:
        return f"{facts.identifiers[0].type}\0{facts.identifiers[0].value}"
    key = company_name_key(facts.name or "")
    return f"name\0{key}" if key else None


@dataclass(slots=True)
class _Reading:
    """One record on its way."""

    record: CompanyRecord
    path: str
    region: str | None
    default_region: str
    rejected: list[RejectedValue] = field(default_factory=list)

    def facts(self) -> CompanyFacts:
        record = self.record
        said: dict[str, Any] = {
            name: text
            for name in _TEXTS
            if (given := getattr(record, name)) and (text := _short(given))
        }
        said |= {
            name: value for name in _AS_THEY_ARE if (value := getattr(record, name)) is not None
        }
        for name in ("website", "logo_url"):
            if (given := getattr(record, name)) and (address := self._address(name, given)):
                said[name] = address
        if record.size_range and (size := self._size(record.size_range)):
            said["size_range"] = size
        if record.stock_symbol and (symbol := self._symbol(record.stock_symbol)):
            said["stock_symbol"] = symbol
        if record.latest_funding_stage and clean_text(record.latest_funding_stage):
            said["latest_funding_stage"] = funding_type(record.latest_funding_stage)
        identifiers = list(self._identifiers(said.get("website")))
        if pages := [one.value for one in identifiers if one.type == "linkedin_uid"]:
            said["linkedin_url"] = f"https://www.linkedin.com/company/{pages[0]}"
        return CompanyFacts(
            **said,
            identifiers=tuple(
                sorted(dict.fromkeys(identifiers), key=lambda one: _STRENGTH[one.type])
            ),
            funding=tuple(dict.fromkeys(map(_round, record.funding))),
            technologies=tuple(self._technologies()),
            phones=tuple(self._phones(record.phones)),
        )

    def _reject(self, name: str, reason: str) -> None:
        field = f"{self.path}.{name}" if self.path else name
        self.rejected.append(RejectedValue(field=field, reason=reason))

    def _identifiers(self, website: str | None) -> Iterator[CompanyIdentifier]:
        record = self.record
        if record.domain and clean_text(record.domain):
            domain = normalize_domain(record.domain)
            if isinstance(domain, Refused):
                self._reject("domain", domain.reason)
            elif is_free_mail(domain) or is_shared_hosting(domain):
                self._reject("domain", _NO_COMPANYS)
            else:
                yield CompanyIdentifier(type="domain", value=domain)
        elif website:
            domain = normalize_domain(website)
            if isinstance(domain, str) and not (is_free_mail(domain) or is_shared_hosting(domain)):
                yield CompanyIdentifier(type="domain", value=domain)
        spellings: tuple[tuple[str, CompanyIdentifierType, Callable[[str], str | Refused]], ...] = (
            ("linkedin_url", "linkedin_uid", normalize_company_linkedin),
            ("linkedin_uid", "linkedin_uid", normalize_company_linkedin),
            ("crunchbase_slug", "crunchbase_slug", normalize_crunchbase),
            ("tracxn_slug", "tracxn_slug", normalize_tracxn),
        )
        for name, kind, spell in spellings:
            given = getattr(record, name)
            if given and clean_text(given):
                value = spell(given)
                if isinstance(value, Refused):
                    self._reject(name, value.reason)
                else:
                    yield CompanyIdentifier(type=kind, value=value)

    def _address(self, name: str, given: str) -> str | None:
        text = clean_text(given)
        if text and "://" not in text:
            text = f"https://{text}"
        try:
            parts = urlsplit(text)
            is_one = (
                len(text) <= MAX_ADDRESS
                and parts.scheme in {"http", "https"}
                and "." in (parts.hostname or "")
            )
        except ValueError:
            is_one = False
        if not is_one:
            self._reject(name, _WEB)
            return None
        return text

    def _size(self, given: str) -> str | None:
        text = clean_text(given)
        if match := _RANGE.fullmatch(text):
            low, high = (re.sub(r"\D", "", part) for part in match.groups())
            if low and high and int(low) <= int(high):
                return f"{int(low)}-{int(high)}"
        if (match := _LEAST.fullmatch(text)) and (least := re.sub(r"\D", "", match[1])):
            return f"{int(least)}+"
        self._reject("size_range", _SIZE)
        return None

    def _symbol(self, given: str) -> str | None:
        text = clean_text(given).upper().replace(" ", "")
        if _SYMBOL.fullmatch(text):
            return text
        self._reject("stock_symbol", "is no symbol of a stock; write it as NASDAQ:MSFT")
        return None

    def _technologies(self) -> Iterator[Technology]:
        seen: set[str] = set()
        for one in self.record.technologies:
            name = _short(one.name)
            if name and name.casefold() not in seen:
                seen.add(name.casefold())
                word = _NOT_WORD.sub("_", (one.category or "").casefold()).strip("_")
                fits = re.fullmatch(r"[a-z][a-z0-9_]{0,62}", word)
                yield Technology(name=name, category=word if fits else None)

    def _phones(self, given: Iterable[CompanyPhone]) -> Iterator[CompanyNumber]:
        seen: set[str] = set()
        has_primary = False
        for place, one in enumerate(given):
            raw = _short(one.value)
            if not raw:
                continue
            phone = normalize_phone(raw, self.region, self.default_region)
            value = None
            if isinstance(phone, Refused):
                self._reject(f"phones.{place}.value", phone.reason)
            else:
                value = phone.key
            if (value or raw) in seen:
                continue
            seen.add(value or raw)
            yield CompanyNumber(
                raw=raw,
                value=value,
                label=_short(one.label) or None if one.label else None,
                primary=one.primary and not has_primary,
            )
            has_primary = has_primary or one.primary


def _short(text: str) -> str:
    """Clean a text; composing accents may lengthen it beyond what a signal takes."""
    return clean_text(text)[:MAX_TEXT].strip()


def _round(one: FundingRound) -> Round:
    investors = [text for given in one.investors if (text := _short(given))]
    return Round.model_validate(
        {
            "type": funding_type(one.type),
            "date": one.date,
            "amount_cents": one.amount_cents,
            "currency": one.currency,
            "investors": tuple(dict.fromkeys(investors)),
        }
    )
