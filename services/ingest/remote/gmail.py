"""Mail of a Gmail account (Gmail API v1): everything once, then what its history says is new.

The cursor is `{"history": id}`; during a full reading also `{"page": token}`.  The history is kept
for about a week: an id that is too old is answered with 404, and everything is read again.
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from services.ingest.remote.http import RemoteHttp, TooLargeError
from services.ingest.remote.mailbox import MailboxTerms, MailPages
from services.ingest.remote.page import AnswerError, Page, RemoteError
from services.ingest.sources.api.parts import dicts, part

PAGE_SIZE: Final = 100
"""Messages of a page: what a killed run repeats at most."""

AT_ONCE: Final = 4
"""Requests under way at once: 5 units each of the 250 a second that an account has."""

_FOLDERS: Final = {"DRAFT": "Drafts", "SPAM": "Spam", "CHAT": "Chats", "SENT": "Sent"}
"""Label → the name of a folder that says the same, the first one counts."""


class Gmail:
    """One Gmail account."""

    def __init__(self, http: RemoteHttp, terms: MailboxTerms) -> None:
        self._http = http
        self._terms = terms

    async def pages(self, cursor: dict[str, Any] | None) -> AsyncIterator[Page]:
        """Yield what is new since the cursor; see `page.RemoteSource`."""
        profile = await self._http.get("/users/me/profile")
        mail = MailPages(self._terms, [_text(profile, "emailAddress")])
        position = cursor or {}
        if "history" in position and "page" not in position:
            try:
                async for page in self._changes(mail, position["history"]):
                    yield page
            except AnswerError as error:
                if error.status != 404:
                    raise
            else:
                return
        if "page" not in position:
            # Taken before the first page: what arrives meanwhile is in the history behind it.
            position = {"history": _text(profile, "historyId"), "page": ""}
        async for page in self._everything(mail, position):
            yield page

    async def _everything(self, mail: MailPages, position: dict[str, Any]) -> AsyncIterator[Page]:
        history, token = position["history"], position["page"]
        while True:
            parameters: dict[str, str | int] = {"maxResults": PAGE_SIZE}
            if self._terms.since_days:
                since = datetime.now(UTC) - timedelta(days=self._terms.since_days)
                parameters["q"] = f"after:{round(since.timestamp())}"
            if token:
                parameters["pageToken"] = token
            try:
                found = await self._http.get("/users/me/messages", parameters)
            except AnswerError as error:
                if not token or error.status != 400:
                    raise
                token = ""  # a page's name does not last: from the beginning then
                continue
            messages = await self._messages(_ids(found.get("messages")))
            token = _text(found, "nextPageToken", "")
            cursor = {"history": history, "page": token} if token else {"history": history}
            yield mail.page(messages, cursor, is_bulk=True)
            if not token:
                return

    async def _changes(self, mail: MailPages, since: str) -> AsyncIterator[Page]:
        token, history = "", since
        while True:
            parameters: dict[str, str | int] = {
                "startHistoryId": since,
                "historyTypes": "messageAdded",
                "maxResults": PAGE_SIZE,
            }
            if token:
                parameters["pageToken"] = token
            found = await self._http.get("/users/me/history", parameters)
            records = dicts(found.get("history"))
            added = [
                part(one.get("message"))
                for record in records
                for one in dicts(record.get("messagesAdded"))
            ]
            messages = await self._messages(_ids(added))
            token = _text(found, "nextPageToken", "")
            # A record's own id is a place in the history too: a run that ends here goes on from it.
            if token and records:
                history = _text(records[-1], "id", history)
            elif not token:
                history = _text(found, "historyId", history)
            yield mail.page(messages, {"history": history}, is_bulk=False)
            if not token:
                return

    async def _messages(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(identity: str) -> dict[str, Any] | None:
            async with gate:
                return await self._message(identity)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(identity)) for identity in ids]
        return [message for task in tasks if (message := task.result()) is not None]

    async def _message(self, identity: str) -> dict[str, Any] | None:
        """Return a message with its text; without, where it is too large; None: it is gone."""
        path = f"/users/me/messages/{identity}"
        try:
            try:
                found = await self._http.get(path, {"format": "raw"})
            except TooLargeError:
                found = await self._http.get(path, {"format": "metadata"})
        except AnswerError as error:
            if error.status in (404, 410):
                return None
            raise
        return _read(found)


def _read(found: dict[str, Any]) -> dict[str, Any]:
    """Return what `MailPages` takes."""
    labels = [one for one in found.get("labelIds") or () if isinstance(one, str)]
    arrived = found.get("internalDate")
    return {
        "raw": _raw(found),
        "folder": next((folder for label, folder in _FOLDERS.items() if label in labels), ""),
        "arrived_at": (
            datetime.fromtimestamp(int(arrived) / 1_000, UTC)
            if isinstance(arrived, str) and arrived.isdigit() and len(arrived) < 15
            else None
        ),
        "thread_id": f"gmail:{_thread(found)}" if _thread(found) else "",
    }


def _raw(found: dict[str, Any]) -> bytes:
    text = found.get("raw")
    if isinstance(text, str):
        try:
            return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            raise RemoteError("bad_answer") from None
    headers = dicts(part(found.get("payload")).get("headers"))
    lines = [f"{_text(one, 'name', 'X')}: {_text(one, 'value', '')}" for one in headers]
    return "\n".join([*lines, "", ""]).encode("utf-8", "replace")


def _thread(found: dict[str, Any]) -> str:
    """Return the thread's id as mail exported from Gmail has it: a decimal number."""
    thread = _text(found, "threadId", "")
    try:
        return str(int(thread, 16))
    except ValueError:
        return thread


def _ids(messages: object) -> list[str]:
    return list(dict.fromkeys(_text(one, "id") for one in dicts(messages)))


def _text(found: dict[str, Any], name: str, default: str | None = None) -> str:
    value = found.get(name, default)
    if not isinstance(value, str) or (default is None and not value):
        raise RemoteError("bad_answer")
    return value
