"""Calendars at Google and Microsoft as their documents describe them, with moods."""

from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.remote_changes import Changing
from tests.support.remote_mail import google_error, graph_error

ME = "me@home.example.com"


@dataclass
class FakeCalendar(Changing):
    """`events.list` of the Google Calendar API v3, with `singleEvents`."""

    def put(self, name: str, day: str | None, title: str = "Engine", **said: Any) -> None:
        """Add or change a meeting with Ada on a day; without a day, delete it."""
        self.clock += 1
        event: dict[str, Any] = {"kind": "calendar#event", "id": name, "status": "cancelled"}
        if day is not None:
            event |= {
                "status": "confirmed",
                "iCalUID": f"{name}@google.com",
                "summary": title,
                "updated": f"2026-03-01T10:{self.clock:02}:00.000Z",
                "start": {"dateTime": f"{day}T12:00:00+01:00", "timeZone": "Europe/Berlin"},
                "end": {"dateTime": f"{day}T13:00:00+01:00"},
                "organizer": {"email": ME, "self": True},
                "attendees": [
                    {"email": ME, "self": True, "organizer": True, "responseStatus": "accepted"},
                    {
                        "email": "ada@x.example",
                        "displayName": "Ada Lovelace",
                        "responseStatus": "needsAction",
                    },
                    {"email": "room@resource.calendar.google.com", "resource": True},
                ],
                **said,
            }
        self.entries[name] = (self.clock, event)

    def app(self) -> Starlette:
        """Build the application."""
        return Starlette(
            routes=[
                Route("/token", self.token, methods=["POST"]),
                Route("/calendar/v3/calendars/primary/events", self._list),
            ]
        )

    async def _list(self, request: Request) -> Response:
        if answer := self.refused(request):
            return answer
        asked = request.query_params
        assert asked["singleEvents"] == "true"
        assert ("syncToken" in asked) != ("timeMin" in asked), "no window with a sync token"
        return self.google_page(
            request,
            "items",
            is_gone=lambda event: "start" not in event,
            too_old=lambda: google_error(410, "fullSyncRequired"),
        )


@dataclass
class FakeOutlookCalendar(Changing):
    """`/me/calendarView/delta` and `/me/events` of Microsoft Graph."""

    def put(self, name: str, day: str | None, title: str = "Engine", **said: Any) -> None:
        """Add or change a meeting with Ada on a day; without a day, delete it."""
        self.clock += 1
        event: dict[str, Any] = {"id": name, "@removed": {"reason": "deleted"}}
        if day is not None:
            event = {
                "id": name,
                "type": "singleInstance",
                "iCalUId": f"{name}@google.com",
                "subject": title,
                "lastModifiedDateTime": f"2026-03-01T10:{self.clock:02}:00Z",
                "start": {"dateTime": f"{day}T11:00:00.0000000", "timeZone": "UTC"},
                "end": {"dateTime": f"{day}T12:00:00.0000000", "timeZone": "UTC"},
                "organizer": {"emailAddress": {"name": "Me", "address": ME.upper()}},
                "attendees": [
                    {
                        "type": "required",
                        "status": {"response": "none"},
                        "emailAddress": {"name": "Ada Lovelace", "address": "ada@x.example"},
                    },
                    {"type": "resource", "emailAddress": {"address": "room@x.example"}},
                ],
                **said,
            }
        self.entries[name] = (self.clock, event)

    def app(self) -> Starlette:
        """Build the application."""
        return Starlette(
            routes=[
                Route("/common/oauth2/v2.0/token", self.token, methods=["POST"]),
                Route("/v1.0/me", self._me),
                Route("/v1.0/me/events/{name}", self._event),
                Route("/v1.0/me/calendarView/delta", self._delta),
            ]
        )

    async def _me(self, request: Request) -> Response:
        return self.refused(request) or JSONResponse({"mail": ME, "userPrincipalName": ME})

    async def _event(self, request: Request) -> Response:
        if answer := self.refused(request):
            return answer
        found = self.entries.get(request.path_params["name"])
        return JSONResponse(found[1]) if found else graph_error(404, "ErrorItemNotFound")

    async def _delta(self, request: Request) -> Response:
        if answer := self.refused(request):
            return answer
        asked = request.query_params
        assert ("startDateTime" in asked) != ("$token" in asked)
        assert "$select" not in asked, "not supported by this function"
        assert 'outlook.timezone="UTC"' in request.headers["prefer"]
        return self.graph_page(request)
