"""The review queue and the reasons for decisions as JSON:API: parameters, resources, orders."""

import math
from collections.abc import Mapping
from typing import Any, Final, Self, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.api.domain.contacts import ROOT, Resource, contact_path
from services.api.domain.documents import CursorMeta, JsonApi, Links, Part
from services.api.domain.paging import PAGE_ALIASES, PageRequest, encode_cursor, parse_page
from services.api.domain.parameters import Parameters
from services.api.domain.position import WAIT_PARAMETER, ContactPosition, encode_position
from services.api.domain.problems import Problem, RequestError, bad_parameter

QUEUE_SORT: Final = "-value"
"""The one order of the queue: what is worth most first."""
STATUSES: Final = ("open", "approved", "rejected", "retired", "auto_merged")
TIERS: Final = ("exact", "high", "medium", "low", "none")
QUEUE_PARAMETERS: Final = frozenset(
    {
        "page[size]",
        "page[after]",
        "filter[state]",
        "filter[tier]",
        "filter[least_score]",
        "filter[contact]",
        WAIT_PARAMETER,
    }
)
"""What the queue may be asked. It is read forwards only: its order changes as people decide."""
QUEUE_ALIASES: Final = {
    name: alias for name, alias in PAGE_ALIASES.items() if alias in QUEUE_PARAMETERS
}
ANSWER_PARAMETERS: Final = frozenset({WAIT_PARAMETER})
"""What a single answer may be asked."""
MOST_BYTES: Final = 65_536
"""The largest body of a decision."""
MOST_SPLIT_BYTES: Final = 262_144
"""The largest body of a split, which may name a thousand records and identifiers each."""


class PairAttributes(Part):
    """A pair of contacts that may be one person."""

    contacts: tuple[dict[str, Any], ...] = Field(
        description="Both, with their versions: a decision names the versions that were seen."
    )
    status: str
    reason: str = Field(description="Why the pair was put up: `alike`, `names_in_conflict`, …")
    tier: str | None = None
    score: float | None = Field(default=None, description="0.0 to 1.0; null where none is known.")
    stake: int = Field(description="Records of both contacts and workspaces that know them.")
    value: float = Field(description="Score times stake: the order of the queue.")
    named: tuple[dict[str, str], ...] = ()
    created_at: str
    reviewed_at: str | None = None
    words: str | None = Field(default=None, description="The case in a sentence or two.")
    values: tuple[dict[str, Any], ...] | None = Field(
        default=None, description="Both contacts' values, side by side, each with who says so."
    )
    evidence: dict[str, Any] | None = Field(
        default=None, description="Signals with weights, vetoes, thresholds in force."
    )


class Pair(Part):
    """The resource `merge_candidates`."""

    type: str = "merge_candidates"
    id: str
    attributes: PairAttributes
    links: dict[str, str]
    meta: CursorMeta | None = None


class Explanation(Part):
    """The resources `merge_reasons`, `merge_comparisons`, `merge_previews` and `contact_steps`."""

    type: str
    id: str
    attributes: dict[str, Any]
    links: dict[str, str]


class PairDocument(Part):
    """One pair."""

    jsonapi: JsonApi
    links: Links
    data: Pair


class ExplanationDocument(Part):
    """One answer about contacts."""

    jsonapi: JsonApi
    links: Links
    data: Explanation


class Outcome(Part):
    """What came of a decision."""

    outcome: str = Field(description="`done`, or `unchanged`: it was so already.")
    command_id: str
    merge_id: str | None = None
    versions: dict[str, int] = Field(description="Contact → the version that tells of it.")
    positions: dict[str, str] = Field(description="Contact → what a read may wait for.")
    unassigned: tuple[str, ...] = Field(
        default=(), description="Records that stayed since nothing assigns them to either side."
    )


class OutcomeDocument(Part):
    """The answer to a decision."""

    jsonapi: JsonApi
    links: Links
    meta: Outcome


class _Decided(BaseModel):
    """What every decision says, in `meta` of its body."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    versions: dict[str, int] = Field(min_length=1, max_length=2)
    """Contact → version that was seen."""
    reason: str | None = Field(default=None, max_length=500)
    command_id: str | None = None
    """`cmd_…`: the same decision sent again is carried out once."""

    def saw(self, one: str, other: str) -> bool:
        """Tell whether these two contacts, and no others, were seen."""
        return one != other and self.versions.keys() == {one, other}

    def order(self, **named: Any) -> dict[str, Any]:
        """Write the resolver's order; `named` says whom it concerns."""
        order = {**named, "expected": self.versions, "reason": self.reason}
        return order if self.command_id is None else {**order, "command_id": self.command_id}


class Decision(_Decided):
    """A decision about a pair of the queue."""


class Merging(_Decided):
    """An order to merge two contacts."""

    survivor_id: str
    absorbed_id: str


class Splitting(_Decided):
    """An order to take a contact apart; without a choice its newest merge is undone."""

    contact_id: str
    merge_id: str | None = None
    records: tuple[str, ...] = Field(default=(), max_length=1_000)
    identifiers: tuple[dict[str, str], ...] = Field(default=(), max_length=1_000)

    @model_validator(mode="after")
    def _is_one_order(self) -> Self:
        """Refuse a choice of nothing, which is no wish to undo a merge, and one beside a merge."""
        if self.model_fields_set.isdisjoint({"records", "identifiers"}):
            return self
        if self.merge_id is not None or not (self.records or self.identifiers):
            raise ValueError("either a merge or a choice")
        return self


_Body = TypeVar("_Body", bound=_Decided)


def parse_queue(parameters: Parameters) -> tuple[PageRequest, dict[str, Any]]:
    """Read a page of the queue, and the question to the resolver that it means."""
    page = parse_page(parameters, QUEUE_SORT, 2)
    query: dict[str, Any] = {
        "status": list(parameters.choices("filter[state]", STATUSES)) or ["open"],
        "limit": page.size + 1,
    }
    if tiers := parameters.choices("filter[tier]", TIERS):
        query["tier"] = list(tiers)
    if (least := parameters.some("filter[least_score]")) is not None:
        query["least"] = _score(parameters, least)
    if (contact := parameters.some("filter[contact]")) is not None:
        query["contact"] = contact
    if page.after is not None:
        query["after_value"], query["after_number"] = _after(page.after)
    return page, query


def _score(parameters: Parameters, text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not 0.0 <= score <= 1.0:
        raise parameters.refuse("filter[least_score]", "A number from 0 to 1.")
    return score


def _after(cursor: tuple[str, ...]) -> tuple[float, int]:
    try:
        value, number = float(cursor[0]), int(cursor[1])
    except ValueError:
        raise bad_parameter("page[after]", "Use a cursor of this list.") from None
    if not math.isfinite(value) or not 0 <= number < 2**63:
        raise bad_parameter("page[after]", "Use a cursor of this list.")
    return value, number


def queue_cursor(pair: Mapping[str, Any]) -> str:
    """Write a cursor to a pair."""
    return encode_cursor(QUEUE_SORT, [repr(float(pair["value"])), str(pair["number"])])


def pair_resource(pair: Mapping[str, Any], cursor: str | None = None) -> Resource:
    """Write a pair; of the list without what only a case shows."""
    attributes = PairAttributes.model_validate(
        {name: value for name, value in pair.items() if name in PairAttributes.model_fields}
    )
    resource: Resource = {
        "type": "merge_candidates",
        "id": pair["id"],
        "attributes": attributes.model_dump(mode="json", exclude_unset=True),
        "links": {"self": f"{ROOT}/merge-candidates/{pair['id']}"},
    }
    if cursor is not None:
        resource["meta"] = {"page": {"cursor": cursor}}
    return resource


def explanation(kind: str, contact: str, path: str, said: Mapping[str, Any]) -> Resource:
    """Write an answer of the resolver as a resource of its contact."""
    return {
        "type": kind,
        "id": said.get("id", contact),
        "attributes": {name: value for name, value in said.items() if name != "id"},
        "links": {"self": f"{contact_path(contact)}/{path}"},
    }


def parse_decision(pair: str, body: bytes) -> dict[str, Any]:
    """Read a decision about a pair as the resolver's order; it has to name what was seen."""
    left, _, right = pair.partition(".")
    decision = _read(Decision, body)
    if decision is None or not decision.saw(left, right):
        raise _bad_body(
            'Send {"meta": {"versions": {"con_…": 3, "con_…": 5}, "reason": "…"}} with '
            "both contacts and the versions that were seen."
        )
    return decision.order(contact_id=left, other_id=right)


def parse_merging(body: bytes) -> dict[str, Any]:
    """Read an order to merge two contacts as the resolver's."""
    asked = _read(Merging, body)
    if asked is None or not asked.saw(asked.survivor_id, asked.absorbed_id):
        raise _bad_body(
            'Send {"meta": {"survivor_id": "con_…", "absorbed_id": "con_…", "versions": '
            '{"con_…": 3, "con_…": 5}, "reason": "…"}} with both contacts and the versions that '
            "were seen."
        )
    return asked.order(contact_id=asked.survivor_id, absorbed_id=asked.absorbed_id)


def parse_splitting(body: bytes) -> dict[str, Any]:
    """Read an order to take a contact apart as the resolver's."""
    asked = _read(Splitting, body)
    if asked is None or asked.contact_id not in asked.versions:
        raise _bad_body(
            'Send {"meta": {"contact_id": "con_…", "versions": {"con_…": 3}}} with the version '
            'that was seen. To undo a merge, add "merge_id" or nothing (the newest merge); to '
            'take something out, add "records" or "identifiers" ({"type": "email", "value": '
            '"…"}) instead, with one of them at least.'
        )
    return asked.order(
        contact_id=asked.contact_id,
        merge_id=asked.merge_id,
        records=asked.records,
        identifiers=asked.identifiers,
    )


def _read(model: type[_Body], body: bytes) -> _Body | None:
    try:
        return model.model_validate(orjson.loads(body)["meta"])
    except (orjson.JSONDecodeError, LookupError, TypeError, ValidationError):
        return None


def _bad_body(detail: str) -> RequestError:
    return RequestError([Problem(400, "invalid_body", "Invalid body", detail)])


def decision_meta(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Tell what came of a decision, with the positions that a read may wait for."""
    versions: Mapping[str, int] = answer["positions"]
    positions = {
        contact: encode_position(ContactPosition(contact, version))
        for contact, version in versions.items()
    }
    return Outcome(
        outcome=answer["outcome"],
        command_id=answer["command_id"],
        merge_id=answer["merge_id"],
        versions=dict(versions),
        positions=positions,
        unassigned=tuple(answer.get("unassigned", ())),
    ).model_dump(mode="json")
