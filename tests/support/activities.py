"""Builders of normalised activities: `an_activity("call-1", somebody(email="…"))`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, BinaryIO

from services.ingest.domain.mapping import Normalized, Origin, Rules
from services.ingest.sources.activities import Terms, entries
from shared.events.activity import Happening, NormalizedActivity, NormalizedParticipant
from shared.events.signal import Facts, Identifier, Point
from tests.support.signals import MOMENT, TENANT, WORKSPACE, digest


def somebody(
    role: str = "to",
    *,
    called: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    contact_id: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Say who takes part: by an address, a number, a contact's id, or by name alone."""
    identifiers = [Identifier(type="email", value=email)] if email else []
    if phone:
        identifiers.append(Identifier(type="phone_e164", value=phone))
    said: dict[str, Any] = {"role": role, "name": called, "contact_id": contact_id, **more}
    if identifiers:
        said["facts"] = Facts(
            called=called,
            emails=(Point(value=email),) if email else (),
            phones=(Point(value=phone),) if phone else (),
            identifiers=tuple(identifiers),
        )
    return said


def an_activity(
    record: str = "a1",
    *people: dict[str, Any],
    tenant: str = TENANT,
    workspace: str = WORKSPACE,
    source: str = "email_sync",
    kind: str = "email",
    minutes: int = 0,
    stated: int | None = None,
    version: int | None = None,
    deleted: bool = False,
    import_id: str | None = None,
    **happened: Any,
) -> NormalizedActivity:
    """Make an activity, so many minutes after `MOMENT`, stated then or at another minute."""
    at = MOMENT + timedelta(minutes=minutes)
    stated_at = at if stated is None else MOMENT + timedelta(minutes=stated)
    participants = tuple(
        NormalizedParticipant(
            record_key=digest(tenant, workspace, source, facts.model_dump_json()).hex(),
            content_hash=digest(facts.model_dump_json()).hex(),
            **one,
        )
        if (facts := one.get("facts"))
        else NormalizedParticipant(**one)
        for one in people
    )
    activity = Happening.model_validate({"kind": kind, "occurred_at": at, **happened})
    said = (activity.model_dump_json(), [one.model_dump_json() for one in participants], deleted)
    return NormalizedActivity(
        signal_id=f"test#{record}@{stated_at.isoformat()}",
        tenant=tenant,
        workspace=workspace,
        source=source,
        record_key=digest(tenant, workspace, source, "activity", record).hex(),
        content_hash=digest(said).hex(),
        source_record_id=record,
        source_version=version,
        stated_at=stated_at,
        received_at=stated_at,
        activity=activity,
        participants=participants,
        deleted=deleted,
        import_id=import_id,
        raw={"record": record},
    )


@dataclass(slots=True)
class Account:
    """What became of a file's activities."""

    passed: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """How many were refused."""
        return len(self.rejected)


def activities(
    file: BinaryIO, terms: Terms, rules: Rules, account: Account
) -> Iterator[tuple[Origin, Normalized]]:
    """Yield a file's activities as signals, and keep account of every entry."""
    for one in entries(file, terms, rules):
        account.passed += bool(one.left_out)
        if one.reason:
            account.rejected.append({"line": one.line, "field": one.field, "reason": one.reason})
        account.warnings += [
            {"line": one.line, "field": place, "reason": reason} for place, reason in one.notes
        ]
        for taken in one.signals:
            yield taken.origin, taken.normalized
