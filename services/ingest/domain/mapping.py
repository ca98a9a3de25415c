"""From a valid signal to a well-formed one: every value cleaned, every identifier spelt one way.

The result is the JSON of `shared.events.signal.NormalizedSignal`, or of `NormalizedCompanySignal`
where the signal says nothing of a person, written without building that model: a second validation
would cost as much as everything else here together (27 µs, measured). A test reads it back through
the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from msgspec import Struct

from services.ingest.domain.draft import Draft
from services.ingest.domain.identity import add_emails, add_linkedin, add_others, add_phones
from services.ingest.domain.person import add_details, add_names
from shared.errors import PoisonMessageError
from shared.events.company import NormalizedCompany
from shared.events.company_facts import named, normalize_companies
from shared.events.signal import ContactSignal
from shared.events.structs import stripped
from shared.identifiers.digests import Digests, content_hash

_NAMES: Final = frozenset({"full_name", "first_name", "last_name", "nickname"})
"""What makes a signal usable when it has no identifier."""


class Origin(Struct, frozen=True, gc=False):
    """Where a signal came from and when."""

    signal_id: str
    tenant: str
    workspace: str
    occurred_at: str
    """RFC 3339, as `received_at`."""
    received_at: str
    traceparent: str | None = None
    """W3C trace context of the signal's sender."""
    import_id: str | None = None
    """The import that brings it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What mapping depends on besides the signal."""

    digests: Digests
    default_region: str = "US"
    """Where a national phone number is read when the record declares no region."""


class Normalized(Struct, frozen=True, gc=False):
    """A well-formed signal, ready for the topic."""

    record_key: bytes
    content_hash: bytes
    body: bytes
    rejected: list[dict[str, str]]
    """Field and reason of every value that was left out."""
    assumed: list[str]
    """Fields of the phone numbers whose region was assumed."""
    is_company: bool = False
    """It speaks of companies alone; the record is that of the first."""
    waited: bytes = b""
    """Then: record key and content hash of each company, any of which tells that it is applied."""

    @property
    def key(self) -> bytes:
        """Return the Kafka key: the record key in hex."""
        return self.record_key.hex().encode()


def to_normalized(
    signal: ContactSignal, raw: bytes, origin: Origin, rules: Rules, draft: Draft | None = None
) -> Normalized:
    """Normalise one signal, or refuse it when nothing in it says who it is about.

    One that says nothing of a person may bring companies alone (ADR 0101).  `raw` is the signal's
    JSON as it came; it travels on unread.  `draft` is `to_draft`'s of the signal, for a caller who
    has it.
    """
    if draft is None:
        draft = _collected(signal, rules.default_region)
        if _is_of_companies(draft, signal):
            return _of_companies(draft, signal, raw, origin, rules.digests)
        _refuse_nobody(draft)
    _leave_out_unborn(draft, origin)
    facts = orjson.dumps(draft.facts, option=orjson.OPT_SORT_KEYS)
    about = _about(signal)
    digest = content_hash(facts + orjson.dumps(about) if about else facts)
    record = stripped(signal.source_record_id) if signal.source_record_id else ""
    key = _record_key(signal.source, record, origin, rules.digests, digest)
    body: dict[str, Any] = {
        "signal_id": origin.signal_id,
        "tenant": origin.tenant,
        "workspace": origin.workspace,
        "source": signal.source,
        "record_key": key.hex(),
        "content_hash": digest.hex(),
        "occurred_at": origin.occurred_at,
        "received_at": origin.received_at,
        "facts": orjson.Fragment(facts),
        "raw": orjson.Fragment(raw),
    }
    if record:
        body["source_record_id"] = record
    if signal.source_version is not None:
        body["source_version"] = signal.source_version
    if about:
        body |= about
    if origin.import_id:
        body["import_id"] = origin.import_id
    if draft.companies:
        told = named(draft.companies, origin.tenant, signal.source, rules.digests)
        body["companies"] = [one.model_dump(mode="json", exclude_defaults=True) for one in told]
    if draft.rejected:
        body["rejected"] = draft.rejected
    return Normalized(key, digest, orjson.dumps(body), draft.rejected, draft.assumed)


def _leave_out_unborn(draft: Draft, origin: Origin) -> None:
    """Leave a birthday out that is yet to come: whoever is told of was born."""
    birthday = draft.facts.get("birthday")
    # One without a year begins with a hyphen, which sorts before every digit.
    if birthday and birthday > origin.received_at[:10]:
        del draft.facts["birthday"]
        draft.reject("birthday", "is yet to come; write the year of birth in four digits")


def to_draft(signal: ContactSignal, default_region: str) -> Draft:
    """Collect the facts and identifiers of a signal, or refuse it when it speaks of nobody."""
    draft = _collected(signal, default_region)
    _refuse_nobody(draft)
    return draft


def _collected(signal: ContactSignal, default_region: str) -> Draft:
    draft = Draft()
    # LinkedIn, mail and telephone in this order, which is that of their strength.
    add_names(draft, signal)
    if signal.linkedin_url:
        add_linkedin(draft, signal.linkedin_url)
    if signal.emails:
        add_emails(draft, signal.emails)
    if signal.phones:
        add_phones(draft, signal, default_region)
    add_details(draft, signal)
    if signal.identifiers:
        add_others(draft, signal, default_region)
    if signal.companies:
        _add_companies(draft, signal, default_region)
    if draft.identifiers:
        draft.facts["identifiers"] = draft.listed_identifiers()
    return draft


def _refuse_nobody(draft: Draft) -> None:
    if not draft.identifiers and _NAMES.isdisjoint(draft.facts):
        raise _unusable(draft)


def _is_of_companies(draft: Draft, signal: ContactSignal) -> bool:
    """Tell whether a signal brings companies and nothing of a person.

    A value that had to be left out is something of a person, too: with it, somebody would be lost.
    """
    if not draft.companies or draft.facts or draft.identifiers or signal.about:
        return False
    return all(one["field"].startswith("companies.") for one in draft.rejected)


def _of_companies(
    draft: Draft, signal: ContactSignal, raw: bytes, origin: Origin, digests: Digests
) -> Normalized:
    """Normalise what is said of companies alone."""
    told = named(draft.companies, origin.tenant, signal.source, digests)
    body: dict[str, Any] = {
        "signal_id": origin.signal_id,
        "tenant": origin.tenant,
        "workspace": origin.workspace,
        "source": signal.source,
        "occurred_at": origin.occurred_at,
        "received_at": origin.received_at,
        "confidence": signal.confidence,
        "companies": [one.model_dump(mode="json", exclude_defaults=True) for one in told],
        "rejected": draft.rejected,
        "raw": orjson.Fragment(raw),
    }
    first = told[0]
    return Normalized(
        bytes.fromhex(first.record_key),
        bytes.fromhex(first.content_hash),
        orjson.dumps(body),
        draft.rejected,
        draft.assumed,
        is_company=True,
        waited=_waited(told),
    )


def _waited(told: Sequence[NormalizedCompany]) -> bytes:
    """Name the first company that is sure to be entered, else all: a name may be nobody's."""
    sure = next(([one] for one in told if one.facts.identifiers), told)
    return b"".join(bytes.fromhex(one.record_key + one.content_hash) for one in sure)


def _add_companies(draft: Draft, signal: ContactSignal, default_region: str) -> None:
    draft.companies, rejected = normalize_companies(
        signal.companies, signal.phone_region, default_region
    )
    for one in rejected:
        draft.reject(one.field, one.reason)


def _unusable(draft: Draft) -> PoisonMessageError:
    """Say why a signal speaks of nobody: what was left out, or that nothing was there."""
    if not draft.rejected:
        return PoisonMessageError(
            "invalid",
            "has neither a name nor an identifier; give at least one of them"
            + (", or nothing but companies" if draft.companies else ""),
        )
    first = draft.rejected[0]
    detail = f"{first['reason']} (and the signal has no name or other identifier)"
    return PoisonMessageError("invalid", detail, field=first["field"])


def _about(signal: ContactSignal) -> dict[str, Any]:
    """Return what qualifies the facts, where it differs from the default."""
    about: dict[str, Any] = {}
    if signal.confidence != 1.0:
        about["confidence"] = signal.confidence
    if signal.about:
        about["about"] = signal.about
    if signal.import_source:
        about["import_source"] = signal.import_source
    return about


def _record_key(source: str, record: str, origin: Origin, digests: Digests, digest: bytes) -> bytes:
    """Name the record by its id, or, without one, by its content."""
    if record:
        return digests.record_key(origin.tenant, origin.workspace, source, record)
    return digests.unnamed_record_key(origin.tenant, origin.workspace, source, digest)
