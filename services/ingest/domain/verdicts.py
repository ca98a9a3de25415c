"""What HTTP callers are told about each of their signals."""

import base64
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.ingest.domain.mapping import Normalized
from shared.errors import DeadLetterReason, PoisonMessageError

_ASSUMED = "is read in an assumed region; declare phone_region or write the country code"


class Answer(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True)


class Warn(Answer):
    """A value that was left out or taken with an assumption."""

    field: str = Field(description="Dotted path into the signal.", examples=["phones.0.value"])
    reason: str = Field(description="What is wrong and what would be right.")


class Fault(Answer):
    """Why a signal was refused."""

    reason: DeadLetterReason
    field: str = Field(description="Dotted path into the signal; empty: the signal as a whole.")
    detail: str = Field(description="What is wrong and what would be right.")


class Verdict(Answer):
    """What became of one signal."""

    index: int = Field(description="Place in the request, from 0.")
    status: Literal["accepted", "rejected"]
    signal_id: str | None = Field(default=None, description="Names the signal in events.")
    position: str | None = Field(
        default=None, description="Give it to a read as `Kith-Position` to read your write."
    )
    warnings: tuple[Warn, ...] = ()
    error: Fault | None = None


class Verdicts(Answer):
    """What became of each signal of a request, in its order."""

    accepted: int
    rejected: int
    signals: tuple[Verdict, ...]


def position(normalized: Normalized) -> str:
    """Write the token of a signal's position: its record and its content; or of its companies."""
    raw = normalized.waited or normalized.record_key + normalized.content_hash
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def accepted(index: int, signal_id: str, normalized: Normalized) -> Verdict:
    """Say that a signal is on its way."""
    left_out = [Warn(**value) for value in normalized.rejected]
    assumed = [Warn(field=place, reason=_ASSUMED) for place in normalized.assumed]
    return Verdict(
        index=index,
        status="accepted",
        signal_id=signal_id,
        position=position(normalized),
        warnings=(*left_out, *assumed),
    )


def refused(index: int, error: PoisonMessageError) -> Verdict:
    """Say why a signal was refused."""
    fault = Fault(reason=error.reason, field=error.field, detail=error.detail)
    return Verdict(index=index, status="rejected", error=fault)
