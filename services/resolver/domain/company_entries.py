"""What people say of companies: a record of the source `manual_entry`, as any other record is.

So a merge, a split and an import taken back carry it as they carry what sources say, and what a
person says stands before all that vendors say (DESIGN 4.6; ADR 0087).
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, Literal

from services.resolver.domain.company_ledger import (
    DOMAIN,
    CompanyKey,
    KnownCompanies,
    Told,
    name_key,
)
from services.resolver.domain.company_profiles import Shown
from services.resolver.domain.marking import Ordered, as_delivered
from shared.errors import PoisonMessageError
from shared.events.command import ChangeCompany
from shared.events.company import CompanyFacts, CompanyRecord, NormalizedCompany
from shared.events.company_facts import normalize_company
from shared.events.signal import Facts
from shared.events.structs import as_struct, changed, struct_of, to_json

SOURCE: Final = "manual_entry"
"""By whom people say it."""

_IDENTIFIERS: Final[Mapping[str, str]] = {
    "domain": "domain",
    "linkedin_url": "linkedin_uid",
    "linkedin_uid": "linkedin_uid",
    "crunchbase_slug": "crunchbase_slug",
    "tracxn_slug": "tracxn_slug",
}
"""Field of an entry → the type of identifier that it gives."""

_PLACE: Final = ("city", "state", "country")
"""Taken from one record: who corrects one of them means the others as they are shown."""

_NormalizedCompany: Final = struct_of(NormalizedCompany)
_NOTHING: Final = struct_of(Facts)()


def facts_of(values: CompanyRecord) -> CompanyFacts:
    """Normalise what a person says; raises `PoisonMessageError` with what is wrong first."""
    facts, rejected = normalize_company(values)
    if rejected:
        raise PoisonMessageError("invalid", rejected[0].reason, field=rejected[0].field)
    return as_struct(facts)


def first_facts(values: CompanyRecord) -> CompanyFacts:
    """Return what a new company's entry says; it has to say which company it is."""
    facts = facts_of(values)
    if not (facts.name or facts.identifiers):
        reason = "is missing; give the company's name, its domain or its page in a directory"
        raise PoisonMessageError("invalid", reason, field="name")
    return facts


def new_identifiers(order: ChangeCompany) -> CompanyFacts:
    """Return what a change says by itself: of identifiers only those that are given as such."""
    facts = facts_of(order.values)
    kinds = _kinds_given(order)
    named = tuple(one for one in facts.identifiers if one.type in kinds)
    return changed(facts, identifiers=named)


def revised(
    present: CompanyFacts | None, said: CompanyFacts, shown: Shown, order: ChangeCompany
) -> CompanyFacts:
    """Return what people say of a company from now on: as before, but for what is named."""
    if lasting := sorted(set(order.cleared) & {"linkedin_url"}):
        reason = "can't be taken away: identifiers last; take a merged company apart instead"
        raise PoisonMessageError("invalid", reason, field=lasting[0])
    before = present or struct_of(CompanyFacts)()
    given, cleared = order.values.model_fields_set, set(order.cleared)
    names = {name for name in given if name in CompanyFacts.model_fields}
    values: dict[str, Any] = {name: getattr(said, name) for name in names}
    values |= dict.fromkeys(cleared)
    if not given.isdisjoint(_PLACE):
        values |= {
            name: getattr(before, name) or getattr(shown.profile, name, None)
            for name in _PLACE
            if name not in given | cleared
        }
    kinds = _kinds_given(order)
    if "linkedin_uid" in kinds:
        values["linkedin_url"] = said.linkedin_url
    kept = tuple(one for one in before.identifiers if one.type not in kinds)
    return changed(before, **values, identifiers=(*said.identifiers, *kept))


def _kinds_given(order: ChangeCompany) -> set[str]:
    given = order.values.model_fields_set
    return {kind for field, kind in _IDENTIFIERS.items() if field in given}


def keys_of(tenant: int, facts: CompanyFacts) -> tuple[CompanyKey, ...]:
    """Return what identifies a company, as the ledger's look-ups name it."""
    return tuple((tenant, one.type, one.value) for one in facts.identifiers)


def taken(keys: Collection[CompanyKey], found: KnownCompanies, root: int | None) -> list[int]:
    """Return the other companies that are known by what a person says of this one; None: a new one.

    Those that stand behind it are no others, but where it would take their domain: each has that
    back when the two are split. So one of them is named as itself.
    """
    others: dict[int, None] = {}
    for key in keys:
        holder = found.holders.get(key)
        if holder is None or holder == root:
            continue
        stands = found.root(holder)
        if stands != root:
            others[stands] = None
        elif key[1] == DOMAIN and found.companies[stands].domain != key[2]:
            others[holder] = None
    return list(others)


def entry_key(tenant: str, company: str) -> bytes:
    """Name the record of what people say of a company, by public ids."""
    text = f"{tenant}\0{company}".encode()
    return blake2b(text, digest_size=16, person=b"kith company").digest()


def entry(
    order: Ordered,
    facts: CompanyFacts,
    record_key: bytes,
    at: datetime,
    company: int | Literal["new"],
) -> Told:
    """Write what a person says of a company as a record on its way there."""
    content = blake2b(to_json(facts), digest_size=16, person=b"kith facts").digest()
    said = _NormalizedCompany(record_key=record_key.hex(), content_hash=content.hex(), facts=facts)
    delivery = as_delivered(
        order,
        (record_key, content, at),
        {"command": order.command_id},
        facts=_NOTHING,
        companies=(said,),
    )
    return Told(
        delivery,
        said,
        record_key,
        content,
        keys_of(order.tenant_id, facts),
        name_key(order.tenant_id, facts),
        company,
    )
