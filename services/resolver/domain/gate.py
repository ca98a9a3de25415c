"""The gate: whose signal is this? Decides a whole batch in memory, as if signals came one by one.

Nothing hit → a new contact. One contact hit → that one, unless names deny it: then a new contact
and a candidate for review. Several hit → the holder of the strongest identifier that nothing speaks
against receives the signal, and each other becomes a candidate (`admission`). A newer version of a
source record stays with the contact that the record was given to.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from services.resolver.domain import telling
from services.resolver.domain.admission import Admission, admit
from services.resolver.domain.applying import Applying
from services.resolver.domain.cluster import pair_of
from services.resolver.domain.companies import link_companies
from services.resolver.domain.company_ledger import CompanyNews
from services.resolver.domain.company_records import take_companies
from services.resolver.domain.ledger import after, standing, unsaid
from services.resolver.domain.matching.statistics import SHARED_BY
from services.resolver.domain.model import (
    Candidate,
    Contact,
    Delivery,
    Document,
    FoundOut,
    IdentifierKey,
    Ids,
    Known,
    LedgerRow,
    Plan,
    Revision,
    Sharing,
)
from shared.events.contact import ContactStatus, ProposalReason
from shared.events.signal import Facts
from shared.events.structs import struct_of


def decide(
    deliveries: Iterable[Delivery],
    known: Known,
    ids: Ids,
    now: datetime,
    news: CompanyNews | None = None,
) -> Plan:
    """Decide a batch. `known` is the batch's own copy and is brought forward signal by signal.

    `news` is what the batch tells of companies, where it tells of any.
    """
    gate = _Gate(known, ids, Plan(now=now))
    if news is not None:
        take_companies(news, known, ids, gate.plan)
    for delivery in deliveries:
        outcome = gate.admit(delivery)
        gate.plan.outcomes[outcome] = gate.plan.outcomes.get(outcome, 0) + 1
    return gate.plan


class _Gate:
    """One batch on its way through; holds the plan as it grows."""

    def __init__(self, known: Known, ids: Ids, plan: Plan) -> None:
        self.known = known
        self.ids = ids
        self.plan = plan
        self._contacts = Applying(known, ids, plan)

    def admit(self, delivery: Delivery) -> str:
        """Let one signal through; returns its outcome."""
        revisions = self.known.records.setdefault((delivery.tenant_id, delivery.record_key), [])
        what = standing(delivery, revisions)
        if what == "duplicate":
            return "duplicate"
        if what == "stale":
            current = next(one for one in revisions if one.current)
            holder = self.known.contacts[current.contact_id]
            said = telling.document(delivery.signal.facts)
            self._enter(delivery, said, revisions, holder, superseded=True)
            return "stale"
        admission = self._ask(delivery, revisions)
        receiver = None
        if admission.receiver is not None:
            receiver = self.known.contacts[admission.receiver]
            if receiver.status == "deleted":  # a vendor's answer about somebody who is gone
                self._enter(unsaid(delivery), _NOTHING, revisions, receiver, superseded=True)
                return "stale"
        said = self._said(delivery)
        if receiver is None:
            contact = self._contacts.create(delivery, said)
        else:
            contact = receiver
            self._contacts.update(contact, delivery, said)
        self._note_enriched(contact, delivery)
        for other, reason in admission.proposals:
            self._propose(contact, self.known.contacts[other], delivery, reason)
        for key in admission.contested:
            self._contest(contact, key, delivery)
        if receiver is None:
            self._propose_namesakes(contact, delivery)
        self._enter(delivery, said, revisions, contact, superseded=False)
        return "created" if receiver is None else "updated"

    def _ask(self, delivery: Delivery, revisions: list[Revision]) -> Admission:
        """Find the contacts that the signal names, and which of them receives it.

        A vendor that was asked about a contact and names no identifier of anybody spoke of that
        contact: nobody else would be found, and a stranger made of the answer.
        """
        hits: dict[int, list[IdentifierKey]] = {}
        pinned = next((one.contact_id for one in revisions if one.current), None)
        if pinned is not None:
            hits[pinned] = []
        holders = self.known.holders
        for key, _ in delivery.identifiers:
            if key in holders:
                hits.setdefault(holders[key], []).append(key)
        if not hits and delivery.signal.about is not None:
            asked = self.known.about.get((delivery.tenant_id, delivery.signal.about))
            if asked is not None:
                hits[asked] = []
        return admit(delivery, hits, pinned, self.known) if hits else _NAMES_NOBODY

    def _said(self, delivery: Delivery) -> Document:
        """Write down what a signal says, its companies linked, and tell of those that are new."""
        before = len(self.plan.companies)
        facts = link_companies(delivery, self.known, self.ids, self.plan)
        for new in self.plan.companies[before:]:
            event = telling.company_created(delivery, new)
            self._contacts.record(delivery, new.company.id, event)
        return telling.document(facts)

    def _note_enriched(self, contact: Contact, delivery: Delivery) -> None:
        """Note of when the newest is that a vendor tells of a contact."""
        if delivery.source.is_enrichment:
            told, before = delivery.signal.occurred_at, self.plan.enriched.get(contact.id)
            self.plan.enriched[contact.id] = told if before is None else max(before, told)

    def _contest(self, contact: Contact, key: IdentifierKey, delivery: Delivery) -> None:
        """Note that a contact has an identifier whose holder is called otherwise.

        From `SHARED_BY` contacts on it is shared: nobody is known by it any more, and what it has
        joined is decided again (`reconsidering`).
        """
        known, plan = self.known, self.plan
        sharing = known.sharing.setdefault(key, Sharing())
        if sharing.status != "suspected":
            return
        holder = known.contacts[known.holders[key]]
        new = [one for one in (holder.id, contact.id) if one not in sharing.contacts]
        if not new:
            return
        sharing.contacts += new
        plan.sharing[key] = sharing
        if len(sharing.contacts) < SHARED_BY:
            return
        sharing.status = "shared"
        del known.holders[key]
        plan.retired.append(key)
        taking = [one for one in sharing.contacts if len(known.contacts[one].claims) > 1]
        plan.found_out.append(FoundOut(key, tuple(taking), delivery))
        plan.contacts[holder.id] = holder
        self._contacts.advance(holder)
        identifier = next(one for named, one in delivery.identifiers if named == key)
        event = telling.identifier_removed(delivery, holder, identifier, "shared")
        self._contacts.record(delivery, holder.id, event)

    def _propose(
        self, contact: Contact, other: Contact, delivery: Delivery, reason: ProposalReason
    ) -> None:
        """Two contacts may be one person: put the pair up for review, once."""
        pair = pair_of(contact.id, other.id)
        if pair in self.known.asked:
            return
        self.known.asked.add(pair)
        shared = tuple(
            identifier
            for key, identifier in delivery.identifiers
            if self.known.holders.get(key) == other.id
        )
        self.plan.candidates.append(
            Candidate(contact.tenant_id, *pair, identifiers=shared, reason=reason)
        )
        self.plan.contacts[other.id] = other
        for one, another in ((contact, other), (other, contact)):
            self._contacts.advance(one)
            event = telling.merge_proposed(delivery, one, another, shared, reason)
            self._contacts.record(delivery, one.id, event)

    def _propose_namesakes(self, contact: Contact, delivery: Delivery) -> None:
        """Put a new contact up for review with those whom an import's preview found alike.

        Whoever has gone since is nobody to be the same person as.
        """
        for public_id in delivery.signal.possible_duplicates:
            found = self.known.about.get((delivery.tenant_id, public_id))
            other = self.known.contacts[found] if found is not None else None
            if other is not None and other.status not in _GONE:
                self._propose(contact, other, delivery, "same_name")

    def _enter(
        self,
        delivery: Delivery,
        said: Document,
        revisions: list[Revision],
        contact: Contact,
        *,
        superseded: bool,
    ) -> None:
        """Write the delivery into the ledger, in place of the record's present version."""
        revision = after(delivery, revisions, contact, current=not superseded)
        if not superseded:
            for index, one in enumerate(revisions):
                if one.current:
                    name = (delivery.tenant_id, delivery.record_key, one.number)
                    self.plan.superseded.append(name)
                    revisions[index] = one.replaced()
        self.plan.ledger.append(
            LedgerRow(delivery, said, revision.number, contact.id, contact.version, superseded)
        )
        revisions.append(revision)


_NOTHING: Final = telling.document(struct_of(Facts)())
"""What is kept of what was said of somebody who is gone."""

_GONE: Final[frozenset[ContactStatus]] = frozenset({"merged", "deleted"})
"""Of contacts that nobody is shown any more; whoever absorbed one stands for it."""

_NAMES_NOBODY: Final = Admission(None)
"""Of a signal that names no contact."""


def identifier_keys(deliveries: Iterable[Delivery]) -> set[IdentifierKey]:
    """Return every identifier that a batch names."""
    return {key for delivery in deliveries for key, _ in delivery.identifiers}
