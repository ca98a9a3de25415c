"""Contacts of an Outlook.com or Exchange Online account (Microsoft Graph v1.0): delta.

The cursor is `{"link": deltaLink}`; during a full reading `{"reading": name, "link": nextLink}`.  A
link that was forgotten is answered with 410 (`syncStateNotFound`), and everything is read again.
"""

from collections.abc import AsyncIterator
from typing import Any, Final

from ulid import ULID

from services.ingest.remote.address_book import BookTerms, PeoplePages
from services.ingest.remote.http import RemoteHttp
from services.ingest.remote.page import AnswerError, Page, RemoteError
from services.ingest.sources.api.outlook_contacts import SELECT, read_contact
from services.ingest.sources.api.parts import dicts, text

PAGE_SIZE: Final = 200
"""People of a page: what a killed run repeats at most."""

MAX_LINK: Final = 16_000
"""Characters of a link."""

_PREFER: Final = {"Prefer": f'odata.maxpagesize={PAGE_SIZE}, IdType="ImmutableId"'}
_FORGOTTEN: Final = frozenset({"syncStateNotFound", "syncStateInvalid", "resyncRequired"})


class OutlookContacts:
    """The contacts of one account at Microsoft."""

    def __init__(self, http: RemoteHttp, terms: BookTerms) -> None:
        self._http = http
        self._terms = terms

    async def pages(self, cursor: dict[str, Any] | None) -> AsyncIterator[Page]:
        """Yield what is new since the cursor; see `page.RemoteSource`."""
        if cursor:
            try:
                async for page in self._read(cursor):
                    yield page
            except AnswerError as error:
                if error.status != 410 and not _FORGOTTEN & error.reasons:
                    raise
            else:
                return
        async for page in self._read({"reading": str(ULID())}):
            yield page

    async def _read(self, position: dict[str, Any]) -> AsyncIterator[Page]:
        reading, link = position.get("reading", ""), position.get("link")
        people = PeoplePages(self._terms)
        while True:
            if link is None:
                found = await self._http.get("/me/contacts/delta", {"$select": SELECT}, _PREFER)
            else:
                found = await self._http.get(link, headers=_PREFER)
            following = text(found.get("@odata.nextLink"), MAX_LINK)
            link = following or text(found.get("@odata.deltaLink"), MAX_LINK)
            if link is None:
                raise RemoteError("bad_answer")
            cursor = {"reading": reading, "link": link} if reading and following else {"link": link}
            if not reading and following:
                cursor = position  # changes are told from their beginning again
            yield people.page(
                ((read_contact(one), one) for one in dicts(found.get("value"))),
                cursor,
                reading=reading,
                is_last=following is None,
            )
            if following is None:
                return
