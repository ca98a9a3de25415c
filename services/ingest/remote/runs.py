"""One run over one account: page by page, each sent before it is noted as read."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
from pydantic import ValidationError
from ulid import ULID

from services.ingest.domain.connections import (
    SETTINGS,
    SOURCES,
    AnySettings,
    BookSettings,
    CalendarSettings,
    ConnectionKind,
    Failure,
    Records,
    may_go,
)
from services.ingest.domain.mapping import Origin, Rules
from services.ingest.remote.address_book import BookTerms
from services.ingest.remote.calendars import CalendarTerms
from services.ingest.remote.crms import HubSpot, Salesforce
from services.ingest.remote.gmail import Gmail
from services.ingest.remote.google_calendar import GoogleCalendar
from services.ingest.remote.google_people import GooglePeople
from services.ingest.remote.http import RemoteHttp, Sleep
from services.ingest.remote.mailbox import LEFT_OUT, MailboxTerms
from services.ingest.remote.oauth import Tokens
from services.ingest.remote.outlook_calendar import OutlookCalendar
from services.ingest.remote.outlook_contacts import OutlookContacts
from services.ingest.remote.outlook_mail import OutlookMail
from services.ingest.remote.page import Outbound, Page, RemoteError, RemoteSource
from services.ingest.remote.retracting import retractions
from services.ingest.settings import RemoteSettings
from services.ingest.store.connections import Claim, Claimed, Connections
from services.ingest.store.outgoing import outgoing
from services.ingest.store.vault import VaultError
from shared.errors import ServiceError
from shared.events.envelope import rfc3339
from shared.kafka.producer import Outgoing, Producer
from shared.observability.logs import get_logger
from shared.observability.metrics import MAIL_LEFT_OUT, REMOTE_RUNS, REMOTE_SIGNALS

log = get_logger(__name__)

LONGEST_BACKOFF: Final = timedelta(hours=1)
"""After each failure an account is tried again after twice the time, at most this."""

_MAILBOXES: Final[dict[ConnectionKind, Callable[[RemoteHttp, MailboxTerms], RemoteSource]]] = {
    "gmail": Gmail,
    "outlook_mail": OutlookMail,
}
"""Kind → how its mail is read."""

_BOOKS: Final[dict[ConnectionKind, Callable[[RemoteHttp, BookTerms], RemoteSource]]] = {
    "google_people": GooglePeople,
    "outlook_contacts": OutlookContacts,
    "hubspot": HubSpot,
    "salesforce": Salesforce,
}
"""Kind → how its people are read."""

_CALENDARS: Final[dict[ConnectionKind, Callable[[RemoteHttp, CalendarTerms], RemoteSource]]] = {
    "google_calendar": GoogleCalendar,
    "outlook_calendar": OutlookCalendar,
}
"""Kind → how its events are read."""

_NEEDS_A_PERSON: Final[frozenset[Failure]] = frozenset({"consent_withdrawn", "would_remove_many"})
"""After these an account is read again only when a person has seen to it."""


@dataclass(frozen=True, slots=True)
class Runs:
    """What a run works with."""

    connections: Connections
    producer: Producer
    rules: Rules
    settings: RemoteSettings
    client: httpx.AsyncClient
    sleep: Sleep = asyncio.sleep

    async def run(self, claim: Claim) -> Failure | None:
        """Read a claimed account to its end, and give it back; return why it failed, if it did."""
        failure: Failure | None = None
        retry_after: float | None = None
        claimed: Claimed | None = None
        try:
            claimed = await self.connections.read(claim)
            if claimed is None:
                return None
            await self._read(claim, claimed)
        except VaultError:
            failure = "unreadable_credentials"
        except RemoteError as error:
            failure, retry_after = error.failure, error.retry_after
        except ExceptionGroup as group:
            failure, retry_after = _of_group(group)
        except ServiceError:
            raise  # Kafka or the database is away: the claim runs out by itself
        except Exception:  # a bug with one account must not stop the others
            log.exception("remote_run_failed", kind=claimed.kind if claimed else "unknown")
            failure = "error"
        kind = claimed.kind if claimed else "unknown"
        REMOTE_RUNS.labels(kind, failure or "ok").inc()
        again = _again_in(claimed, failure, retry_after)
        await self.connections.end(claim, failure, again, enabled=failure not in _NEEDS_A_PERSON)
        return failure

    async def _read(self, claim: Claim, claimed: Claimed) -> None:
        settings = _settings(claimed)
        source = self._source(claim, claimed, settings)
        async for page in source.pages(claimed.cursor):
            await self.producer.send_batch([_outgoing(one, page) for one in page.signals])
            REMOTE_SIGNALS.labels(claimed.kind).inc(len(page.signals))
            for name, count in page.counts.items():
                if name.startswith(LEFT_OUT):
                    MAIL_LEFT_OUT.labels(name.removeprefix(LEFT_OUT)).inc(count)
            if page.records is not None and isinstance(settings, BookSettings):
                await self._keep_records(claim, claimed, page.records, settings)
            if not await self.connections.save_progress(claim, page.cursor, page.counts):
                return  # taken away: somebody turned it off, or another run has it

    async def _keep_records(
        self, claim: Claim, claimed: Claimed, records: Records, settings: BookSettings
    ) -> None:
        """Note which entries there are, and take back those that went; stops before a mishap."""
        await self.connections.see_records(claim, records)
        if not records.is_last:
            return
        gone = await self.connections.find_gone(claim, records)
        known, is_approved = await self.connections.records(claim)
        if not is_approved and not may_go(known, len(gone), settings.remove_at_most):
            raise RemoteError("would_remove_many")
        source = SOURCES[_kind(claimed)]
        orders = retractions(gone, source, claim.place, self.rules.digests, datetime.now(UTC))
        await self.producer.send_batch(orders)
        await self.connections.forget_records(claim, gone)

    def _source(self, claim: Claim, claimed: Claimed, settings: AnySettings) -> RemoteSource:
        kind, credentials = _kind(claimed), claimed.credentials

        async def keep(renewed: dict[str, Any]) -> None:
            await self.connections.save_credentials(claim, renewed)

        endpoint, base = self._addresses(kind, credentials)
        tokens = Tokens(self.client, endpoint, credentials, keep)
        http = RemoteHttp(self.client, base, tokens.token, sleep=self.sleep)
        now = datetime.now(UTC)
        origin = Origin(
            f"/kith/remote/{claim.connection}#{ULID()}",
            claim.place.tenant,
            claim.place.workspace,
            rfc3339(now),
            rfc3339(now),
        )
        if isinstance(settings, BookSettings):
            book = BookTerms(origin, SOURCES[kind], self.rules, now, settings.region)
            return _BOOKS[kind](http, book)
        if isinstance(settings, CalendarSettings):
            days = settings.since_days
            events = CalendarTerms(origin, SOURCES[kind], self.rules, now, since_days=days)
            return _CALENDARS[kind](http, events)
        mail = MailboxTerms(
            origin, SOURCES[kind], self.rules, now, settings.region, settings.since_days
        )
        return _MAILBOXES[kind](http, mail)

    def _addresses(self, kind: ConnectionKind, credentials: dict[str, Any]) -> tuple[str, str]:
        """Return where tokens are renewed and where the API is."""
        if kind == "gmail":
            return self.settings.google_token_url, self.settings.gmail_url
        if kind == "google_calendar":
            return self.settings.google_token_url, self.settings.calendar_url
        if kind == "google_people":
            return self.settings.google_token_url, self.settings.people_url
        if kind == "hubspot":
            base = self.settings.hubspot_url.rstrip("/")
            return f"{base}/oauth/v1/token", base
        if kind == "salesforce":
            domain = credentials.get("directory") or ""
            base = self.settings.salesforce_url.format(directory=domain).rstrip("/")
            return f"{base}/services/oauth2/token", base
        directory = credentials.get("directory") or "common"
        login = self.settings.microsoft_login_url.rstrip("/")
        return f"{login}/{directory}/oauth2/v2.0/token", self.settings.graph_url


def _kind(claimed: Claimed) -> ConnectionKind:
    kind: ConnectionKind = claimed.kind  # type: ignore[assignment]  # checked when it was made
    return kind


def _settings(claimed: Claimed) -> AnySettings:
    try:
        return SETTINGS[_kind(claimed)].model_validate(claimed.settings)
    except ValidationError:
        raise RemoteError("error") from None


def _outgoing(signal: Outbound, page: Page) -> Outgoing:
    return outgoing(
        signal.normalized, signal.origin, is_activity=signal.is_activity, is_bulk=page.is_bulk
    )


def _of_group(group: "ExceptionGroup[Exception]") -> tuple[Failure, float | None]:
    """Return why requests that ran side by side failed: what the other side said, else our bug."""
    matched, rest = group.split(RemoteError)
    if rest is not None:
        service, others = rest.split(ServiceError)
        if service is not None and others is None:
            raise service.exceptions[0]
        raise rest
    assert matched is not None
    first = matched.exceptions[0]
    assert isinstance(first, RemoteError)
    return first.failure, first.retry_after


def _again_in(
    claimed: Claimed | None, failure: Failure | None, retry_after: float | None
) -> timedelta:
    every = claimed.every if claimed else LONGEST_BACKOFF
    if failure is None:
        return every
    failures = claimed.failures if claimed else 0
    backoff = min(every * float(2 ** min(failures, 12)), max(LONGEST_BACKOFF, every))
    return max(backoff, timedelta(seconds=min(retry_after or 0.0, 86_400.0)))
