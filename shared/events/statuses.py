"""What vendors call the status of an e-mail address or a phone number, in our words for it."""

from collections.abc import Mapping
from typing import Final, cast, get_args

from shared.events.signal import PointStatus

_OUR_WORDS: Final = frozenset(get_args(PointStatus))
_OTHER_WORDS: Final[Mapping[str, PointStatus]] = {
    "deliverable": "verified",
    "likely_to_engage": "verified",
    "guessed": "unverified",
    "extrapolated": "unverified",
    "unknown": "unverified",
    "unavailable": "unverified",
    "risky": "unverified",
    "pending_manual_fulfillment": "unverified",
    "undeliverable": "bounced",
    "hard_bounce": "bounced",
    "accept_all": "catch_all",
    "catchall": "catch_all",
    "spamtrap": "spam_trap",
    "valid_number": "valid",
    "invalid_number": "invalid",
    "no_status": "unverified",
    "do_not_call": "dnc",
}


def point_status(word: str) -> PointStatus | None:
    """Return the status that a word means; None: it means none."""
    text = "_".join(word.casefold().replace("-", " ").replace("_", " ").split())
    if text in _OUR_WORDS:
        return cast("PointStatus", text)
    return _OTHER_WORDS.get(text)
