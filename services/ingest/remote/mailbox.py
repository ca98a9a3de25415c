"""What all remote mailboxes share: messages as they come become pages of signals."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.ingest.domain.entries import Taken
from services.ingest.domain.mapping import Origin, Rules
from services.ingest.remote.page import Outbound, Page
from services.ingest.sources.mail.message import Mail
from services.ingest.sources.mail.reading import MailReader, MailTerms
from shared.identifiers.email import normalize_email
from shared.identifiers.types import Refused

LEFT_OUT: Final = "left_out_"
"""Before a reason, among the counts of a page."""


@dataclass(frozen=True, slots=True)
class MailboxTerms:
    """What holds for one run over one mailbox."""

    origin: Origin
    source: str
    rules: Rules
    now: datetime
    region: str | None = None
    since_days: int | None = None


class MailPages:
    """Turns the messages of one run into pages."""

    def __init__(self, terms: MailboxTerms, own: Iterable[str]) -> None:
        found = (normalize_email(address) for address in own)
        mine = frozenset(str(one) for one in found if not isinstance(one, Refused))
        settled = MailTerms(terms.origin, terms.source, mine, terms.now, terms.region)
        self._reader = MailReader(settled, terms.rules)
        self._told: Counter[str] = Counter()

    def page(
        self, messages: Sequence[dict[str, Any]], cursor: dict[str, Any], *, is_bulk: bool
    ) -> Page:
        """Return a page of messages as they are stored: the arguments of `MailReader.read`."""
        taken = [one for message in messages for one in self._reader.read(**message)]
        return self._page(taken, cursor, is_bulk=is_bulk)

    def page_of(
        self, mails: Sequence[tuple[Mail, str]], cursor: dict[str, Any], *, is_bulk: bool
    ) -> Page:
        """Return a page of messages that were read already, each with its folder."""
        taken = [one for mail, folder in mails for one in self._reader.take(mail, 0, folder)]
        return self._page(taken, cursor, is_bulk=is_bulk)

    def _page(self, taken: Sequence[Taken], cursor: dict[str, Any], *, is_bulk: bool) -> Page:
        tally = self._reader.tally
        now = Counter(
            {
                "messages": tally.messages,
                "activities": tally.activities,
                "signatures": tally.signatures,
                "refused": tally.refused,
                **{f"{LEFT_OUT}{reason}": count for reason, count in tally.left_out.items()},
            }
        )
        counts, self._told = now - self._told, now
        signals = [Outbound(one.origin, one.normalized, one.is_activity) for one in taken]
        return Page(signals, cursor, is_bulk, counts)
