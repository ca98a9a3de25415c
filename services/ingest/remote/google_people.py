"""Contacts of a Google account (People API v1): everything once, then what changed.

The cursor is `{"sync": token}`; during a full reading `{"reading": name, "page": token}`.  A sync
token lives for seven days: one that is too old is answered with 400 and `EXPIRED_SYNC_TOKEN` (the
Calendar API says 410, which is taken as well), and everything is read again.
"""

from collections.abc import AsyncIterator
from typing import Any, Final

from ulid import ULID

from services.ingest.remote.address_book import BookTerms, PeoplePages
from services.ingest.remote.http import RemoteHttp
from services.ingest.remote.page import AnswerError, Page, RemoteError
from services.ingest.sources.api.google_people import PERSON_FIELDS, read_person
from services.ingest.sources.api.parts import dicts, text

PAGE_SIZE: Final = 500
"""People of a page: what a killed run repeats at most; the API's limit is 1,000."""

MAX_GROUPS_PAGES: Final = 20
"""Pages of contact groups that are read, 1,000 a page."""

_EXPIRED: Final = "EXPIRED_SYNC_TOKEN"


class GooglePeople:
    """The contacts of one Google account."""

    def __init__(self, http: RemoteHttp, terms: BookTerms) -> None:
        self._http = http
        self._terms = terms

    async def pages(self, cursor: dict[str, Any] | None) -> AsyncIterator[Page]:
        """Yield what is new since the cursor; see `page.RemoteSource`."""
        groups = await self._groups()
        position = cursor or {}
        if "sync" in position:
            try:
                async for page in self._read(groups, position):
                    yield page
            except AnswerError as error:
                if not _is_expired(error):
                    raise
            else:
                return
            position = {}
        async for page in self._everything(groups, position):
            yield page

    async def _everything(
        self, groups: dict[str, str], position: dict[str, Any]
    ) -> AsyncIterator[Page]:
        """Read all of it; a page's name that did not last begins it anew, once."""
        if "reading" in position:
            try:
                async for page in self._read(groups, position):
                    yield page
            except AnswerError as error:
                if error.status not in {400, 404, 410}:
                    raise
            else:
                return
        async for page in self._read(groups, {"reading": str(ULID())}):
            yield page

    async def _read(self, groups: dict[str, str], position: dict[str, Any]) -> AsyncIterator[Page]:
        # Every parameter but the page's must be that of the first call.
        parameters: dict[str, str | int] = {
            "personFields": PERSON_FIELDS,
            "pageSize": PAGE_SIZE,
            "requestSyncToken": "true",
        }
        if "sync" in position:
            parameters["syncToken"] = position["sync"]
        reading, token = position.get("reading", ""), position.get("page", "")
        people = PeoplePages(self._terms)
        while True:
            if token:
                parameters["pageToken"] = token
            found = await self._http.get("/people/me/connections", parameters)
            token = text(found.get("nextPageToken"), 4_000) or ""
            following = text(found.get("nextSyncToken"), 4_000)
            if not token and following is None:
                raise RemoteError("bad_answer")
            cursor = {"sync": following} if not token else {**position, "page": token}
            if "sync" in position and token:
                cursor = position  # changes are told from their beginning again
            yield people.page(
                ((read_person(one, groups), one) for one in dicts(found.get("connections"))),
                cursor,
                reading=reading,
                is_last=not token,
            )
            if not token:
                return

    async def _groups(self) -> dict[str, str]:
        """Return the names of contact groups, which people name by resource names only."""
        names: dict[str, str] = {}
        parameters: dict[str, str | int] = {"pageSize": 1_000}
        for _ in range(MAX_GROUPS_PAGES):
            found = await self._http.get("/contactGroups", parameters)
            for group in dicts(found.get("contactGroups")):
                resource = text(group.get("resourceName"))
                name = text(group.get("formattedName")) or text(group.get("name"))
                if resource and name:
                    names[resource] = name
            token = text(found.get("nextPageToken"), 4_000)
            if token is None:
                break
            parameters["pageToken"] = token
        return names


def _is_expired(error: AnswerError) -> bool:
    return error.status == 410 or (error.status == 400 and _EXPIRED in error.reasons)
