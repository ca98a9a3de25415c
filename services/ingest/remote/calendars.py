"""What remote calendars share: events become meetings; those called off are taken back.

A calendar is read as its occurrences within a window: two years back, or as many days as an
operator says, and 120 days ahead.  The window moves on: once less than 90 days of it are ahead,
everything is read again in a new one, which changes nothing that is known.

The cursor's `names` says what coming events are called here (digest of the account's id → record
id and beginning): that an event went is told by the account's id alone.  What has begun stays,
whatever becomes of it in the calendar: it took place.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from services.ingest.domain.activities import to_normalized_activity
from services.ingest.domain.intake import signal_id
from services.ingest.domain.mapping import Origin, Rules
from services.ingest.domain.reading import read_activity_value
from services.ingest.remote.page import Outbound, Page
from services.ingest.sources.api.calendar_events import ApiEvent
from shared.errors import PoisonMessageError
from shared.events.envelope import rfc3339

BACK: Final = timedelta(days=730)
AHEAD: Final = timedelta(days=120)
LEAST_AHEAD: Final = timedelta(days=90)

MAX_NAMES: Final = 5_000
"""Coming events whose names are remembered, the nearest first."""


@dataclass(frozen=True, slots=True)
class CalendarTerms:
    """What holds for one run over one calendar."""

    origin: Origin
    source: str
    rules: Rules
    now: datetime
    since_days: int | None = None

    @property
    def window(self) -> tuple[datetime, datetime]:
        """Return which events a full reading asks for."""
        back = timedelta(days=self.since_days) if self.since_days else BACK
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - back, midnight + AHEAD

    def is_running_out(self, cursor: dict[str, Any]) -> bool:
        """Tell whether a cursor's window ends so soon that a new one is due."""
        try:
            until = datetime.fromisoformat(cursor.get("until", ""))
        except (TypeError, ValueError):
            return True
        return until < self.now + LEAST_AHEAD


class EventPages:
    """Turns the events of one run into pages."""

    def __init__(self, terms: CalendarTerms, cursor: dict[str, Any], until: str) -> None:
        self._terms = terms
        self._until = until
        self._number = 0
        self._names = _names_of(cursor, "names")
        self._before = _names_of(cursor, "before")

    def page(
        self,
        events: Iterable[tuple[ApiEvent | None, dict[str, Any]]],
        cursor: dict[str, Any],
        *,
        is_last: bool,
    ) -> Page:
        """Return a page of events, each with the document that says so.

        With the last page of a full reading, coming events that it did not see are called off.
        """
        signals: list[Outbound] = []
        counts: Counter[str] = Counter()
        for event, document in events:
            if event is None:
                continue
            counts["events"] += 1
            value = self._value(event)
            if value is None:
                counts["left_out_nobody_else"] += 1
                continue
            signal = self._signal(event, value, document)
            if signal is None:
                counts["refused"] += 1
            else:
                signals.append(signal)
                counts["activities"] += 1
        if is_last:
            for name, begins in self._before.values():
                signal = self._signal(None, _called_off(name, begins), {})
                if signal is not None and begins > self._terms.now.isoformat():
                    signals.append(signal)
            self._before = {}
        is_bulk = "reading" in cursor
        whole = {**cursor, "until": self._until, "names": self._coming()}
        if self._before:
            whole["before"] = self._before
        return Page(signals, whole, is_bulk, counts)

    def _value(self, event: ApiEvent) -> dict[str, Any] | None:
        """Return the signal of an event, or that a coming one is called off."""
        key = hashlib.blake2b(event.event_id.encode(), digest_size=6).hexdigest()
        before = self._before.pop(key, None)
        if event.signal is not None:
            if event.begins is not None and event.begins > self._terms.now:
                self._names[key] = [event.record_id, event.begins.isoformat()]
            return event.signal
        name, begins = self._names.pop(key, before or [event.record_id, ""])
        if not name or not begins or datetime.fromisoformat(begins) <= self._terms.now:
            return None
        return _called_off(name, begins)

    def _signal(
        self, event: ApiEvent | None, value: dict[str, Any], document: dict[str, Any]
    ) -> Outbound | None:
        terms = self._terms
        self._number += 1
        changed_at = event.changed_at if event else None
        stated_at = min(changed_at or terms.now, terms.now)
        origin = Origin(
            signal_id(terms.origin.signal_id, str(self._number)),
            terms.origin.tenant,
            terms.origin.workspace,
            rfc3339(stated_at),
            terms.origin.received_at,
        )
        try:
            signal, _ = read_activity_value({**value, "source": terms.source}, may_hold_nul=False)
            # Descriptions are long, and of private events nothing is to be read.
            kept = {name: document[name] for name in ("id", "etag", "type") if name in document}
            raw = orjson.dumps(kept).replace(b"\\u0000", b"")
            return Outbound(
                origin, to_normalized_activity(signal, raw, origin, terms.rules), is_activity=True
            )
        except PoisonMessageError:
            return None

    def _coming(self) -> dict[str, list[str]]:
        now = self._terms.now.isoformat()
        coming = [(key, one) for key, one in self._names.items() if one[1] > now]
        coming.sort(key=lambda item: item[1][1])
        self._names = dict(coming[:MAX_NAMES])
        return dict(self._names)


def _names_of(cursor: dict[str, Any], part: str) -> dict[str, list[str]]:
    known = cursor.get(part)
    return dict(known) if isinstance(known, dict) else {}


def _called_off(record_id: str, begins: str) -> dict[str, Any]:
    return {
        "kind": "meeting",
        "source_record_id": record_id,
        "occurred_at": begins,
        "deleted": True,
    }
