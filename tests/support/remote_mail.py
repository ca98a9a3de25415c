"""Gmail and Microsoft Graph as their documents describe them, with mailboxes and moods.

HTTP applications: the adapters talk to them as they would to the real ones.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Mood = Callable[[Request], Response | None]
"""Answers a request in place of the API, or leaves it alone."""


def google_error(status: int, reason: str, **headers: str) -> JSONResponse:
    error = {
        "code": status,
        "message": "…",
        "errors": [{"domain": "usageLimits", "reason": reason}],
    }
    return JSONResponse({"error": error}, status, headers=headers)


def graph_error(status: int, code: str, **headers: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": "…"}}, status, headers=headers)


@dataclass
class Account:
    """What both fakes have: tokens, moods and a memory of what was asked."""

    moods: list[Mood] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refresh_token: str = "refresh-1"
    renews_refresh_token: bool = False
    tokens: int = 0
    token_answer: Response | None = None

    async def token(self, request: Request) -> Response:
        """RFC 6749, section 6."""
        form = await request.form()
        if self.token_answer is not None:
            return self.token_answer
        if (
            form.get("grant_type") != "refresh_token"
            or form.get("refresh_token") != self.refresh_token
            or form.get("client_id") != "client"
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        self.tokens += 1
        answer: dict[str, Any] = {
            "access_token": f"access-{self.tokens}",
            "expires_in": 3_599,
            "token_type": "Bearer",
        }
        if self.renews_refresh_token:
            self.refresh_token = f"refresh-{self.tokens + 1}"
            answer["refresh_token"] = self.refresh_token
        return JSONResponse(answer)

    def refused(self, request: Request) -> Response | None:
        """Let a mood answer, or refuse a request without the present token."""
        self.asked.append(
            str(request.url.path) + (f"?{request.url.query}" if request.url.query else "")
        )
        for mood in list(self.moods):
            answer = mood(request)
            if answer is not None:
                return answer
        if request.headers.get("authorization") != f"Bearer access-{self.tokens}":
            return JSONResponse({"error": {"code": 401, "status": "UNAUTHENTICATED"}}, 401)
        return None

    def once(self, path: str, answer: Response, times: int = 1) -> None:
        """Answer the next requests whose path ends so with something else."""
        left = [times]

        def mood(request: Request) -> Response | None:
            if left[0] and request.url.path.endswith(path):
                left[0] -= 1
                return answer
            return None

        self.moods.append(mood)


@dataclass
class FakeGmail(Account):
    """users.getProfile, messages.list, messages.get and history.list."""

    messages: dict[str, tuple[int, list[str], bytes]] = field(default_factory=dict)
    """Id → history id at which it came, labels, RFC 822."""
    history: int = 100
    oldest: int = 0
    page_size: int = 2

    def receive(self, raw: bytes, *labels: str) -> str:
        """Put a message into the mailbox."""
        self.history += 7
        identity = f"{0x18C0 + len(self.messages):x}"
        self.messages[identity] = (self.history, list(labels or ("INBOX",)), raw)
        return identity

    def app(self) -> Starlette:
        """Build the application."""
        base = "/gmail/v1/users/me"
        return Starlette(
            routes=[
                Route("/token", self.token, methods=["POST"]),
                Route(f"{base}/profile", self._profile),
                Route(f"{base}/messages", self._list),
                Route(f"{base}/messages/{{identity}}", self._get),
                Route(f"{base}/history", self._history),
            ]
        )

    async def _profile(self, request: Request) -> Response:
        return self.refused(request) or JSONResponse(
            {"emailAddress": "Me@home.example.com", "historyId": str(self.history)}
        )

    async def _list(self, request: Request) -> Response:
        if answer := self.refused(request):
            return answer
        token = request.query_params.get("pageToken", "0")
        if not token.isdigit():
            return google_error(400, "invalidArgument")
        begin = int(token)
        ids = sorted(self.messages, reverse=True)
        found: dict[str, Any] = {
            "messages": [
                {"id": one, "threadId": one} for one in ids[begin : begin + self.page_size]
            ],
            "resultSizeEstimate": len(ids),
        }
        if not found["messages"]:
            del found["messages"]
        if begin + self.page_size < len(ids):
            found["nextPageToken"] = str(begin + self.page_size)
        return JSONResponse(found)

    async def _get(self, request: Request) -> Response:
        if answer := self.refused(request):
            return answer
        identity = request.path_params["identity"]
        if identity not in self.messages:
            return google_error(404, "notFound")
        history, labels, raw = self.messages[identity]
        found: dict[str, Any] = {
            "id": identity,
            "threadId": identity,
            "labelIds": labels,
            "historyId": str(history),
            "internalDate": "1772446320000",
            "sizeEstimate": len(raw),
        }
        if request.query_params.get("format") == "raw":
            found["raw"] = base64.urlsafe_b64encode(raw).decode()
        else:
            head = raw.partition(b"\n\n")[0].decode().split("\n")
            headers = [
                dict(zip(("name", "value"), line.split(": ", 1), strict=True)) for line in head
            ]
            found["payload"] = {"mimeType": "text/plain", "headers": headers}
        return JSONResponse(found)

    async def _history(self, request: Request) -> Response:
        if answer := self.refused(request):
            return answer
        since = int(request.query_params["startHistoryId"])
        if since < self.oldest:
            return google_error(404, "notFound")
        assert request.query_params["historyTypes"] == "messageAdded"
        begin = int(request.query_params.get("pageToken", "0"))
        new = sorted((h, i, labels) for i, (h, labels, _) in self.messages.items() if h > since)
        found: dict[str, Any] = {"historyId": str(self.history)}
        records = [
            {
                "id": str(history),
                "messages": [{"id": identity, "threadId": identity}],
                "messagesAdded": [
                    {"message": {"id": identity, "threadId": identity, "labelIds": labels}}
                ],
            }
            for history, identity, labels in new[begin : begin + self.page_size]
        ]
        if records:
            found["history"] = records
        if begin + self.page_size < len(new):
            found["nextPageToken"] = str(begin + self.page_size)
        return JSONResponse(found)


def graph_message(number: int, sender: str, *recipients: str, **fields: Any) -> dict[str, Any]:
    """Return a message as Graph writes it."""

    def box(address: str) -> dict[str, Any]:
        name = address.partition("@")[0].title()
        return {"emailAddress": {"name": name, "address": address}}

    return {
        "id": f"AAMk{number}",
        "internetMessageId": f"<{number}@graph.example.com>",
        "conversationId": "AAQk1",
        "subject": f"Engines {number}",
        "from": box(sender),
        "sender": box(sender),
        "toRecipients": [box(address) for address in recipients],
        "ccRecipients": [],
        "replyTo": [],
        "sentDateTime": "2026-03-02T10:12:00Z",
        "receivedDateTime": "2026-03-02T10:12:05Z",
        "isDraft": False,
        "body": {"contentType": "text", "content": "Hello\n"},
        "internetMessageHeaders": [],
        **fields,
    }


@dataclass
class FakeGraph(Account):
    """/me, /me/mailFolders and messages/delta of each."""

    base: str = "http://graph.example/v1.0"
    folders: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {"INBOX": [], "SENT": [], "JUNK": [], "SUB": []}
    )
    children: dict[str, str] = field(default_factory=lambda: {"SUB": "INBOX"})
    """Folder → the one that it is in."""
    well_known: dict[str, str] = field(
        default_factory=lambda: {"sentitems": "SENT", "junkemail": "JUNK"}
    )
    forgotten: set[str] = field(default_factory=set)
    """Delta tokens that are valid no more."""
    page_size: int = 2

    def app(self) -> Starlette:
        """Build the application."""
        base = "/v1.0/me"
        return Starlette(
            routes=[
                Route("/common/oauth2/v2.0/token", self.token, methods=["POST"]),
                Route(base, self._me),
                Route(f"{base}/mailFolders", self._folders),
                Route(f"{base}/mailFolders/{{folder}}", self._folder),
                Route(f"{base}/mailFolders/{{folder}}/childFolders", self._folders),
                Route(f"{base}/mailFolders/{{folder}}/messages/delta", self._delta),
            ]
        )

    async def _me(self, request: Request) -> Response:
        return self.refused(request) or JSONResponse(
            {
                "mail": "me@home.example.com",
                "userPrincipalName": "me@home.onmicrosoft.example",
                "otherMails": ["alias@home.example.com"],
            }
        )

    async def _folder(self, request: Request) -> Response:
        if answer := self.refused(request):
            return answer
        identity = self.well_known.get(request.path_params["folder"])
        return JSONResponse({"id": identity}) if identity else graph_error(404, "ErrorItemNotFound")

    async def _folders(self, request: Request) -> Response:
        if answer := self.refused(request):
            return answer
        parent = request.path_params.get("folder")
        found = [
            {
                "id": identity,
                "childFolderCount": sum(one == identity for one in self.children.values()),
            }
            for identity in self.folders
            if self.children.get(identity) == parent
        ]
        begin = int(request.query_params.get("$skip", "0"))
        page: dict[str, Any] = {"value": found[begin : begin + self.page_size]}
        if begin + self.page_size < len(found):
            page["@odata.nextLink"] = (
                f"{self.base}{request.url.path.removeprefix('/v1.0')}"
                f"?$skip={begin + self.page_size}"
            )
        return JSONResponse(page)

    async def _delta(self, request: Request) -> Response:
        if answer := self.refused(request):
            return answer
        folder = request.path_params["folder"]
        if folder not in self.folders:
            return graph_error(404, "ErrorItemNotFound")
        token = request.query_params.get("$deltatoken") or request.query_params.get("$skiptoken")
        if token in self.forgotten:
            return graph_error(410, "syncStateNotFound")
        if token is None:
            assert "internetMessageId" in request.query_params["$select"]
        begin = int(token.rpartition("-")[2]) if token else 0
        messages = self.folders[folder]
        link = f"{self.base}/me/mailFolders/{folder}/messages/delta"
        page: dict[str, Any] = {"value": messages[begin : begin + self.page_size]}
        end = min(begin + self.page_size, len(messages))
        if end < len(messages):
            page["@odata.nextLink"] = f"{link}?$skiptoken=s-{end}"
        else:
            page["@odata.deltaLink"] = f"{link}?$deltatoken=d-{end}"
        return JSONResponse(page)


def told(signals: list[bytes]) -> list[dict[str, Any]]:
    """Return the bodies of signals as JSON."""
    return [orjson.loads(one) for one in signals]
