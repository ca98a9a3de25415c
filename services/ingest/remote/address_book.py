"""What all remote address books share: people become pages of signals, and who went is noted.

What a page says of records lets a run tell whom the account no longer has, and lets it stop before
a mishap at the other end empties everything here (`domain.connections.may_go`).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from services.ingest.domain.connections import Records
from services.ingest.domain.intake import signal_id
from services.ingest.domain.mapping import Origin, Rules, to_normalized
from services.ingest.domain.reading import read_value
from services.ingest.remote.page import Outbound, Page
from services.ingest.sources.api.parts import ApiPerson
from shared.errors import PoisonMessageError
from shared.events.envelope import rfc3339


@dataclass(frozen=True, slots=True)
class BookTerms:
    """What holds for one run over one address book."""

    origin: Origin
    source: str
    rules: Rules
    now: datetime
    region: str | None = None


class PeoplePages:
    """Turns the people of one run into pages."""

    def __init__(self, terms: BookTerms) -> None:
        self._terms = terms
        self._number = 0
        self._gone: list[str] = []

    def page(
        self,
        people: Iterable[tuple[ApiPerson | None, dict[str, Any]]],
        cursor: dict[str, Any],
        *,
        reading: str = "",
        is_last: bool = False,
    ) -> Page:
        """Return a page of people, each with the document that says so.

        `reading` names the full reading that the page belongs to, if any.  Who went is told with
        the last page only: a run that is broken off tells it again.
        """
        signals, seen, counts = [], list[str](), Counter[str]()
        for person, document in people:
            counts["people"] += 1
            if person is None:
                counts["refused"] += 1
            elif person.signal is None:
                self._gone.append(person.record_id)
            else:
                signal = self._signal(person, document)
                if signal is None:
                    # An entry that says nothing any more, or nothing that kith could keep.
                    self._gone.append(person.record_id)
                    counts["blank"] += 1
                else:
                    signals.append(signal)
                    seen.append(person.record_id)
        gone = tuple(dict.fromkeys(self._gone)) if is_last else ()
        records = Records(tuple(seen), gone, reading, is_last=is_last)
        return Page(signals, cursor, bool(reading), counts, records)

    def _signal(self, person: ApiPerson, document: dict[str, Any]) -> Outbound | None:
        terms = self._terms
        self._number += 1
        assert person.signal is not None
        value = {**person.signal, "source": terms.source}
        if terms.region:
            value["phone_region"] = terms.region
        changed_at = person.changed_at or terms.now
        origin = Origin(
            signal_id(terms.origin.signal_id, str(self._number)),
            terms.origin.tenant,
            terms.origin.workspace,
            rfc3339(changed_at),
            terms.origin.received_at,
        )
        try:
            signal, _ = read_value(value, may_hold_nul=False)
            raw = orjson.dumps(document).replace(b"\\u0000", b"")
            return Outbound(origin, to_normalized(signal, raw, origin, terms.rules))
        except PoisonMessageError:
            return None
