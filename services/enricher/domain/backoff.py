"""How long to wait before a vendor is asked again."""

from datetime import timedelta
from typing import Final

BASE_SECONDS: Final = 2.0
"""The first wait, before jitter."""

CAP_SECONDS: Final = 300.0
"""The longest wait before jitter: a vendor that was away for hours is found again in minutes."""


def delay(tries: int, dice: float) -> timedelta:
    """Double the wait with each try, half of it by the dice (0.0 to 1.0), up to the cap."""
    ceiling = min(CAP_SECONDS, BASE_SECONDS * 2.0 ** min(tries - 1, 20))
    return timedelta(seconds=ceiling * (0.5 + dice / 2))
