"""What one line of a log of calls or messages tells, whichever way the log is written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from services.ingest.sources.happened import Happened, Passed, Reading

Kind = Literal["call", "message"]
Direction = Literal["inbound", "outbound"]

WAYS: Final[Mapping[str, tuple[Direction, str | None]]] = {
    "1": ("inbound", "answered"),
    "2": ("outbound", None),
    "3": ("inbound", "missed"),
    "4": ("inbound", "voicemail"),
    "5": ("inbound", "declined"),
    "6": ("inbound", "declined"),
}
"""Android's number for a type of call → direction and status."""

_ROLES: Final = {
    ("call", "inbound"): "caller",
    ("call", "outbound"): "callee",
    ("message", "inbound"): "from",
    ("message", "outbound"): "to",
}

SNIPPET: Final = 500
"""Characters of a message that are kept."""

_LONGEST_SPAN: Final = 40
"""Characters that say how long something took; more are damage, and slow to look through."""

_SPAN = re.compile(r"(?:(\d{1,8}):)?(\d{1,3}):(\d{2})")
_UNITS = re.compile(
    r"(?:(\d{1,8})\s*h\w*\.?)?[\s,]*(?:(\d{1,8})\s*m\w*\.?)?[\s,]*(?:(\d{1,8})\s*s\w*\.?)?",
    re.IGNORECASE,
)


_EPOCH = re.compile(r"\d{9,10}|\d{12,13}")
_WITHHELD: Final = frozenset({"-1", "-2", "-3"})
"""What Android writes for a number that is withheld, unknown, or a payphone's."""

_FEWEST: Final = 7
"""Digits of a subscriber's number; with fewer it is a service's."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One call or message, as its log has it."""

    line: int
    kind: Kind
    direction: Direction | None
    status: str | None
    occurred_at: datetime
    said: Mapping[str, str]
    """Phone, e-mail, name, length, text, title, location, service and id, where they are said."""
    raw: dict[str, Any]
    left_out: tuple[tuple[str, str], ...] = ()

    def told(self) -> Reading:
        """Make an activity of it, unless the other end is nobody that a number tells."""
        said = dict(self.said)
        if "@" in said.get("phone", ""):  # a message may go to an address
            said.setdefault("email", said.pop("phone"))
        phone = said.get("phone", "")
        if not said.get("email"):
            digits = sum(map(str.isdecimal, phone))
            if not digits or phone in _WITHHELD:
                return Passed(self.line, "the other end withheld the number, or is a service")
            if digits < _FEWEST and not phone.startswith("+"):
                return Passed(self.line, "the other end is a service's short number")
        role = _ROLES.get((self.kind, self.direction or ""), "about")
        person = {name: said[name][:255] for name in ("name", "phone", "email") if said.get(name)}
        is_call = self.kind == "call"
        record: dict[str, Any] = {
            "kind": self.kind,
            "direction": self.direction,
            "status": self.status if is_call else None,
            "occurred_at": self.occurred_at.isoformat(),
            "duration_s": seconds_of(said.get("length", "")) if is_call else None,
            "title": said.get("title", "")[:1_000],
            "snippet": said.get("text", "")[:SNIPPET],
            "location": said.get("location", "")[:1_000],
            "attributes": {"service": said["service"][:255]} if "service" in said else None,
            "participants": [{"role": role, **person}],
        }
        record = {name: value for name, value in record.items() if value not in (None, "")}
        other = phone or said.get("email") or ""
        key = [self.kind, self.direction or "", self.occurred_at.isoformat(), other]
        if not is_call:  # where a log tells the minute only, several have one moment
            key.append(said.get("text", ""))
        record["source_record_id"] = said.get("id") or "\x1f".join(key)
        return Happened(self.line, record, self.raw, left_out=self.left_out)


def epoch_of(text: str) -> datetime | None:
    """Read seconds or milliseconds since 1970."""
    if _EPOCH.fullmatch(text) is None:
        return None
    return datetime.fromtimestamp(int(text) / (1 if len(text) <= 10 else 1_000), UTC)


def seconds_of(text: str) -> int | None:
    """Read how long: `461`, `7:41`, `0:07:41`, `7m 41s`, seconds."""
    if len(text) > _LONGEST_SPAN:
        return None
    if text.isdecimal() and len(text) < 9:
        seconds = int(text)
    elif found := _SPAN.fullmatch(text):
        seconds = int(found[1] or 0) * 3_600 + int(found[2]) * 60 + int(found[3])
    elif (found := _UNITS.fullmatch(text)) and any(found.groups()):
        hours, minutes, rest = (int(part or 0) for part in found.groups())
        seconds = hours * 3_600 + minutes * 60 + rest
    else:
        return None
    return seconds if seconds <= 31_622_400 else None
