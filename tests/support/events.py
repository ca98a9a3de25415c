"""Builders of contact events, and the event table and Kafka records they would come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from aiokafka import ConsumerRecord
from ulid import ULID

from shared.events.activity import Happening
from shared.events.codec import Attributes, encode, event_headers
from shared.events.contact import (
    ActivityRecorded,
    ActivityWithdrawn,
    Assertion,
    BindingChanged,
    CompanyEvent,
    ContactCreated,
    ContactEvent,
    FactAsserted,
    FieldChange,
)
from shared.events.signal import Employment, Facts, Identifier
from shared.events.topics import EVENTS
from shared.kafka.batch import Batch, next_offsets

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def public_id(prefix: str) -> str:
    """Make an id."""
    return f"{prefix}_{ULID()}"


def asserted(record: str = "a", jobs: tuple[Employment, ...] = ()) -> Assertion:
    """Make an assertion of a CRM."""
    return Assertion(
        source="hubspot_crm",
        source_record=record * 32,
        asserted_at=BEGIN,
        facts=Facts(employments=jobs),
    )


def born(contact: str, workspace: str, **said: Any) -> ContactCreated:
    """Make a contact's first event."""
    fields = said.pop(
        "fields",
        {"first_name": "Ada", "last_name": "Lovelace", "display_name": "Ada Lovelace"},
    )
    jobs = said.pop("jobs", ())
    return ContactCreated(
        occurred_at=BEGIN,
        cause="test",
        workspace=workspace,
        contact_id=contact,
        version=1,
        source="hubspot_crm",
        status="active",
        identifiers=said.pop(
            "identifiers", (Identifier(type="email", value=f"{contact[-8:].lower()}@example.org"),)
        ),
        fields=fields,
        asserted=asserted(jobs=jobs),
        **said,
    )


def changed(contact: str, version: int, workspace: str, **values: str | None) -> FactAsserted:
    """Make an event that changes visible values."""
    return FactAsserted(
        occurred_at=BEGIN + timedelta(minutes=version),
        cause="test",
        workspace=workspace,
        contact_id=contact,
        version=version,
        changes=tuple(
            FieldChange.model_validate({"field": name, "new": new}) for name, new in values.items()
        ),
        asserted=asserted("b"),
    )


def noted(contact: str, version: int, workspace: str, notes: str) -> BindingChanged:
    """Make an event that is one workspace's own matter."""
    return BindingChanged(
        occurred_at=BEGIN + timedelta(minutes=version),
        cause="test",
        workspace=workspace,
        contact_id=contact,
        version=version,
        labels=("vip",),
        notes=notes,
    )


def took_part(
    contact: str, version: int, workspace: str, activity: str, **happened: Any
) -> ActivityRecorded:
    """Make an event of an activity that a contact took part in."""
    others = happened.pop("others", ())
    roles = happened.pop("roles", ("to",))
    said = {"kind": "email", "occurred_at": BEGIN + timedelta(hours=version), **happened}
    return ActivityRecorded(
        occurred_at=BEGIN + timedelta(minutes=version),
        cause="test",
        workspace=workspace,
        contact_id=contact,
        version=version,
        activity_id=activity,
        source="email_sync",
        source_record="c" * 32,
        roles=roles,
        activity=Happening.model_validate(said),
        others=others,
        participants=1 + len(others),
    )


def left(contact: str, version: int, workspace: str, activity: str) -> ActivityWithdrawn:
    """Make an event of an activity that is no longer a contact's."""
    return ActivityWithdrawn(
        occurred_at=BEGIN + timedelta(minutes=version),
        cause="test",
        workspace=workspace,
        contact_id=contact,
        version=version,
        activity_id=activity,
        reason="not_named",
    )


@dataclass
class Log:
    """One tenant's events: written to the event table, published as records."""

    owner: asyncpg.Connection
    tenant_id: int
    tenant: str
    workspaces: dict[str, int]
    offset: int = 0

    @property
    def workspace(self) -> str:
        return next(iter(self.workspaces))

    async def append(self, events: Sequence[ContactEvent | CompanyEvent]) -> None:
        """Write events to the event tables, as the resolver would."""
        for event in events:
            company = isinstance(event, CompanyEvent)
            subject = event.company_id if isinstance(event, CompanyEvent) else event.contact_id
            table = "organisation_event" if company else "contact_event"
            if company:
                entity = abs(hash(subject)) % 2**40
            else:
                entity = await self.owner.fetchval(
                    "INSERT INTO contact.contact AS c (tenant_id, public_id, status, source_id,"
                    " version, created_at, updated_at) VALUES ($1, $2, 'active',"
                    " (SELECT min(id) FROM contact.data_source), $3, $4, $4)"
                    " ON CONFLICT (public_id) DO UPDATE SET version = $3 RETURNING id",
                    self.tenant_id,
                    subject,
                    event.version,
                    event.occurred_at,
                )
            await self.owner.execute(
                f"INSERT INTO contact.{table} (tenant_id, entity_id, entity_public_id,"
                " sequence_number, event_id, event_type, payload, workspace_id, cause, occurred_at)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'test', $9)",
                self.tenant_id,
                entity,
                subject,
                event.version,
                public_id("evt"),
                type(event).__name__,
                encode(event).decode(),
                self.workspaces[self._private(event)] if self._private(event) else None,
                event.occurred_at,
            )

    def batch(
        self, events: Sequence[ContactEvent | CompanyEvent], group: str = "projector"
    ) -> Batch:
        """Publish events: as one batch of records."""
        records = [self.record(event) for event in events]
        return Batch(records, group, next_offsets(records))

    def record(self, event: ContactEvent | CompanyEvent) -> ConsumerRecord[Any, Any]:
        """Publish one event."""
        attributes = Attributes(
            public_id("evt"), self.tenant, self._private(event) or None, datetime.now(UTC)
        )
        return self.raw(event_headers(event, attributes), encode(event))

    def raw(
        self, headers: Sequence[tuple[str, bytes]], value: bytes | None
    ) -> ConsumerRecord[Any, Any]:
        """Make any record at all."""
        self.offset += 1
        return ConsumerRecord(
            EVENTS.name, 0, self.offset, 0, 0, None, value, None, 0, 0, tuple(headers)
        )

    @staticmethod
    def _private(event: ContactEvent | CompanyEvent) -> str:
        own = (BindingChanged, ActivityRecorded, ActivityWithdrawn)
        return (event.workspace or "") if isinstance(event, own) else ""


async def a_log(owner: asyncpg.Connection) -> Log:
    """Make a tenant with two workspaces."""
    tenant = public_id("ten")
    tenant_id = await owner.fetchval(
        "INSERT INTO app.tenant (public_id, name) VALUES ($1, 'test') RETURNING id", tenant
    )
    workspaces = {}
    for _ in range(2):
        workspace = public_id("wsp")
        workspaces[workspace] = await owner.fetchval(
            "INSERT INTO app.workspace (public_id, tenant_id, name) VALUES ($1, $2, 'w')"
            " RETURNING id",
            workspace,
            tenant_id,
        )
    return Log(owner, tenant_id, tenant, workspaces)
