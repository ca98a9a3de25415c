"""Read your writes: the position that a write answers with, and how long a read waits for it.

Kinds of position, all URL-safe base64 and opaque to clients (DESIGN 9): a signal's (its record in
the ledger and the digest of its content; several, where companies are but named), a contact's and
a company's (id and version).
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from services.api.domain.problems import Problem, RequestError
from shared.events.company import MAX_COMPANIES

POSITION_HEADER: Final = "Kith-Position"
"""The request header that names the position to wait for."""
WAIT_PARAMETER: Final = "waitFor"
"""The query parameter that does the same (a capital, as JSON:API advises for own names)."""
DEFAULT_WAIT_SECONDS: Final = 2.0
"""How long a read waits when it does not say."""
MAX_WAIT_SECONDS: Final = 10.0
"""The longest wait granted."""

_ENTITY = re.compile(rb"((?:con|cmp)_[0-9A-HJKMNP-TV-Z]{26}):([1-9][0-9]{0,8})")
_WAIT = re.compile(r'\bwait\s*=\s*"?([0-9]{1,9})"?', re.IGNORECASE)
_RECORD_BYTES = 32


@dataclass(frozen=True, slots=True)
class SignalPosition:
    """A signal that was accepted: its ledger key and its content."""

    record_key: bytes
    content_hash: bytes
    others: tuple[tuple[bytes, bytes], ...] = ()
    """Where it names companies alone, by nothing but names: the same of each after the first.
    Those that none is known by are never entered."""

    @property
    def records(self) -> tuple[tuple[bytes, bytes], ...]:
        """Return key and content of every record, any of which tells that it is applied."""
        return ((self.record_key, self.content_hash), *self.others)


@dataclass(frozen=True, slots=True)
class ContactPosition:
    """A contact at a version."""

    contact_id: str
    version: int


@dataclass(frozen=True, slots=True)
class CompanyPosition:
    """A company at a version."""

    company_id: str
    version: int


EntityPosition = ContactPosition | CompanyPosition
"""A contact or a company at a version."""

Position = SignalPosition | EntityPosition
"""Something that a write led to, and that a read model has or has not yet."""


def encode_position(position: Position) -> str:
    """Write the token of a position."""
    if isinstance(position, SignalPosition):
        raw = b"".join(key + content for key, content in position.records)
    elif isinstance(position, ContactPosition):
        raw = f"{position.contact_id}:{position.version}".encode()
    else:
        raw = f"{position.company_id}:{position.version}".encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def parse_position(header: str | None, parameter: str | None) -> Position | None:
    """Read the position that a request waits for; the header wins over the parameter."""
    token = header if header is not None else parameter
    if token is None:
        return None
    token = token.strip()
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if match := _ENTITY.fullmatch(raw):
        entity = match[1].decode()
        kind = ContactPosition if entity.startswith("con_") else CompanyPosition
        return kind(entity, int(match[2]))
    if not len(raw) % _RECORD_BYTES and 1 <= len(raw) // _RECORD_BYTES <= MAX_COMPANIES:
        starts = range(0, len(raw), _RECORD_BYTES)
        first, *others = [(raw[at : at + 16], raw[at + 16 : at + 32]) for at in starts]
        return SignalPosition(*first, tuple(others))
    raise RequestError(
        [
            Problem(
                400,
                "invalid_position",
                "Invalid position",
                "Give the position exactly as the write answered it.",
                header=POSITION_HEADER if header is not None else None,
                parameter=None if header is not None else WAIT_PARAMETER,
            )
        ]
    )


def parse_wait(prefer: str | None) -> float:
    """Read how many seconds to wait: `Prefer: wait=N` (RFC 7240), bounded."""
    match = _WAIT.search(prefer or "")
    return min(float(match[1]), MAX_WAIT_SECONDS) if match else DEFAULT_WAIT_SECONDS


def not_reached(seconds: float) -> RequestError:
    """Say that the read model does not have the position yet."""
    problem = Problem(
        503,
        "position_not_reached",
        "Not there yet",
        f"After {seconds:g} s the read model does not show that write yet. The write itself is "
        "safe; ask again, wait longer (`Prefer: wait=10`), or read without a position.",
        header=POSITION_HEADER,
    )
    return RequestError([problem], {"Retry-After": "1"})
