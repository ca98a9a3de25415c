"""Contacts of CRMs: HubSpot (CRM v3 objects) and Salesforce (REST API).

HubSpot's list is read whole every time: its search for changes ends at 10,000 results, and the
ledger knows what is unchanged.  Salesforce tells by `SystemModstamp` what changed, and who went.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ulid import ULID

from services.ingest.remote.address_book import BookTerms, PeoplePages
from services.ingest.remote.http import RemoteHttp
from services.ingest.remote.page import AnswerError, Page, RemoteError
from services.ingest.sources.api.crm import (
    HUBSPOT_PROPERTIES,
    SALESFORCE_FIELDS,
    read_hubspot,
    read_salesforce,
)
from services.ingest.sources.api.parts import dicts, moment, part, text

HUBSPOT_PAGE: Final = 100
"""Contacts of a page, the most that HubSpot gives."""

SALESFORCE_VERSION: Final = "v60.0"
"""Of the REST API; a version lives for at least three years."""

OVERLAP: Final = timedelta(minutes=5)
"""Changes are asked for from so long before the newest one known: records are committed late."""


class HubSpot:
    """The contacts of one HubSpot account; the cursor is `{"reading": name, "after": id}`."""

    def __init__(self, http: RemoteHttp, terms: BookTerms) -> None:
        self._http = http
        self._terms = terms

    async def pages(self, cursor: dict[str, Any] | None) -> AsyncIterator[Page]:
        """Yield all contacts, from where the last reading was broken off."""
        # Ids are numbers of one account: another one's contacts have the same.
        account = (await self._http.get("/account-info/v3/details")).get("portalId")
        if not isinstance(account, int):
            raise RemoteError("bad_answer")
        position = cursor or {}
        reading = position.get("reading") or str(ULID())
        after = position.get("after", "")
        people = PeoplePages(self._terms)
        while True:
            parameters: dict[str, str | int] = {
                "limit": HUBSPOT_PAGE,
                "archived": "false",
                "properties": ",".join(HUBSPOT_PROPERTIES),
            }
            if after:
                parameters["after"] = after
            found = await self._http.get("/crm/v3/objects/contacts", parameters)
            after = text(part(part(found.get("paging")).get("next")).get("after")) or ""
            yield people.page(
                ((read_hubspot(one, account), one) for one in dicts(found.get("results"))),
                {"reading": reading, "after": after} if after else {},
                reading=reading,
                is_last=not after,
            )
            if not after:
                return


class Salesforce:
    """The contacts of one Salesforce organisation; the cursor is `{"changed": time}`."""

    def __init__(self, http: RemoteHttp, terms: BookTerms) -> None:
        self._http = http
        self._terms = terms

    async def pages(self, cursor: dict[str, Any] | None) -> AsyncIterator[Page]:
        """Yield what changed since the cursor, oldest first; see `page.RemoteSource`."""
        since = moment((cursor or {}).get("changed"))
        newest = since
        reading = "" if since else str(ULID())
        people = PeoplePages(self._terms)
        link: str | None = f"/services/data/{SALESFORCE_VERSION}/queryAll"
        parameters: dict[str, str | int] | None = {"q": _query(since)}
        while link:
            try:
                found = await self._http.get(link, parameters)
            except AnswerError as error:
                if "INVALID_QUERY_LOCATOR" not in error.reasons:
                    raise
                raise RemoteError("unavailable") from None  # the result expired: ask anew later
            records = [(read_salesforce(one), one) for one in dicts(found.get("records"))]
            for person, _ in records:
                if person is not None and person.changed_at is not None:
                    newest = max(newest or person.changed_at, person.changed_at)
            is_last = found.get("done") is not False
            link = None if is_last else text(found.get("nextRecordsUrl"), 4_000)
            parameters = None
            if not is_last and link is None:
                raise RemoteError("bad_answer")
            # Until all is told a run begins where it began: who went is told at its end.
            yield people.page(
                records,
                _changed(newest) if is_last else cursor or {},
                reading=reading,
                is_last=is_last,
            )


def _query(since: datetime | None) -> str:
    """Ask for contacts in the order in which they changed (SOQL)."""
    # A first reading has no use for those that are in the recycle bin.
    which = "IsDeleted = false"
    if since is not None:
        which = f"SystemModstamp >= {since - OVERLAP:%Y-%m-%dT%H:%M:%SZ}"
    fields = ", ".join(SALESFORCE_FIELDS)
    return f"SELECT {fields} FROM Contact WHERE {which} ORDER BY SystemModstamp, Id"  # noqa: S608


def _changed(newest: datetime | None) -> dict[str, Any]:
    return {} if newest is None else {"changed": newest.astimezone(UTC).isoformat()}
