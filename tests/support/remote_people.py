"""Address books and CRMs as their documents describe them, with people and moods."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.remote_changes import Changing
from tests.support.remote_mail import Account


def google_expired() -> JSONResponse:
    """Answer as the People API does to a sync token that is too old."""
    return JSONResponse(
        {
            "error": {
                "code": 400,
                "status": "FAILED_PRECONDITION",
                "message": "Sync token is expired. Clear local cache and retry call without the "
                "sync token.",
                "details": [
                    {
                        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                        "reason": "EXPIRED_SYNC_TOKEN",
                        "domain": "people.googleapis.com",
                    }
                ],
            }
        },
        400,
    )


@dataclass
class FakePeople(Changing):
    """contactGroups.list and people.connections.list of the Google People API."""

    def put(self, number: int, name: str | None, **said: Any) -> None:
        """Add or change somebody; without a name, delete them."""
        self.clock += 1
        resource = f"people/c{number}"
        person: dict[str, Any] = {"resourceName": resource, "etag": str(self.clock)}
        if name is None:
            person["metadata"] = {"deleted": True}
        else:
            person |= {"metadata": {}, "names": [{"displayName": name}] if name else [], **said}
        self.entries[resource] = (self.clock, person)

    def app(self) -> Starlette:
        """Build the application."""
        return Starlette(
            routes=[
                Route("/token", self.token, methods=["POST"]),
                Route("/v1/contactGroups", self._groups),
                Route("/v1/people/me/connections", self._connections),
            ]
        )

    async def _groups(self, request: Request) -> Response:
        return self.refused(request) or JSONResponse(
            {
                "contactGroups": [
                    {
                        "resourceName": "contactGroups/1",
                        "groupType": "USER_CONTACT_GROUP",
                        "name": "Royal Society",
                        "formattedName": "Royal Society",
                    }
                ]
            }
        )

    async def _connections(self, request: Request) -> Response:
        if answer := self.refused(request):
            return answer
        asked = request.query_params
        assert asked["requestSyncToken"] == "true"
        return self.google_page(
            request,
            "connections",
            is_gone=lambda person: bool(person["metadata"].get("deleted")),
            too_old=google_expired,
        )


@dataclass
class FakeOutlookPeople(Changing):
    """`/me/contacts/delta` of Microsoft Graph."""

    def put(self, number: int, name: str | None, **said: Any) -> None:
        """Add or change somebody; without a name, delete them."""
        self.clock += 1
        person = (
            {"id": f"AAMk{number}", "@removed": {"reason": "deleted"}}
            if name is None
            else {"id": f"AAMk{number}", "displayName": name, **said}
        )
        self.entries[f"AAMk{number}"] = (self.clock, person)

    def app(self) -> Starlette:
        """Build the application."""
        return Starlette(
            routes=[
                Route("/common/oauth2/v2.0/token", self.token, methods=["POST"]),
                Route("/v1.0/me/contacts/delta", self._delta),
            ]
        )

    async def _delta(self, request: Request) -> Response:
        if answer := self.refused(request):
            return answer
        asked = request.query_params
        assert ("$select" in asked) != ("$token" in asked)
        return self.graph_page(request)


@dataclass
class FakeHubSpot(Account):
    """`/crm/v3/objects/contacts` and `/account-info/v3/details` of HubSpot."""

    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    page_size: int = 2

    def put(self, number: int, name: str | None, **said: Any) -> None:
        """Add or change somebody; without a name, delete them."""
        if name is None:
            del self.people[str(number)]
            return
        self.people[str(number)] = {
            "id": str(number),
            "archived": False,
            "properties": {"firstname": name, **said},
        }

    def app(self) -> Starlette:
        """Build the application."""
        return Starlette(
            routes=[
                Route("/oauth/v1/token", self.token, methods=["POST"]),
                Route("/account-info/v3/details", self._account),
                Route("/crm/v3/objects/contacts", self._list),
            ]
        )

    async def _account(self, request: Request) -> Response:
        return self.refused(request) or JSONResponse({"portalId": 62515, "timeZone": "UTC"})

    async def _list(self, request: Request) -> Response:
        if answer := self.refused(request):
            return answer
        assert "email" in request.query_params["properties"].split(",")
        begin = int(request.query_params.get("after", "0"))
        found: dict[str, Any] = {
            "results": list(self.people.values())[begin : begin + self.page_size]
        }
        if begin + self.page_size < len(self.people):
            found["paging"] = {"next": {"after": str(begin + self.page_size), "link": "…"}}
        return JSONResponse(found)


@dataclass
class FakeSalesforce(Account):
    """`queryAll` of the Salesforce REST API; a record changes with every second of its clock."""

    people: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    clock: int = 0
    page_size: int = 2

    def put(self, number: int, name: str | None, **said: Any) -> None:
        """Add or change somebody; without a name, delete them."""
        self.clock += 1
        minute = f"2026-03-01T10:{self.clock:02}:00.000+0000"
        before = self.people.get(str(number), (0, {}))[1]
        self.people[str(number)] = (
            self.clock,
            {
                **before,
                **({"Name": name} if name else {}),
                **said,
                "Id": f"003{number}",
                "IsDeleted": name is None,
                "SystemModstamp": minute,
            },
        )

    def app(self) -> Starlette:
        """Build the application."""
        return Starlette(
            routes=[
                Route("/services/oauth2/token", self.token, methods=["POST"]),
                Route("/services/data/v60.0/queryAll", self._query),
                Route("/services/data/v60.0/query/{locator}", self._more),
            ]
        )

    async def _query(self, request: Request) -> Response:
        if answer := self.refused(request):
            return answer
        soql = request.query_params["q"]
        assert soql.startswith("SELECT Id, IsDeleted, ")
        assert soql.endswith(" ORDER BY SystemModstamp, Id")
        if "IsDeleted = false" in soql:
            return self._page([one for _, one in self._ordered() if not one["IsDeleted"]], 0)
        since = soql.partition("SystemModstamp >= ")[2].partition("Z")[0]
        return self._page(
            [one for _, one in self._ordered() if one["SystemModstamp"][:19] >= since], 0
        )

    async def _more(self, request: Request) -> Response:
        if answer := self.refused(request):
            return answer
        ids, _, begin = request.path_params["locator"].partition("-")
        known = {one["Id"]: one for _, one in self._ordered()}
        return self._page([known[one] for one in ids.split(".")], int(begin))

    def _ordered(self) -> list[tuple[int, dict[str, Any]]]:
        return sorted(self.people.values(), key=lambda one: one[0])

    def _page(self, told: Iterable[dict[str, Any]], begin: int) -> JSONResponse:
        records = list(told)
        end = begin + self.page_size
        found: dict[str, Any] = {
            "totalSize": len(records),
            "done": end >= len(records),
            "records": records[begin:end],
        }
        if end < len(records):
            locator = ".".join(one["Id"] for one in records)
            found["nextRecordsUrl"] = f"/services/data/v60.0/query/{locator}-{end}"
        return JSONResponse(found)
