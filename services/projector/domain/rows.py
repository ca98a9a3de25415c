"""Rows of the read models, as tuples in the order of the types that `queries.sql` takes."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from services.projector.domain.events import Body, Event
from shared.events.derived import derived

Row = tuple[Any, ...]

SHOWN: Final = (
    "display_name",
    "first_name",
    "last_name",
    "headline",
    "job_title",
    "department",
    "email_primary",
    "phone_primary",
    "company_id",
    "company_name",
    "city",
    "state",
    "country",
    "linkedin_url",
    "birthday",
)
"""Visible fields that have a column of their own, in column order."""

SUMMARISED: Final = (
    "fields",
    "changes",
    "identifiers",
    "identifiers_added",
    "employments_added",
    "employments_removed",
    "type",
    "value",
    "status",
    "other_id",
    "reason",
    "merge_id",
    "survivor_id",
    "absorbed_id",
    "decided_by",
    "original_id",
    "new_id",
    "identifiers_moved",
    "unassigned",
    "labels",
    "notes",
    "custom_fields",
    "groups",
    "tag_id",
    "tag_name",
    "group_id",
    "group_name",
    "activity_id",
    "activity",
    "roles",
    "attendance",
    "others",
)
"""What a timeline tells of an event; the whole of it stays in the event table."""


TAKING_PART: Final = ("roles", "attendance", "others", "participants")
"""What an event of an activity tells of who took part."""

MOVING: Final = frozenset({"version", "updated_at"})
"""What of a state its row's columns hold, and `detail` does not."""

SEPARATOR: Final = "\x1f"
"""Between the values of a list: the unit separator, which no e-mail or phone number contains."""

moment = datetime.fromisoformat


def view_rows(state: Body, tenant: int, workspaces: Mapping[str, int]) -> Iterator[Row]:
    """Make a contact's rows, one for each workspace that knows it.

    Each holds that workspace's own binding alone: notes and labels are nobody else's to read.
    Version and time of change are in their columns only, where they may move by themselves.
    """
    fields = state["fields"]
    shown = tuple(map(fields.get, SHOWN))
    seniority, departments, timezone = derived(fields)
    emails = _values(state, "email", fields.get("email_primary"))
    phones = _values(state, "phone_e164", fields.get("phone_primary"))
    created_at = moment(state["created_at"])
    updated_at = moment(state["updated_at"])
    kept = {name: value for name, value in state.items() if name not in MOVING}
    for workspace, binding in state["bindings"].items():
        kept["bindings"] = {workspace: binding}
        yield (
            tenant,
            workspaces[workspace],
            state["contact_id"],
            state["version"],
            state["status"],
            *shown,
            binding["import_source"],
            state["source"],
            emails,
            phones,
            orjson.dumps(kept).decode(),
            created_at,
            updated_at,
            seniority,
            SEPARATOR.join(departments),
            timezone,
        )


def timeline_row(event: Event, tenant: int, workspace: int | None) -> Row:
    """Make the row that tells of one event."""
    body = event.body
    asserted = body.get("asserted")
    return (
        tenant,
        body["contact_id"],
        body["version"],
        workspace,
        event.kind,
        moment(body["occurred_at"]),
        event.recorded_at,
        asserted["source"] if asserted else body.get("source"),
        orjson.dumps({name: body[name] for name in SUMMARISED if body.get(name)}).decode(),
    )


def activity_row(event: Event, tenant: int, workspace: int) -> Row:
    """Make the row of an activity that a contact took part in, or takes part in no more."""
    body = event.body
    told: Body = body.get("activity") or {}
    is_withdrawn = event.kind == "ActivityWithdrawn"
    kept = {name: value for name, value in told.items() if name not in ("kind", "occurred_at")}
    kept |= {name: body[name] for name in TAKING_PART if name in body}
    return (
        tenant,
        workspace,
        body["contact_id"],
        body["activity_id"],
        body["version"],
        told.get("kind", ""),
        moment(told.get("occurred_at") or body["occurred_at"]),
        body.get("source", ""),
        is_withdrawn,
        "{}" if is_withdrawn else orjson.dumps(kept).decode(),
    )


def company_row(event: Event, tenant: int) -> Row:
    """Make a company's row: its shape, or what it was created with."""
    body = event.body
    shape = body.get("shape") or {**body, "created_at": body["occurred_at"]}
    return (
        tenant,
        body["company_id"],
        body["version"],
        shape["name"],
        shape.get("domain"),
        shape["source"],
        moment(shape["created_at"]),
        shape.get("survivor_id"),
        orjson.dumps(shape.get("relations", ())).decode(),
        moment(body["occurred_at"]),
        orjson.dumps(shape.get("profile") or {}).decode(),
    )


def _values(state: Body, kind: str, primary: str | None) -> str:
    found = [one["value"] for one in state["identifiers"] if one["type"] == kind]
    if primary is not None and found != [primary]:
        found = list(dict.fromkeys((primary, *found)))
    return SEPARATOR.join(found)
