"""How fast an index may be written, given what else the machine has to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """What an operator allows an index."""

    linger: float
    """Seconds from batch to batch, at least: what changes twice meanwhile is written once."""
    most: float
    """Contacts a second, at most."""
    least: float
    """Contacts a second that are written however busy the hot path is."""
    busy: float
    """Events a second at which the hot path has no room left beside it."""


def budget(arriving: float | None, pace: Pace) -> float:
    """Return how many contacts a second an index may write while events arrive at this rate.

    Search and graph may be behind; the read model may not.  So an index takes what the hot path
    leaves: everything on a quiet day, next to nothing during a drain, and the rest afterwards.  A
    rate that is not known yet counts as a busy one.
    """
    if arriving is None:
        return min(pace.least, pace.most)
    return min(pace.most, max(pace.least, pace.busy - arriving))
