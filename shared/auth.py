"""Who is calling, and which tenant and workspace a name stands for.

Over HTTP an API key decides both; on Kafka a signal names them by their public ids. Both ways end
in the same bigints, which every statement and every row-level policy is about.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, get_args

from ulid import ULID

from shared.errors import PoisonMessageError
from shared.postgres.errors import translated
from shared.postgres.pool import Pool

Scope = Literal["contacts:read", "contacts:write", "contacts:erase", "signals:write"]
"""What an API key may do: read contacts, order changes to them, send signals."""

SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
"""All scopes, for the command line and the docs."""

KEY_CACHE_SECONDS: Final = 30.0
"""How long an answer about a key is kept: a revoked key dies within this time."""

PLACE_CACHE_SECONDS: Final = 60.0
"""How long the tenants and workspaces are kept; one that is not among them is looked up at once."""

UNKNOWN_PLACE_SECONDS: Final = 1.0
"""How long a place stays unknown without another look: a flood of one bad id costs one query.

Each id is held to this by itself. To take it for unknown as others were looked up a moment ago
would set aside the first signals of a new workspace.
"""

UNKNOWN_PLACES_SIZE: Final = 10_000
"""Most unknown places remembered: a flood of made-up ids must not eat the memory."""

KEY_CACHE_SIZE: Final = 10_000
"""Most keys remembered: a flood of made-up keys must not eat the memory."""

_TOKEN = re.compile(r"kith_([0-9A-HJKMNP-TV-Z]{26})_([0-9a-f]{64})")
_PLACE_ID = re.compile(r"(ten|wsp)_[0-9A-HJKMNP-TV-Z]{26}")
_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)

Clock = Callable[[], float]
"""Seconds that only grow, for the age of what is remembered."""


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace of a tenant: the bigints for SQL, the public ids for the wire."""

    tenant_id: int
    workspace_id: int
    tenant: str
    workspace: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom an API key speaks for, and what it may do."""

    tenant_id: int
    tenant: str
    workspace_id: int
    workspace: str
    scopes: frozenset[str]
    key_id: str
    user_id: str | None = None
    """Whose key it is; None: nobody's in particular."""
    user_number: int | None = None
    """The same user in `app.user_account`: what a person changed names this number."""
    per_minute: int | None = None
    """Requests a minute, where the key has a limit of its own."""
    per_day: int | None = None
    """Requests in any 24 hours; None: not counted."""

    @property
    def place(self) -> Place:
        """Where the caller's data are."""
        return Place(self.tenant_id, self.workspace_id, self.tenant, self.workspace)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: the token is shown once, the database gets the hash."""

    public_id: str
    token: str
    hash: bytes


def new_key() -> NewKey:
    """Make an API key: `kith_<id>_<256 random bits>`."""
    ulid = str(ULID())
    token = f"kith_{ulid}_{secrets.token_hex(32)}"
    return NewKey(public_id=f"key_{ulid}", token=token, hash=hash_token(token))


def hash_token(token: str) -> bytes:
    """Hash a token for rest: SHA-256 is enough for 256 random bits, and costs a microsecond."""
    return hashlib.sha256(token.encode()).digest()


def bearer_token(authorization: str | None) -> str | None:
    """Read the token of an `Authorization: Bearer …` header (RFC 6750)."""
    match = _BEARER.fullmatch(authorization or "")
    return match[1] if match else None


@dataclass(frozen=True, slots=True)
class _Remembered:
    until: float
    caller: Caller | None


class KeyRing:
    """Checks API keys against schema `app`, remembering each answer for half a minute."""

    def __init__(self, pool: Pool, *, clock: Clock = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._remembered: dict[bytes, _Remembered] = {}

    async def check(self, token: str) -> Caller | None:
        """Tell whom a token speaks for; None when it is unknown, expired or revoked."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        digest = hash_token(token)
        now = self._clock()
        found = self._remembered.get(digest)
        if found is None or found.until <= now:
            found = await self._look_up(f"key_{match[1]}", digest, now)
            self._remember(digest, found)
        return found.caller

    async def _look_up(self, public_id: str, digest: bytes, now: float) -> _Remembered:
        with translated():
            row = await self._pool.fetchrow("SELECT * FROM app.find_api_key($1)", public_id)
        if row is None or not hmac.compare_digest(row["hash"], digest):
            return _Remembered(now + KEY_CACHE_SECONDS, None)
        until = now + KEY_CACHE_SECONDS
        if row["expires_at"] is not None:
            left = (row["expires_at"] - datetime.now(UTC)).total_seconds()
            until = min(until, now + left)
        caller = Caller(
            tenant_id=row["tenant_id"],
            tenant=row["tenant"],
            workspace_id=row["workspace_id"],
            workspace=row["workspace"],
            scopes=frozenset(row["scopes"]),
            key_id=row["public_id"],
            user_id=row["user_id"],
            user_number=row["user_number"],
            per_minute=row["per_minute"],
            per_day=row["per_day"],
        )
        return _Remembered(until, caller)

    def _remember(self, digest: bytes, found: _Remembered) -> None:
        self._remembered.pop(digest, None)
        if len(self._remembered) >= KEY_CACHE_SIZE:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[digest] = found


class Directory:
    """Turns public ids of tenants and workspaces into places; all of them fit in memory."""

    def __init__(self, pool: Pool, *, clock: Clock = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._places: dict[tuple[str, str], Place] = {}
        self._read_at: float | None = None
        self._unknown: dict[tuple[str | None, str | None], float] = {}

    async def resolve(self, tenant: str | None, workspace: str | None) -> Place:
        """Find the place that a signal names.

        A part left out is filled in where only one choice is left: an install with one tenant
        of one workspace needs neither. Raises `PoisonMessageError("unknown_tenant")` otherwise.
        """
        now = self._clock()
        if self._read_at is None or now - self._read_at >= PLACE_CACHE_SECONDS:
            self._places = await self._read(None, None)
            self._read_at = now
        place = self._match(tenant, workspace)
        if place is None and self._may_look(tenant, workspace, now):
            self._places |= await self._read(tenant, workspace)
            place = self._match(tenant, workspace)
        if place is None:
            raise _unknown(tenant, workspace)
        return place

    def _match(self, tenant: str | None, workspace: str | None) -> Place | None:
        if tenant is not None and workspace is not None:
            return self._places.get((tenant, workspace))
        fitting = [
            place
            for place in self._places.values()
            if tenant in (None, place.tenant) and workspace in (None, place.workspace)
        ]
        return fitting[0] if len(fitting) == 1 else None

    def _may_look(self, tenant: str | None, workspace: str | None, now: float) -> bool:
        named = (tenant, workspace)
        if not all(one is None or _PLACE_ID.fullmatch(one) for one in named):
            return False
        if now - self._unknown.get(named, -UNKNOWN_PLACE_SECONDS) < UNKNOWN_PLACE_SECONDS:
            return False
        self._unknown.pop(named, None)
        if len(self._unknown) >= UNKNOWN_PLACES_SIZE:
            del self._unknown[next(iter(self._unknown))]
        self._unknown[named] = now
        return True

    async def _read(
        self, tenant: str | None, workspace: str | None
    ) -> dict[tuple[str, str], Place]:
        with translated():
            rows = await self._pool.fetch(
                "SELECT tenant.id AS tenant_id, tenant.public_id::text AS tenant,"
                " workspace.id AS workspace_id, workspace.public_id::text AS workspace"
                " FROM app.workspace AS workspace"
                " JOIN app.tenant AS tenant ON tenant.id = workspace.tenant_id"
                " WHERE ($1::text IS NULL OR tenant.public_id = $1)"
                " AND ($2::text IS NULL OR workspace.public_id = $2)",
                tenant,
                workspace,
            )
        return {(row["tenant"], row["workspace"]): Place(**dict(row)) for row in rows}


def _unknown(tenant: str | None, workspace: str | None) -> PoisonMessageError:
    if tenant is None and workspace is None:
        field, detail = "tenant", "is missing, and this install has several; give `ten_…`"
    elif tenant is None:
        field, detail = "workspace", "is not known here; `kith tenants list` shows them"
    elif workspace is None:
        field, detail = "workspace", "is missing, and the tenant is unknown or has several"
    else:
        field, detail = "workspace", "this tenant and workspace are not known here"
    return PoisonMessageError("unknown_tenant", detail, field=field)
