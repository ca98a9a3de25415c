"""Requests that carry an `Idempotency-Key`: carried out once, however often they are sent.

draft-ietf-httpapi-idempotency-key-header. Names and answers are kept in PostgreSQL, where all
replicas see them and a restart of Redis forgets none; each API key has its own names.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Literal

import orjson
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from ulid import ULID

from shared.postgres.errors import translated
from shared.postgres.pool import Pool

CLAIM_SECONDS: Final = 120.0
"""How long an attempt may take until another may begin: its process may have died."""

MAX_ANSWER: Final = 1 << 20
"""Bytes of the largest answer that is kept; of a larger one only that it was given."""

_NAME: Final = re.compile(r'"([\x21\x23-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})')
"""A structured string, as the draft has it, or bare, as most clients send it."""

Outcome = Literal["new", "differs", "running", "done"]


class IdempotencySettings(BaseSettings):
    """How long answers are kept, from `IDEMPOTENCY_…`."""

    model_config = SettingsConfigDict(env_prefix="IDEMPOTENCY_", frozen=True, env_ignore_empty=True)

    hours: float = Field(
        default=24.0, gt=0, le=720, description="How long the answer to a request is given again."
    )


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose request it is."""

    tenant_id: int
    workspace_id: int
    key_id: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was given."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | None
    """None: it was too large to be kept."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What is known of a name."""

    outcome: Outcome
    claim: str = ""
    """Names this attempt, where it may begin."""
    kept: Kept | None = None


def read_name(header: str) -> str | None:
    """Read the name that a header gives; None: it gives none."""
    match = _NAME.fullmatch(header.strip())
    return (match[1] or match[2]) if match else None


def fingerprint(method: str, path: str, query: bytes, content_type: str, body: bytes) -> bytes:
    """Tell requests apart: SHA-256 of all that says what is wanted."""
    digest = hashlib.sha256()
    for part in (method.encode(), path.encode(), query, content_type.encode(), body):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


class Answers:
    """The names that were used, and the answers that were given."""

    def __init__(self, pool: Pool, settings: IdempotencySettings) -> None:
        self._pool = pool
        self._kept_seconds = settings.hours * 3600

    async def begin(self, asker: Asker, name: str, request: bytes) -> Begun:
        """Claim a name for a request, or learn what became of it."""
        claim = str(ULID())
        with translated():
            row = await self._pool.fetchrow(
                "SELECT * FROM app.begin_idempotent($1, $2, $3, $4, $5, $6, $7, $8)",
                asker.tenant_id,
                asker.workspace_id,
                asker.key_id,
                name,
                request,
                claim,
                CLAIM_SECONDS,
                self._kept_seconds,
            )
        if row is None:  # it was answered and has expired in this very moment
            return Begun("running")
        if row["outcome"] != "done":
            return Begun(row["outcome"], claim)
        headers = [(key, value) for key, value in orjson.loads(row["headers"])]
        return Begun("done", kept=Kept(row["status"], headers, row["body"]))

    async def end(self, asker: Asker, name: str, claim: str, answer: Kept | None) -> None:
        """Keep the answer; None: there is none to keep, and the request may be tried anew."""
        with translated():
            await self._pool.execute(
                "SELECT app.end_idempotent($1, $2, $3, $4, $5, $6)",
                asker.key_id,
                name,
                claim,
                answer.status if answer else None,
                orjson.dumps(answer.headers).decode() if answer else None,
                answer.body if answer else None,
            )
