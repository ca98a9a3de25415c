"""A signal arrives: work out once what the gate asks of it again and again."""

from typing import Final

from services.resolver.domain.companies import employers_of
from services.resolver.domain.matching.sharing import is_role_mailbox
from services.resolver.domain.model import STRENGTH, Delivery, IdentifierKey, Source
from shared.events.signal import Facts, Identifier, NormalizedSignal
from shared.events.structs import Reader, text_of

read_signal: Final = Reader(NormalizedSignal, verbatim="raw").read
"""Reads a normalised signal; its raw payload stays JSON."""


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
