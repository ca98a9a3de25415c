"""The second step of an import: send what was not left out, and find out what became of it.

Everything may be done again from where it stopped: a signal that is sent twice is a duplicate to
the ledger, and an order that is given twice is carried out once.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import orjson

from services.ingest.domain.accounting import ACCEPTED
from services.ingest.domain.choosing import JUDGED, asserted, left_out
from services.ingest.domain.mapping import Normalized, Origin, to_normalized
from services.ingest.domain.outgoing import normalized_headers
from services.ingest.domain.reading import read_value
from services.ingest.domain.settling import (
    Settled,
    command_id_of,
    not_entered,
    settle,
    tell_order,
    undecided,
)
from services.ingest.domain.staging import namesakes_of, signal_id_of, to_send
from services.ingest.handlers.collecting import LOST, collect
from services.ingest.handlers.sending_entries import ask_entries, send_entries
from services.ingest.handlers.tools import LostError, Tools, forget_read_file, name_of
from services.ingest.store.imports import LEASE_SECONDS, PORTION, Job, Row
from services.ingest.store.outgoing import outgoing
from shared.errors import PoisonMessageError
from shared.events.envelope import rfc3339
from shared.events.topics import SIGNALS_NORMALIZED_BULK
from shared.kafka.producer import Outgoing

BATCH: Final = 500
"""Rows that are sent, or settled, at once."""

BESIDE: Final = 100
"""Rows that are sent at once while live signals flow: those wait for as long as it takes."""

PATIENCE: Final = timedelta(hours=1)
"""How long nothing may move before what has no verdict is given up."""


async def execute(job: Job, tools: Tools) -> bool:
    """Bring an import as far as it goes now; tells whether it is done."""
    of_activities = job.row["of_activities"]
    if not job.row["sent_to"]:
        await _leave_out(job, tools)
    await (send_entries if of_activities else _send_all)(job, tools)
    find, ask = ("find_open_entries", ask_entries) if of_activities else ("find_open", _ask)
    waits_at = await collect(job, tools, find, ask)
    if waits_at is not None:
        values = (job.id, job.worker, LEASE_SECONDS, waits_at - 1)
        waiting = await tools.store.fetchrow(job.place, "wait_for_verdicts", *values)
        if waiting is None:
            raise LostError(LOST)
        if waiting["idle"] <= PATIENCE:
            return False
        await _give_up(job, tools)
    if not await _carry_out_choices(job, tools):
        return False
    # What was chosen may have changed some.
    counted = (job.id, job.worker, LEASE_SECONDS)
    if await tools.store.fetchrow(job.place, "count_verdicts", *counted) is None:
        raise LostError(LOST)
    finished = (job.id, job.worker, "executing", "done", None)
    # What was kept to be sent goes in that statement; what fails behind it, `Imports.tidy` does.
    if await tools.store.fetchrow(job.place, "finish", *finished) is not None and of_activities:
        # What people wrote is kept no longer than it takes to read it, and to give back what was
        # rejected.
        await forget_read_file(tools, job.place, job.id)
    return True


async def _leave_out(job: Job, tools: Tools) -> None:
    """Give a verdict to what is not sent, before anything is."""
    classes = left_out(orjson.loads(job.row["choices"]))
    for above in range(0, job.row["staged"], PORTION):
        if not await tools.store.leave_out(job, classes, above, above + PORTION):
            raise LostError(LOST)


async def _send_all(job: Job, tools: Tools) -> None:
    sent_to: int = job.row["sent_to"]
    while True:
        began = time.monotonic()
        most = BESIDE if tools.share.is_wanted else BATCH
        rows = await tools.store.fetch(job.place, "find_sendable", job.id, sent_to, most)
        if not rows:
            return
        await tools.producer.send_batch([_outgoing(job, row) for row in rows])
        tools.count(job.terms["source"], ACCEPTED, len(rows))
        sent_to = rows[-1]["number"]
        values = (job.id, job.worker, sent_to, LEASE_SECONDS)
        if await tools.store.fetchrow(job.place, "note_sent", *values) is None:
            raise LostError(LOST)
        await tools.share.rest(time.monotonic() - began)


def _outgoing(job: Job, row: Row) -> Outgoing:
    preview = orjson.loads(row["preview"] or b"{}")
    said = to_send(
        row["signal"],
        row["raw"],
        received_at=rfc3339(job.row["executed_at"]),
        namesakes=namesakes_of(preview, row["choice"]),
    )
    origin = _origin(job, said["signal_id"])
    return Outgoing(
        SIGNALS_NORMALIZED_BULK.name,
        said["record_key"].encode(),
        orjson.dumps(said),
        normalized_headers(origin),
    )


def _origin(job: Job, signal_id: str) -> Origin:
    return Origin(
        signal_id=signal_id,
        tenant=job.place.tenant,
        workspace=job.place.workspace,
        occurred_at=rfc3339(job.row["created_at"]),
        received_at=rfc3339(job.row["executed_at"]),
        import_id=job.name,
    )


async def _ask(job: Job, tools: Tools, rows: Sequence[Row]) -> list[Settled]:
    name = name_of(job.name)
    told = await tools.resolver.verdicts(
        job.place,
        [
            {
                "signal_id": signal_id_of(name, row["line"]),
                "record_key": row["record_key"].hex(),
                "content_hash": row["content_hash"].hex(),
            }
            for row in rows
        ],
    )
    return [
        settle(row["number"], verdict, is_judged=row["choice"] in JUDGED)
        for row, verdict in zip(rows, told, strict=True)
        if verdict["verdict"] != "waiting"
    ]


async def _give_up(job: Job, tools: Tools) -> None:
    while rows := await tools.store.fetch(job.place, "find_open", job.id, 0, BATCH):
        if not await tools.store.conclude(job, [undecided(row["number"]) for row in rows]):
            raise LostError(LOST)


async def _carry_out_choices(job: Job, tools: Tools) -> bool:
    """Tell the resolver who is whom, as it was chosen; tells whether all is carried out."""
    while rows := await tools.store.fetch(job.place, "find_unsettled", job.id, BATCH):
        settled = [one for row in rows if (one := await _carry_out(job, tools, row)) is not None]
        await tools.store.settle(job, settled)
        if len(settled) < len(rows):
            return False
        if not await tools.store.renew(job):
            raise LostError(LOST)
    return True


async def _carry_out(job: Job, tools: Tools, row: Row) -> Settled | None:
    """Carry out one choice; None: not all of it is decided yet."""
    about = orjson.loads(row["chosen"])
    target, contact = about["contact"], row["contact"]
    outcome = "unchanged"
    if contact is not None and contact != target:
        is_apart = row["choice"] == "apart"
        command = "reject_merge" if is_apart else "merge_contacts"
        body = {
            "command_id": command_id_of(job.name, row["number"]),
            "contact_id": target,
            ("other_id" if is_apart else "absorbed_id"): contact,
            "reason": f"chosen in the import {job.name}",
        }
        outcome, _ = await tools.resolver.order(job.place, command, body)
    settled = tell_order(row, row["choice"], target, outcome)
    if row["choice"] in ("theirs", "fields") and outcome in ("done", "unchanged"):
        facts = orjson.loads(row["signal"])["facts"]
        said = asserted(row["choice"], about, facts, orjson.loads(row["preview"]))
        try:
            if said and not await _assert(job, tools, row, target, said):
                return None
        except PoisonMessageError as error:
            # What was shown when it was chosen may be refused by now: it would be for ever.
            why = f"{error.field}: {error.detail}" if error.field else error.detail
            return not_entered(settled, why)
    return settled


async def _assert(job: Job, tools: Tools, row: Row, target: str, said: dict[str, Any]) -> bool:
    """Enter by hand what a person chose; tells whether the resolver has it.

    Raises `PoisonMessageError` when the values are not such as a signal may bring.
    """
    signal_id = f"{signal_id_of(name_of(job.name), row['line'])}/chosen"
    record = {
        **said,
        "source": "manual_entry",
        "source_record_id": f"{job.name}/{row['number']}",
        "about": target,
    }
    signal, raw = read_value(record, may_hold_nul=False)
    normalized = to_normalized(signal, raw, _origin(job, signal_id), tools.rules)
    if await _is_told(job, tools, signal_id, normalized):
        return True
    message = outgoing(normalized, _origin(job, signal_id), is_bulk=True)
    await tools.producer.send_batch([message])
    return False


async def _is_told(job: Job, tools: Tools, signal_id: str, normalized: Normalized) -> bool:
    asked: Sequence[dict[str, str]] = [
        {
            "signal_id": signal_id,
            "record_key": normalized.record_key.hex(),
            "content_hash": normalized.content_hash.hex(),
        }
    ]
    [told] = await tools.resolver.verdicts(job.place, asked)
    return bool(told["verdict"] != "waiting")
