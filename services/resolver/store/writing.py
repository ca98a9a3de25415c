"""Write a plan: a statement for all that goes together, rows in the order of the plan."""

import zlib
from collections.abc import Sequence
from typing import Any, Final

from services.resolver.domain.blocks import number_of
from services.resolver.domain.matching.profile import attribute_of
from services.resolver.domain.model import BindingRow, Job, Plan, RecordedEvent
from services.resolver.store.labels import insert_tags
from services.resolver.store.queries import QUERIES
from shared.events.codec import (
    Attributes,
    encode,
    is_about_company,
    packed_headers,
    subject_of,
)
from shared.events.derived import derived
from shared.events.structs import to_json
from shared.postgres.pool import Connection

RELAY_SHARDS: Final = 4
"""Shards of the outbox: one relay leads each (DESIGN 3.2)."""


def shard_of(public_id: str) -> int:
    """Return the outbox shard of an entity: all its events go through one relay, in order."""
    return zlib.crc32(public_id.encode()) % RELAY_SHARDS


class Writer:
    """Applies one plan inside its transaction."""

    def __init__(self, connection: Connection, plan: Plan) -> None:
        self._connection = connection
        self._plan = plan

    async def write(self) -> None:
        """Write every table; nothing that the plan does not name."""
        await self._ledger()
        await self._companies()
        await self._contacts()
        await self._details()
        await self._candidates()
        await self._events()

    async def _run(self, name: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            await self._connection.execute(QUERIES[name], rows, self._plan.now)

    async def _ledger(self) -> None:
        rows = []
        for row in self._plan.ledger:
            signal = row.delivery.signal
            rows.append(
                (
                    row.delivery.tenant_id,
                    row.delivery.workspace_id,
                    row.delivery.source.id,
                    row.delivery.record_key,
                    row.revision,
                    row.delivery.content_hash,
                    signal.source_record_id,
                    signal.source_version,
                    signal.signal_id,
                    signal.occurred_at,
                    signal.received_at,
                    row.contact_id,
                    row.applied_version,
                    signal.confidence,
                    signal.import_source,
                    row.said.text.decode(),
                    row.delivery.raw,
                    to_json(signal.rejected).decode() if signal.rejected else None,
                    row.superseded,
                )
            )
        if rows:
            imports = [row.delivery.signal.import_id for row in self._plan.ledger]
            await self._connection.execute(QUERIES["insert_ledger"], rows, self._plan.now, imports)
        # After the inserts: a batch may bring two versions of one record.
        await self._run("supersede", self._plan.superseded)

    async def _companies(self) -> None:
        plan = self._plan
        await self._run(
            "insert_companies",
            [
                (
                    one.company.id,
                    one.tenant_id,
                    one.company.public_id,
                    one.company.name,
                    one.domain,
                    one.source.id,
                )
                for one in plan.companies
            ],
        )
        identifiers = [
            (one.tenant_id, "domain", one.domain, one.company.id)
            for one in plan.companies
            if one.domain
        ]
        identifiers += [
            (one.tenant_id, "name_normalized", one.name_key, one.company.id)
            for one in plan.companies
            if one.name_key
        ]
        # Sorted: two batches that name the same companies must not deadlock on the index.
        await self._run("insert_company_identifiers", sorted(identifiers))
        named = sorted((one.company.id, one.name_key) for one in plan.companies if one.name_key)
        if named:
            columns = [list(column) for column in zip(*named, strict=True)]
            await self._connection.execute(QUERIES["insert_company_candidates"], *columns, plan.now)

    async def _contacts(self) -> None:
        plan = self._plan
        made = [
            (one.id, one.tenant_id, one.public_id, one.status, source.id, one.version)
            for one, source in plan.created.values()
        ]
        changed = [
            (one, plan.contacts[one].version, plan.contacts[one].status)
            for one in sorted(plan.updated)
        ]
        identifiers = sorted(
            (
                *key,
                contact_id,
                delivery.source.id,
                delivery.signal.confidence,
                identifier.assumed_region,
            )
            for key, identifier, contact_id, delivery in plan.identifiers
        )
        if made or changed or identifiers:
            rows = (made, changed, identifiers)
            await self._connection.execute(QUERIES["write_contacts"], *rows, plan.now)
        if plan.enriched:
            columns = [list(column) for column in zip(*sorted(plan.enriched.items()), strict=True)]
            await self._connection.execute(QUERIES["save_enriched"], *columns)

    async def _details(self) -> None:
        await self._say_identifiers()
        await self._sharing()
        await self._drop()
        plan = self._plan
        emails, phones = (
            [
                (tenant, contact_id, point.value, point.label, point.primary, source.id)
                for (contact_id, _), (tenant, point, source) in points.items()
            ]
            for points in (plan.emails, plan.phones)
        )
        jobs = [
            (
                one.tenant_id,
                one.contact_id,
                one.company_id,
                one.employment.company_name,
                one.employment.title,
                one.employment.department,
                one.employment.start_date,
                one.employment.end_date,
                one.employment.is_current,
                one.source.id,
            )
            for one in plan.employments
        ]
        keys = [Job.of(one.employment).key for one in plan.employments]
        bindings = sorted(plan.bindings.values(), key=lambda one: one.id)
        new = [_binding_row(one) for one in bindings if one.is_new]
        latest = [
            (contact.id, next(iter(contact.bindings.values())), contact.tenant_id)
            for contact, _ in plan.created.values()
        ]
        if emails or phones or jobs or new or latest:
            rows = (emails, phones, jobs, keys, new, latest)
            await self._connection.execute(QUERIES["write_details"], *rows, plan.now)
        if plan.statuses:
            await self._statuses()
        known = [_binding_row(one) for one in bindings if not one.is_new]
        await self._run("update_bindings", known)
        if labels := _labels(plan):
            await insert_tags(self._connection, labels, plan.now)
        await self._run("insert_audit", plan.audit)
        if plan.authoritative:
            columns = [list(column) for column in zip(*plan.authoritative.items(), strict=True)]
            await self._connection.execute(QUERIES["flip_latest_data"], *columns, plan.now)

    async def _statuses(self) -> None:
        """Write what was found out of e-mails and phones, once they are there."""
        for kind, name in (("email", "set_email_statuses"), ("phone", "set_phone_statuses")):
            rows = sorted(
                (contact, value, status)
                for (of, contact, value), status in self._plan.statuses.items()
                if of == kind
            )
            if rows:
                columns = [list(column) for column in zip(*rows, strict=True)]
                await self._connection.execute(QUERIES[name], *columns)

    async def _say_identifiers(self) -> None:
        """Let identifiers be inactive that no record says any more, and active again once one does.

        After the inserts: a batch may bring an identifier and take it back.
        """
        rows = [
            (*key, said[1].id, said[2], said[0].assumed_region)
            if said
            else (*key, None, None, None)
            for key, said in sorted(self._plan.said.items())
        ]
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            await self._connection.execute(QUERIES["say_identifiers"], *columns, self._plan.now)

    async def _drop(self) -> None:
        """Take back rows that no record tells of any more, before some of them are told again."""
        plan = self._plan
        for name, dropped in (
            ("drop_emails", plan.dropped_emails),
            ("drop_phones", plan.dropped_phones),
        ):
            if dropped:
                contacts, values = map(list, zip(*dropped, strict=True))
                await self._connection.execute(QUERIES[name], contacts, values, plan.now)
        if plan.dropped_jobs:
            jobs = [(contact, job.key) for contact, job in plan.dropped_jobs]
            contacts, keys = map(list, zip(*jobs, strict=True))
            await self._connection.execute(QUERIES["drop_employments"], contacts, keys)

    async def _sharing(self) -> None:
        plan = self._plan
        if not plan.sharing:
            return
        rows = sorted(
            (*key, one.status, len(one.contacts), tuple(one.contacts))
            for key, one in plan.sharing.items()
        )
        *columns, _ = zip(*rows, strict=True)
        await self._connection.execute(QUERIES["save_sharing"], *columns, plan.now)
        seen = [(*row[:3], contact) for row in rows for contact in row[5]]
        await self._connection.execute(QUERIES["insert_sharing_contacts"], *zip(*seen, strict=True))
        # After the inserts: a batch may bring an identifier and all who share it.
        await self._run("retire_identifiers", plan.retired)
        for key, contacts, delivery in plan.found_out:
            signal = delivery.signal
            await self._connection.execute(
                QUERIES["queue_reconsideration"],
                *key,
                contacts,
                number_of(f"{attribute_of(key[1])}:{key[2]}"),
                signal.tenant,
                signal.signal_id,
                signal.received_at,
                delivery.traceparent,
                plan.now,
            )

    async def _candidates(self) -> None:
        candidates = self._plan.candidates
        if candidates:
            await self._connection.execute(
                QUERIES["insert_candidates"],
                [
                    (one.tenant_id, one.first, one.second, to_json(one.identifiers).decode())
                    for one in candidates
                ],
                self._plan.now,
                [one.reason for one in candidates],
            )

    async def _events(self) -> None:
        contacts: list[tuple[Any, ...]] = []
        companies: list[tuple[Any, ...]] = []
        for one in self._plan.events:
            rows = companies if is_about_company(one.event) else contacts
            rows.append(_event_row(one))
        await self._run("publish_company_events", companies)
        await self._run("publish_contact_events", contacts)


def _labels(plan: Plan) -> set[tuple[int, int, str]]:
    """Return labels, (tenant, workspace, label), that may be new.

    Those that deliveries bring; where none do, those that come back, as with an import undone.
    """
    if plan.ledger:
        brought = (row.delivery for row in plan.ledger)
        return {
            (one.tenant_id, one.workspace_id, label)
            for one in brought
            for label in one.signal.facts.labels
        }
    return {
        (one.contact.tenant_id, one.workspace_id, label)
        for one in plan.bindings.values()
        for label in one.labels
    }


def _binding_row(one: BindingRow) -> tuple[Any, ...]:
    get, more = one.fields.get, derived(one.fields)
    return (
        one.id,
        one.contact.tenant_id,
        one.workspace_id,
        one.contact.id,
        get("first_name"),
        get("last_name"),
        get("display_name"),
        get("job_title"),
        get("headline"),
        get("email_primary"),
        get("phone_primary"),
        get("city"),
        get("state"),
        get("country"),
        one.company_id,
        get("company_name"),
        one.import_source,
        one.labels,
        one.notes,
        # Sources bring integers beyond 64 bits, which this writer knows and orjson does not.
        to_json(one.custom_fields).decode() if one.custom_fields else "{}",
        more.seniority,
        ",".join(more.departments),
        more.timezone,
        get("avatar_url"),
    )


def _event_row(one: RecordedEvent) -> tuple[Any, ...]:
    subject = subject_of(one.event)
    return (
        one.tenant_id,
        one.entity_id,
        subject,
        one.event.version,
        one.event_id,
        type(one.event).__name__,
        encode(one.event).decode(),
        one.private_to[0] if one.private_to else None,
        one.event.cause,
        one.event.occurred_at,
        shard_of(subject),
        _headers(one),
    )


def _headers(one: RecordedEvent) -> str:
    attributes = Attributes(
        event_id=one.event_id,
        tenant=one.tenant,
        workspace=one.private_to[1] if one.private_to else None,
        recorded_at=one.received_at,
        traceparent=one.traceparent,
    )
    return packed_headers(one.event, attributes)
