"""A signal arrives: work out once what the gate asks of it again and again."""

from typing import Final

from typing_extensions import TypeIs

from services.resolver.domain.companies import employers_of
from services.resolver.domain.matching.sharing import is_role_mailbox
from services.resolver.domain.model import STRENGTH, Delivery, IdentifierKey, Source
from shared.events.activity import NormalizedActivity
from shared.events.signal import Facts, Identifier, NormalizedCompanySignal, NormalizedSignal
from shared.events.structs import Reader, struct_of, text_of

read_signal: Final = Reader(NormalizedSignal, verbatim="raw").read
"""Reads a normalised signal; its raw payload stays JSON."""

read_company_signal: Final = Reader(NormalizedCompanySignal, verbatim="raw").read
"""Reads what a signal says of companies alone, likewise."""

_NormalizedSignal: Final = struct_of(NormalizedSignal)
_CompanySignal: Final = struct_of(NormalizedCompanySignal, verbatim="raw")
_NOTHING: Final = struct_of(Facts)()


def deliver(
    signal: NormalizedSignal,
    tenant_id: int,
    workspace_id: int,
    source: Source,
    traceparent: str | None = None,
) -> Delivery:
    """Make the delivery of a signal, its identifiers ranked and its employers found."""
    return Delivery(
        signal=signal,
        tenant_id=tenant_id,
        workspace_id=workspace_id,
        source=source,
        record_key=bytes.fromhex(signal.record_key),
        content_hash=bytes.fromhex(signal.content_hash),
        identifiers=identifiers_of(signal.facts, tenant_id),
        employers=employers_of(signal.facts) if signal.facts.employments else (),
        raw=text_of(signal.raw),
        traceparent=traceparent,
    )


def deliver_companies(
    signal: NormalizedCompanySignal,
    tenant_id: int,
    workspace_id: int,
    source: Source,
    traceparent: str | None = None,
) -> Delivery:
    """Make the delivery of a signal about companies alone: it says nothing of anybody."""
    first = signal.companies[0]
    return Delivery(
        signal=_NormalizedSignal(
            signal_id=signal.signal_id,
            tenant=signal.tenant,
            workspace=signal.workspace,
            source=signal.source,
            record_key=first.record_key,
            content_hash=first.content_hash,
            occurred_at=signal.occurred_at,
            received_at=signal.received_at,
            confidence=signal.confidence,
            facts=_NOTHING,
            companies=signal.companies,
            rejected=signal.rejected,
            raw={},
        ),
        tenant_id=tenant_id,
        workspace_id=workspace_id,
        source=source,
        record_key=bytes.fromhex(first.record_key),
        content_hash=bytes.fromhex(first.content_hash),
        identifiers=(),
        employers=(),
        raw=text_of(signal.raw),
        traceparent=traceparent,
    )


def is_company(
    signal: NormalizedSignal | NormalizedActivity | NormalizedCompanySignal,
) -> TypeIs[NormalizedCompanySignal]:
    """Tell whether a signal speaks of companies alone."""
    return isinstance(signal, _CompanySignal)


def identifiers_of(facts: Facts, tenant_id: int) -> tuple[tuple[IdentifierKey, Identifier], ...]:
    """Return whom a record names, with their keys, strongest first.

    A role's mailbox is no identifier: it stays with what the record says.
    """
    return tuple(
        [
            ((tenant_id, one.type, one.value), one)
            for one in sorted(facts.identifiers, key=_strength)
            if one.type != "email" or not is_role_mailbox(one.value)
        ]
    )


def _strength(identifier: Identifier) -> int:
    return STRENGTH[identifier.type]
