"""A request to ask a vendor: as it is recorded, and as it is picked up."""

from dataclasses import dataclass

from services.enricher.domain.lifecycle import Call, Reason, Status
from services.enricher.domain.question import Question
from shared.events.fold import ContactState


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request as it is first recorded."""

    public_id: str
    tenant_id: int
    workspace_id: int
    contact_id: str
    source: str
    idempotency_key: str
    question: Question | None
    traceparent: str | None = None
    status: Status = "pending"
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A request that was picked up: the call may begin, once."""

    id: int
    public_id: str
    tenant: str
    workspace: str
    contact_id: str
    source: str
    question: Question
    call: Call
    traceparent: str | None


def automatic_key(contact_id: str, source: str, question: Question) -> str:
    """Name the question of a rule: the same contact, vendor and input is the same question."""
    return f"auto:{source}:{contact_id}:{question.version(contact_id)}"


def admission(state: ContactState | None) -> tuple[Status, Reason | None, Question | None]:
    """Say how an ordered request starts: waiting for its call, or failed as ineligible at once."""
    if state is None:
        return "failed", "unknown_contact", None
    question = Question.about(state)
    if not question.answerable:
        return "failed", "missing_input", None
    return "pending", None, question
