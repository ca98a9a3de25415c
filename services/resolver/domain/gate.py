"""The gate: whose signal is this? Decides a whole batch in memory, as if signals came one by one.

Nothing hit → a new contact. One contact hit → that one. Several hit → the holder of the strongest
identifier receives the signal, and each other becomes a candidate for review. A newer version of
a source record stays with the contact that the record was given to.
"""

from collections.abc import Iterable
from datetime import datetime

from services.resolver.domain.bindings import (
    NOTHING_PRIVATE,
    Private,
    private_values,
    view_of,
)
from services.resolver.domain.companies import link_companies
from services.resolver.domain.ledger import standing
from services.resolver.domain.model import (
    Candidate,
    Claim,
    Contact,
    Delivery,
    EmploymentRow,
    IdentifierKey,
    Ids,
    Job,
    Known,
    LedgerRow,
    Plan,
    PointRow,
    RecordedEvent,
    Revision,
)
from services.resolver.domain.survivorship import Values, choose, differences, groups_of
from shared.events.contact import (
    Assertion,
    BindingChanged,
    CompanyCreated,
    ContactCreated,
    ContactEvent,
    ContactStatus,
    FactAsserted,
    MergeProposed,
    VisibleField,
)
from shared.events.signal import Employment, Facts, Identifier, Point

_PRIVATE: dict[str, object] = {"notes": None, "labels": (), "custom_fields": {}}
"""What a shared event leaves out: one workspace's own."""


def decide(deliveries: Iterable[Delivery], known: Known, ids: Ids, now: datetime) -> Plan:
    """Decide a batch. `known` is the batch's own copy and is brought forward signal by signal."""
    gate = _Gate(known, ids, Plan(now=now))
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
        self._values: dict[int, Values] = {}

    def admit(self, delivery: Delivery) -> str:
        """Let one signal through; returns its outcome."""
        revisions = self.known.records.setdefault((delivery.tenant_id, delivery.record_key), [])
        what = standing(delivery, revisions)
        if what == "duplicate":
            return "duplicate"
        if what == "stale":
            current = next(one for one in revisions if one.current)
            holder = self.known.contacts[current.contact_id]
            self._enter(delivery, delivery.signal.facts, revisions, holder, superseded=True)
            return "stale"
        hits = self._hits(delivery, revisions)
        companies = len(self.plan.companies)
        facts = link_companies(delivery, self.known, self.ids, self.plan)
        self._announce_companies(delivery, companies)
        if hits:
            contact = self.known.contacts[hits[0]]
            kept = private_values(contact, delivery.workspace_id)
            changed = self._update(contact, delivery, facts)
        else:
            kept, changed = NOTHING_PRIVATE, True
            contact = self._create(delivery, facts)
        self._bind(contact, delivery, kept, changed=changed)
        for other in hits[1:]:
            self._propose(contact, self.known.contacts[other], delivery)
        self._enter(delivery, facts, revisions, contact, superseded=False)
        return "updated" if hits else "created"

    def _hits(self, delivery: Delivery, revisions: list[Revision]) -> list[int]:
        """Return the contacts that the signal names, the one to receive it first.

        A vendor that was asked about a contact and names no identifier of anybody spoke of that
        contact: nobody else would be found, and a stranger made of the answer.
        """
        hits = dict.fromkeys(one.contact_id for one in revisions if one.current)
        for key, _ in delivery.identifiers:
            holder = self.known.holders.get(key)
            if holder is not None:
                hits[holder] = None
        if not hits and delivery.signal.about is not None:
            asked = self.known.about.get((delivery.tenant_id, delivery.signal.about))
            if asked is not None:
                hits[asked] = None
        return list(hits)

    def _attach(self, contact: Contact, delivery: Delivery) -> tuple[Identifier, ...]:
        """Give the contact the identifiers that nobody holds yet."""
        added: list[Identifier] = []
        for key, identifier in delivery.identifiers:
            if key not in self.known.holders:
                self.known.holders[key] = contact.id
                self.plan.identifiers.append((key, identifier, contact.id, delivery))
                added.append(identifier)
        return tuple(added)

    def _create(self, delivery: Delivery, facts: Facts) -> Contact:
        contact_id, public_id = next(self.ids.contacts)
        contact = Contact(
            id=contact_id,
            public_id=public_id,
            tenant_id=delivery.tenant_id,
            version=1,
            status=_status_at_birth(delivery),
        )
        self.known.contacts[contact_id] = contact
        self.plan.contacts[contact_id] = contact
        self.plan.created[contact_id] = (contact, delivery.source)
        identifiers = self._attach(contact, delivery)
        self._hire(contact, delivery, facts)
        values = self._claim(contact, delivery, facts)
        self._record(
            delivery,
            contact,
            ContactCreated(
                occurred_at=delivery.signal.occurred_at,
                cause=delivery.signal.signal_id,
                workspace=delivery.signal.workspace,
                contact_id=public_id,
                version=1,
                source=delivery.source.name,
                status=contact.status,
                first_name=_value(values, "first_name"),
                last_name=_value(values, "last_name"),
                import_source=delivery.signal.import_source,
                identifiers=identifiers,
                fields={name: value for name, (value, _) in values.items()},
                asserted=_assertion(delivery, facts),
            ),
        )
        return contact

    def _update(self, contact: Contact, delivery: Delivery, facts: Facts) -> bool:
        """Add a fact to a known contact; returns whether a visible value changed."""
        self.plan.contacts[contact.id] = contact
        identifiers = self._attach(contact, delivery)
        employments = self._hire(contact, delivery, facts)
        before = self._values_of(contact)
        after = self._claim(contact, delivery, facts)
        status = self._grown(contact)
        changes = differences(before, after, delivery.record_key)
        self._record(
            delivery,
            contact,
            FactAsserted(
                occurred_at=delivery.signal.occurred_at,
                cause=delivery.signal.signal_id,
                workspace=delivery.signal.workspace,
                contact_id=contact.public_id,
                version=self._next_version(contact),
                status=status,
                import_source=delivery.signal.import_source,
                identifiers_added=identifiers,
                employments_added=employments,
                changes=changes,
                asserted=_assertion(delivery, facts),
            ),
        )
        return bool(changes)

    def _next_version(self, contact: Contact) -> int:
        contact.version += 1
        if contact.id not in self.plan.created:
            self.plan.updated.add(contact.id)
        return contact.version

    def _grown(self, contact: Contact) -> ContactStatus | None:
        """Make an incomplete contact active once it has a name (spec 003, 8.1)."""
        if contact.status == "incomplete" and "display_name" in self._values[contact.id]:
            contact.status = "active"
            return "active"
        return None

    def _values_of(self, contact: Contact) -> Values:
        """Return a contact's visible values as the batch has them so far."""
        if contact.id not in self._values:
            self._values[contact.id] = choose(contact.claims.values())
        return self._values[contact.id]

    def _claim(self, contact: Contact, delivery: Delivery, facts: Facts) -> Values:
        """Add what the record says; returns the visible values that follow."""
        contact.claims[delivery.record_key] = Claim(
            record_key=delivery.record_key,
            source=delivery.source,
            workspace_id=delivery.workspace_id,
            confidence=delivery.signal.confidence,
            asserted_at=delivery.signal.occurred_at,
            facts=facts,
            groups=groups_of(facts),
        )
        self._values[contact.id] = choose(contact.claims.values())
        return self._values[contact.id]

    def _hire(self, contact: Contact, delivery: Delivery, facts: Facts) -> tuple[Employment, ...]:
        """Add the jobs that no claim told of yet, and the e-mails and phones likewise."""
        claims = contact.claims.values()
        if facts.emails:
            told = {point.value for claim in claims for point in claim.facts.emails}
            self._note(self.plan.emails, contact, delivery, facts.emails, told)
        if facts.phones:
            told = {point.value for claim in claims for point in claim.facts.phones}
            self._note(self.plan.phones, contact, delivery, facts.phones, told)
        if not facts.employments:
            return ()
        jobs = {Job.of(job) for claim in claims for job in claim.facts.employments}
        added = []
        for employment in facts.employments:
            job = Job.of(employment)
            if job in jobs or not (employment.company_name or employment.company_domain):
                continue
            jobs.add(job)
            self.plan.employments.append(
                EmploymentRow(
                    delivery.tenant_id,
                    contact.id,
                    self.known.company_ids.get(employment.company_id or ""),
                    delivery.source,
                    employment,
                )
            )
            added.append(employment)
        return tuple(added)

    @staticmethod
    def _note(
        rows: list[PointRow],
        contact: Contact,
        delivery: Delivery,
        points: Iterable[Point],
        told: set[str],
    ) -> None:
        for point in points:
            if point.value not in told:
                told.add(point.value)
                rows.append((delivery.tenant_id, contact.id, point, delivery.source))

    def _bind(self, contact: Contact, delivery: Delivery, kept: Private, *, changed: bool) -> None:
        """Bring the workspaces' views up to date, and tell what is private to this one.

        `kept` is what the workspace kept for itself before the signal, `changed` whether any
        visible value is another now.
        """
        workspace = delivery.workspace_id
        is_new = workspace not in contact.bindings
        if is_new:
            contact.bindings[workspace] = next(self.ids.bindings)
        keeps = private_values(contact, workspace)
        if keeps != kept:
            self._tell_private(contact, delivery, keeps)
        for bound, binding_id in contact.bindings.items():
            if not changed and not (bound == workspace and (is_new or keeps != kept)):
                continue
            previous = self.plan.bindings.get((contact.id, bound))
            self.plan.bindings[contact.id, bound] = view_of(
                contact,
                bound,
                binding_id,
                self._values[contact.id],
                self.known.company_ids,
                is_new=(bound == workspace and is_new) or bool(previous and previous.is_new),
                import_source=previous.import_source if previous else delivery.signal.import_source,
            )

    def _tell_private(self, contact: Contact, delivery: Delivery, keeps: Private) -> None:
        event = BindingChanged(
            occurred_at=delivery.signal.occurred_at,
            cause=delivery.signal.signal_id,
            workspace=delivery.signal.workspace,
            contact_id=contact.public_id,
            version=self._next_version(contact),
            labels=keeps.labels,
            notes=keeps.notes,
            custom_fields=dict(keeps.custom_fields),
        )
        self._record(delivery, contact, event, private=True)

    def _propose(self, contact: Contact, other: Contact, delivery: Delivery) -> None:
        """Two contacts were named by one signal: put the pair up for review, once."""
        pair = (min(contact.id, other.id), max(contact.id, other.id))
        if pair in self.known.candidates:
            return
        self.known.candidates.add(pair)
        shared = tuple(
            identifier
            for key, identifier in delivery.identifiers
            if self.known.holders.get(key) == other.id
        )
        self.plan.candidates.append(Candidate(contact.tenant_id, *pair, identifiers=shared))
        self.plan.contacts[other.id] = other
        for one, another in ((contact, other), (other, contact)):
            event = MergeProposed(
                occurred_at=delivery.signal.occurred_at,
                cause=delivery.signal.signal_id,
                contact_id=one.public_id,
                version=self._next_version(one),
                other_id=another.public_id,
                reason="identifiers_of_several_contacts",
                identifiers=shared,
            )
            self._record(delivery, one, event)

    def _announce_companies(self, delivery: Delivery, since: int) -> None:
        for new in self.plan.companies[since:]:
            event = CompanyCreated(
                occurred_at=delivery.signal.occurred_at,
                cause=delivery.signal.signal_id,
                company_id=new.company.public_id,
                version=1,
                name=new.company.name,
                domain=new.domain,
                source=delivery.source.name,
            )
            self._append(delivery, new.company.id, event, private=False)

    def _record(
        self, delivery: Delivery, contact: Contact, event: ContactEvent, *, private: bool = False
    ) -> None:
        self._append(delivery, contact.id, event, private=private)

    def _append(
        self,
        delivery: Delivery,
        entity_id: int,
        event: ContactEvent | CompanyCreated,
        *,
        private: bool,
    ) -> None:
        self.plan.events.append(
            RecordedEvent(
                event_id=next(self.ids.events),
                tenant_id=delivery.tenant_id,
                tenant=delivery.signal.tenant,
                entity_id=entity_id,
                event=event,
                private_to=(delivery.workspace_id, delivery.signal.workspace) if private else None,
                received_at=delivery.signal.received_at,
                traceparent=delivery.traceparent,
            )
        )

    def _enter(
        self,
        delivery: Delivery,
        facts: Facts,
        revisions: list[Revision],
        contact: Contact,
        *,
        superseded: bool,
    ) -> None:
        """Write the delivery into the ledger, in place of the record's present version."""
        number = revisions[-1].number + 1 if revisions else 1
        if not superseded:
            for index, one in enumerate(revisions):
                if one.current:
                    self.plan.superseded.append(
                        (delivery.tenant_id, delivery.record_key, one.number)
                    )
                    revisions[index] = Revision(
                        one.number,
                        one.content_hash,
                        one.occurred_at,
                        one.source_version,
                        current=False,
                        contact_id=one.contact_id,
                        applied_version=one.applied_version,
                    )
        self.plan.ledger.append(
            LedgerRow(delivery, facts, number, contact.id, contact.version, superseded)
        )
        revisions.append(
            Revision(
                number,
                delivery.content_hash,
                delivery.signal.occurred_at,
                delivery.signal.source_version,
                current=not superseded,
                contact_id=contact.id,
                applied_version=contact.version,
            )
        )


def _value(values: Values, name: VisibleField) -> str | None:
    return values[name][0] if name in values else None


def _status_at_birth(delivery: Delivery) -> ContactStatus:
    """Spec 003, 8.2: participants of mail and finds of vendors wait for a name to be confirmed."""
    if delivery.source.name == "email_sync" or delivery.source.source_type == "enrichment":
        return "incomplete"
    facts = delivery.signal.facts
    named = facts.full_name or facts.first_name or facts.last_name
    return "active" if named else "incomplete"


def _assertion(delivery: Delivery, facts: Facts) -> Assertion:
    shared = facts
    if facts.notes or facts.labels or facts.custom_fields:
        shared = facts.model_copy(update=_PRIVATE)
    return Assertion(
        source=delivery.source.name,
        source_record=delivery.signal.record_key,
        source_record_id=delivery.signal.source_record_id,
        confidence=delivery.signal.confidence,
        asserted_at=delivery.signal.occurred_at,
        facts=shared,
    )


def identifier_keys(deliveries: Iterable[Delivery]) -> set[IdentifierKey]:
    """Return every identifier that a batch names."""
    return {key for delivery in deliveries for key, _ in delivery.identifiers}
