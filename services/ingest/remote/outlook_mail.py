"""Mail of an Outlook.com or Exchange Online account (Microsoft Graph v1.0): delta by folder.

The cursor is `{"folders": {id: link}}`: where a folder has been read to its end the link is its
`@odata.deltaLink`, else the `@odata.nextLink` to go on from.  A link is forgotten after a while
(410, `syncStateNotFound`): that folder is read from its beginning again.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from services.ingest.remote.http import RemoteHttp
from services.ingest.remote.mailbox import MailboxTerms, MailPages
from services.ingest.remote.page import AnswerError, Page, RemoteError
from services.ingest.sources.api.parts import dicts
from services.ingest.sources.mail.addresses import Mailbox, name_of
from services.ingest.sources.mail.message import EARLIEST, Mail, Role, mail_of

PAGE_SIZE: Final = 50
"""Messages of a page: what a killed run repeats at most."""

MAX_FOLDERS: Final = 500
"""Folders of one mailbox that are read."""

MAX_DEPTH: Final = 8
"""Folders within folders."""

_SELECT: Final = (
    "id,subject,from,sender,toRecipients,ccRecipients,replyTo,sentDateTime,receivedDateTime,"
    "internetMessageId,conversationId,isDraft,body,internetMessageHeaders"
)
_PREFER: Final = {"Prefer": f'odata.maxpagesize={PAGE_SIZE}, IdType="ImmutableId"'}
_LEFT_OUT: Final = ("drafts", "junkemail", "deleteditems", "outbox")
"""Well-known folders that are not read: never sent, spam, thrown away."""

_FORGOTTEN: Final = frozenset({"syncStateNotFound", "syncStateInvalid", "resyncRequired"})
_ROLES: Final[Mapping[str, Role]] = {
    "toRecipients": "to",
    "ccRecipients": "cc",
    "replyTo": "reply_to",
}


class OutlookMail:
    """One mailbox at Microsoft."""

    def __init__(self, http: RemoteHttp, terms: MailboxTerms) -> None:
        self._http = http
        self._terms = terms

    async def pages(self, cursor: dict[str, Any] | None) -> AsyncIterator[Page]:
        """Yield what is new since the cursor; see `page.RemoteSource`."""
        me = await self._http.get("/me", {"$select": "mail,userPrincipalName,otherMails"})
        mail = MailPages(self._terms, own_addresses(me))
        before: dict[str, str] = (cursor or {}).get("folders", {})
        sent = await self._well_known("sentitems")
        folders = await self._folders()
        # A folder that is gone drops out of the cursor.
        links = {identity: before[identity] for identity in folders if identity in before}
        for identity in folders:
            name = "Sent Items" if identity == sent else ""
            async for page in self._folder(mail, identity, name, links):
                yield page

    async def _folder(
        self, mail: MailPages, identity: str, name: str, links: dict[str, str]
    ) -> AsyncIterator[Page]:
        path = f"/me/mailFolders/{identity}/messages/delta"
        link = links.get(identity)
        is_bulk = link is None or "skiptoken" in link
        while True:
            try:
                if link is None:
                    found = await self._http.get(path, self._beginning(), _PREFER)
                else:
                    found = await self._http.get(link, headers=_PREFER)
            except AnswerError as error:
                if link is None or not (error.status == 410 or error.reasons & _FORGOTTEN):
                    if error.status == 404:
                        return  # deleted while we were reading
                    raise
                link, is_bulk = None, True
                continue
            following = found.get("@odata.nextLink")
            link = following or found.get("@odata.deltaLink")
            if not isinstance(link, str):
                raise RemoteError("bad_answer")
            links[identity] = link
            mails = [one for one in map(_read, dicts(found.get("value"))) if one is not None]
            yield mail.page_of(
                [(one, "Drafts" if is_draft else name) for one, is_draft in mails],
                {"folders": dict(links)},
                is_bulk=is_bulk,
            )
            if not following:
                return

    def _beginning(self) -> dict[str, str | int]:
        parameters: dict[str, str | int] = {"$select": _SELECT}
        if self._terms.since_days:
            since = datetime.now(UTC) - timedelta(days=self._terms.since_days)
            parameters["$filter"] = f"receivedDateTime ge {since:%Y-%m-%dT%H:%M:%SZ}"
        return parameters

    async def _well_known(self, name: str) -> str:
        try:
            found = await self._http.get(f"/me/mailFolders/{name}", {"$select": "id"})
        except AnswerError as error:
            if error.status == 404:
                return ""
            raise
        identity = found.get("id")
        return identity if isinstance(identity, str) else ""

    async def _folders(self) -> list[str]:
        """Return the folders to read, those within others included, in a lasting order."""
        passed = {await self._well_known(name) for name in _LEFT_OUT}
        found: list[str] = []
        waiting = [("/me/mailFolders", 1)]
        while waiting and len(found) < MAX_FOLDERS:
            path, depth = waiting.pop(0)
            following: str | None = path
            while following and len(found) < MAX_FOLDERS:
                is_first = following == path
                page = await self._http.get(
                    following,
                    {"$select": "id,childFolderCount", "$top": 100} if is_first else None,
                    _PREFER,
                )
                for folder in dicts(page.get("value")):
                    identity = folder.get("id")
                    if not isinstance(identity, str) or identity in passed:
                        continue
                    found.append(identity)
                    if folder.get("childFolderCount") and depth < MAX_DEPTH:
                        waiting.append((f"/me/mailFolders/{identity}/childFolders", depth + 1))
                link = page.get("@odata.nextLink")
                following = link if isinstance(link, str) else None
        return found


def own_addresses(me: dict[str, Any]) -> list[str]:
    """Return the addresses of an account's owner."""
    others = me.get("otherMails")
    listed = [
        me.get("mail"),
        me.get("userPrincipalName"),
        *(others if isinstance(others, list) else ()),
    ]
    return [one for one in listed if isinstance(one, str)]


def _read(found: dict[str, Any]) -> tuple[Mail, bool] | None:
    """Return a message and whether it is a draft; None: it is gone, or a mark of it changed."""
    if "@removed" in found or not isinstance(found.get("internetMessageId"), str):
        return None
    headers: dict[str, list[str]] = {}
    for one in dicts(found.get("internetMessageHeaders")):
        name, value = one.get("name"), one.get("value")
        if isinstance(name, str) and isinstance(value, str):
            headers.setdefault(name.lower(), []).append(value)
    body = found.get("body") if isinstance(found.get("body"), dict) else {}
    text = body.get("content") if isinstance(body, dict) else ""
    is_html = isinstance(body, dict) and body.get("contentType") == "html"
    content = text if isinstance(text, str) else ""
    conversation = found.get("conversationId")
    subject = found.get("subject")
    mail = mail_of(
        headers,
        tuple(_mailboxes(found)),
        sent_at=_moment(found.get("sentDateTime")) or _moment(found.get("receivedDateTime")),
        subject=subject if isinstance(subject, str) else "",
        message_id=found["internetMessageId"],
        thread_id=f"graph:{conversation}" if isinstance(conversation, str) else "",
        plain="" if is_html else content,
        html=content if is_html else "",
    )
    return mail, found.get("isDraft") is True


def _mailboxes(found: dict[str, Any]) -> list[tuple[Role, Mailbox]]:
    boxes: list[tuple[Role, Mailbox]] = []
    for one in (found.get("from"), found.get("sender")):
        box = _mailbox(one)
        if box is not None:
            boxes.append(("from", box))
            break
    for name, role in _ROLES.items():
        boxes += [(role, box) for one in dicts(found.get(name)) if (box := _mailbox(one))]
    return boxes


def _mailbox(recipient: object) -> Mailbox | None:
    part = recipient.get("emailAddress") if isinstance(recipient, dict) else None
    address = part.get("address") if isinstance(part, dict) else None
    name = part.get("name") if isinstance(part, dict) else None
    if not isinstance(address, str) or "@" not in address:
        return None
    return Mailbox(address, name_of(name) if isinstance(name, str) else None)


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found if EARLIEST <= found <= datetime.now(UTC) + timedelta(days=1) else None
