"""What a tenant decides by, and what an audit of it found."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

import orjson
from fastapi import Request, Response
from msgspec import Struct
from msgspec.json import Decoder

from services.resolver.domain.policies import tell_settings, tell_version
from services.resolver.routes.answers import ProblemError, body_of, decoded, object_of, said
from services.resolver.routes.gate import Asker, Orderer
from services.resolver.store import Store
from services.resolver.store.audits import AuditFinding

MOST_FINDINGS: Final = 500
"""Pairs that are put up for review at once."""


class FoundPair(Struct, frozen=True):
    """A pair that an audit found."""

    contacts: tuple[str, str]
    score: float


class Findings(Struct, frozen=True):
    """What an audit found."""

    findings: list[FoundPair]


_decode_findings: Final = Decoder(Findings).decode


async def get_policy(request: Request, asker: Asker) -> Response:
    """Tell what the tenant decides by, and which versions of the weights it has."""
    store: Store = request.app.state.store
    async with store.transaction() as tx:
        policies = tx.policies(asker.place.tenant_id)
        told = tell_settings(await policies.settings())
        versions = [tell_version(*one) for one in await policies.versions()]
    return said({"tenant": asker.tenant, **told, "weights": versions})


async def put_policy(request: Request, caller: Orderer) -> Response:
    """Change what the tenant decides by, for later matches; what is not named stays."""
    wishes = object_of(await body_of(request))
    store: Store = request.app.state.store
    async with store.transaction(caller.user_number) as tx:
        new = await tx.policies(caller.place.tenant_id).change(wishes)
    if new is None:
        raise ProblemError(HTTPStatus.CONFLICT, "changed since it was looked at: nothing was done")
    return said(tell_settings(new))


async def post_weights(request: Request, caller: Orderer) -> Response:
    """Keep a table of weights as a new version; it is in force once the settings name it."""
    table = object_of(await body_of(request))
    if table.get("tenant", caller.tenant) != caller.tenant:
        raise ProblemError(HTTPStatus.CONFLICT, "the API key is of another tenant", "tenant")
    learned_from = table.get("learned_from", {})
    if not isinstance(learned_from, dict):
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "must be an object of counts", "learned_from"
        )
    store: Store = request.app.state.store
    async with store.transaction(caller.user_number) as tx:
        policies = tx.policies(caller.place.tenant_id)
        version = await policies.keep_weights(table.get("weights"), learned_from)
    return Response(
        orjson.dumps({"version": version}), HTTPStatus.CREATED, media_type="application/json"
    )


async def post_findings(request: Request, caller: Orderer) -> Response:
    """Put pairs that an audit found into the review queue, with the tenant's own evidence."""
    asked = decoded(_decode_findings, await body_of(request), "findings")
    if len(asked.findings) > MOST_FINDINGS:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"send at most {MOST_FINDINGS}", "findings"
        )
    if not all(0.0 <= one.score <= 1.0 for one in asked.findings):
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "must be a probability from 0 to 1", "findings.score"
        )
    store: Store = request.app.state.store
    now = datetime.now(UTC)
    async with store.transaction(caller.user_number) as tx:
        audits = tx.audits(caller.place.tenant_id)
        chosen = await audits.choose(
            [AuditFinding(*one.contacts, one.score) for one in asked.findings]
        )
        await tx.lock_contacts({one for found in chosen.decisions for one in found.pair})
        scores = await audits.put_up(chosen, now)
        await tx.tell_alike(scores, caller.tenant, now, now)
    return said(chosen.told)
