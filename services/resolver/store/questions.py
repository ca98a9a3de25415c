"""Questions about decisions: the review queue, why, why not, how. Load, then tell."""

from services.resolver.domain.review_documents import (
    Document,
    tell_case,
    tell_evidence,
    tell_pair,
    tell_steps,
    tell_why,
)
from services.resolver.domain.reviewing import Filters, Waiting
from services.resolver.store.review import ReviewStore


async def list_pairs(
    store: ReviewStore, filters: Filters, after: tuple[float, int] | None, limit: int
) -> list[Document]:
    """List pairs of the queue, those worth most first."""
    return [tell_pair(pair) for pair in await store.find_queue(filters, after, limit)]


async def show_pair(store: ReviewStore, named: Filters) -> Document | None:
    """Show one pair in full; None when there is none of that name here."""
    found = await store.find_queue(named, None, 1)
    return await _case(store, found[0]) if found else None


async def _case(store: ReviewStore, pair: Waiting) -> Document:
    said = await store.find_said({pair.left.id, pair.right.id})
    decided = await store.find_evidence({pair.decision_id} if pair.decision_id else set())
    explained = decided.get(pair.decision_id) if pair.decision_id else None
    sides = (said[pair.left.id], said[pair.right.id])
    return tell_case(pair, sides, explained, hide=store.is_walled)


async def why(store: ReviewStore, contact: str) -> Document | None:
    """Tell why the records of a contact are one contact; None when it is unknown here."""
    found = await store.why(contact)
    if found is None:
        return None
    named = found.contact
    joins = (found.joins, found.scorer)
    return tell_why(named.root_name, named.public_id, joins, found.merges, hide=store.is_walled)


async def why_not(store: ReviewStore, one: str, other: str) -> Document | None:
    """Tell how two contacts compare now; None when one of them is unknown here."""
    found = await store.why_not(one, other)
    if found is None:
        return None
    evidence = tell_evidence(*found.explained, hide=store.is_walled) if found.explained else None
    if found.is_one:
        words = "They are one contact: ask why."
    elif found.is_kept_apart:
        words = "A person keeps them apart; no machine merges them."
    elif evidence is None:
        words = "One of them has no record to compare."
    else:
        words = evidence["words"]
    return {
        "contacts": [
            {"id": side.public_id, "version": side.version, "stands_for": side.root_name}
            for side in (found.left, found.right)
        ],
        "is_one": found.is_one,
        "is_kept_apart": found.is_kept_apart,
        "evidence": evidence,
        "words": words,
    }


async def how(store: ReviewStore, contact: str) -> Document | None:
    """Replay a contact step by step; None when it is unknown here."""
    steps = await store.how(contact)
    return None if steps is None else tell_steps(contact, steps)
