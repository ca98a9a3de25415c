"""What a company shows, composed of all that source records say of it.

As with contacts (DESIGN 4.6): the higher priority wins, then confidence, then recency. Values that
belong together are taken from one record. Nothing is stored of it that could not be composed again,
so that an undone merge and a retracted import have never been (ADR 0060, 0086).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple, get_args

from msgspec import Struct

from shared.events.company import CompanyFacts, CompanyField
from shared.events.contact import (
    CompanyFieldChange,
    CompanyPart,
    CompanyProfile,
    KnownNumber,
    KnownRound,
    KnownTechnology,
    Origin,
)

GROUPS: Final[tuple[tuple[CompanyField, ...], ...]] = (
    ("industry",),
    ("website",),
    ("logo_url",),
    ("size_range", "employee_count"),
    ("founded_year",),
    ("revenue_range",),
    ("city", "state", "country"),
    ("total_funding_cents",),
    ("latest_funding_stage", "latest_funding_date"),
    ("linkedin_url",),
    ("stock_symbol",),
)
"""What is taken from one record: a city of one source in the country of another is nowhere."""

SIZES: Final = ((10, "1-10"), (50, "11-50"), (200, "51-200"), (500, "201-500"),
                (1_000, "501-1000"), (5_000, "1001-5000"))  # fmt: skip
"""Employees up to → the range (spec 003, 15.2); beyond the last it is `5001+`."""

MOST_ROUNDS: Final = 200
MOST_TECHNOLOGIES: Final = 500
MOST_PHONES: Final = 100
"""What a profile shows of each at most, the weightiest sources' first: events have bounds."""


class CompanyClaim(Struct, frozen=True, gc=False):
    """What one current source record says of a company, and how much it weighs."""

    record_key: bytes
    source: str
    priority: int
    confidence: float
    asserted_at: datetime
    facts: CompanyFacts

    @property
    def weight(self) -> tuple[int, float, datetime, bytes]:
        """Priority, then confidence, then recency; the key settles what is left."""
        return (self.priority, self.confidence, self.asserted_at, self.record_key)


class Birth(NamedTuple):
    """What a company was first called, and who said so."""

    name: str
    domain: str | None
    source: str
    priority: int
    at: datetime


class Shown(NamedTuple):
    """What a company shows."""

    name: str
    profile: CompanyProfile | None


def compose(birth: Birth, own: Sequence[CompanyClaim], group: Sequence[CompanyClaim]) -> Shown:
    """Compose what a company shows: its name of its `own` records, the rest of all of its `group`.

    What a company was first called stands until a record of a source that counts as much says
    another name; where it was met as a domain, until any does.
    """
    ranked = sorted(group, key=_weight, reverse=True)
    name, origin = _name(birth, own)
    if not ranked:
        return Shown(name, None)
    values: dict[Any, Any] = {}
    origins: dict[CompanyField, Origin] = {"name": origin} if origin else {}
    for fields in GROUPS:
        for claim in ranked:
            said = _said(claim.facts, fields)
            if said:
                values |= said
                origins |= dict.fromkeys(said, _origin(claim))
                break
    if "size_range" not in values and "employee_count" in values:
        values["size_range"] = _size(values["employee_count"])
        origins["size_range"] = origins["employee_count"]
    return Shown(
        name,
        CompanyProfile(
            **values,
            funding=tuple(_rounds(ranked)),
            technologies=tuple(_technologies(ranked)),
            phones=tuple(_phones(ranked)),
            origins=origins,
        ),
    )


def changes(
    before: Shown, after: Shown
) -> tuple[tuple[CompanyFieldChange, ...], tuple[CompanyPart, ...]]:
    """Return which values and which lists are others now."""
    old, new = before.profile or CompanyProfile(), after.profile or CompanyProfile()
    changed = []
    for name in get_args(CompanyField):
        values = (
            (before.name, after.name)
            if name == "name"
            else (getattr(old, name), getattr(new, name))
        )
        if values[0] != values[1]:
            changed.append(
                CompanyFieldChange(
                    field=name,
                    old=_text(values[0]),
                    new=_text(values[1]),
                    origin=new.origins.get(name),
                )
            )
    parts = tuple(one for one in get_args(CompanyPart) if getattr(old, one) != getattr(new, one))
    return tuple(changed), parts


def _score(shown: Shown) -> int:
    """Return how much is known of a company: of the kinds of values that it may show, percent."""
    profile = shown.profile
    if profile is None:
        return 0
    known = sum(any(getattr(profile, name) is not None for name in group) for group in GROUPS)
    return round(100 * known / len(GROUPS))


def profile_row(
    company: int,
    version: int,
    shown: Shown,
    domain: str | None,
    enriched_at: datetime | None = None,
) -> dict[str, Any]:
    """Return what a company's row keeps of what it shows, for `save_company_profiles`."""
    return {
        "id": company,
        "version": version,
        "enrichment_score": _score(shown),
        "enriched_at": enriched_at.isoformat() if enriched_at else None,
        "domain": domain,
        **_values_of(shown),
    }


def _name(birth: Birth, own: Iterable[CompanyClaim]) -> tuple[str, Origin | None]:
    claims = [one for one in own if one.facts.name]
    best = max(claims, key=_weight, default=None)
    if best is None or best.facts.name is None:
        return birth.name, None
    is_placeholder = birth.name == birth.domain
    if not is_placeholder and birth.priority > best.priority:
        return birth.name, None
    return best.facts.name, _origin(best)


def _said(facts: CompanyFacts, fields: Sequence[str]) -> dict[CompanyField, Any]:
    if "latest_funding_stage" in fields and facts.latest_funding_stage is None:
        dated = [one for one in facts.funding if one.date is not None]
        newest = max(dated, key=lambda one: one.date or date.min, default=None)
        if newest is not None:
            return {"latest_funding_stage": newest.type, "latest_funding_date": newest.date}
    return {name: value for name in fields if (value := getattr(facts, name)) is not None}  # type: ignore[misc]


def _rounds(ranked: Iterable[CompanyClaim]) -> list[KnownRound]:
    found = _each_once(
        ranked,
        lambda facts: facts.funding,
        lambda one: (one.type, one.date or (one.amount_cents, one.currency)),
        MOST_ROUNDS,
    )
    rounds = [
        KnownRound(
            type=one.type,
            date=one.date,
            amount_cents=one.amount_cents,
            currency=one.currency,
            investors=one.investors,
            source=source,
        )
        for one, source in found
    ]
    return sorted(rounds, key=lambda one: one.date or date.min, reverse=True)


def _technologies(ranked: Iterable[CompanyClaim]) -> list[KnownTechnology]:
    found = _each_once(
        ranked,
        lambda facts: facts.technologies,
        lambda one: one.name.casefold(),
        MOST_TECHNOLOGIES,
    )
    known = [
        KnownTechnology(name=one.name, category=one.category, source=source)
        for one, source in found
    ]
    return sorted(known, key=lambda one: one.name.casefold())


def _phones(ranked: Iterable[CompanyClaim]) -> list[KnownNumber]:
    found = _each_once(
        ranked, lambda facts: facts.phones, lambda one: one.value or one.raw, MOST_PHONES
    )
    primary = next((place for place, (one, _) in enumerate(found) if one.primary), None)
    return [
        KnownNumber(
            raw=one.raw,
            value=one.value,
            label=one.label,
            primary=place == primary,
            source=source,
        )
        for place, (one, source) in enumerate(found)
    ]


def _each_once(
    ranked: Iterable[CompanyClaim],
    listed: Callable[[CompanyFacts], Sequence[Any]],
    key: Callable[[Any], object],
    most: int,
) -> list[tuple[Any, str]]:
    """List what is said with who says it, as the weightiest source tells of it."""
    found: dict[object, tuple[Any, str]] = {}
    for claim in ranked:
        for one in listed(claim.facts):
            found.setdefault(key(one), (one, claim.source))
    return list(found.values())[:most]


def _size(employees: int) -> str:
    return next((words for most, words in SIZES if employees <= most), "5001+")


def _origin(claim: CompanyClaim) -> Origin:
    return Origin(
        source=claim.source, source_record=claim.record_key.hex(), asserted_at=claim.asserted_at
    )


def _weight(claim: CompanyClaim) -> tuple[int, float, datetime, bytes]:
    return claim.weight


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _values_of(shown: Shown) -> Mapping[str, Any]:
    """Return what a company's row keeps of it: plain values, days as ISO 8601."""
    profile = shown.profile or CompanyProfile()
    named = {name: getattr(profile, name) for group in GROUPS for name in group}
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in {"name": shown.name, **named}.items()
    }
