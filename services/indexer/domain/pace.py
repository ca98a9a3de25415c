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
    patience: float
    """Age of signals in the read model above which the hot path is behind, seconds."""


def budget(arriving: float | None, age: float | None, pace: Pace) -> float:
    """Return how many contacts a second an index may write while events arrive at this rate.

    Search and graph may be behind; the read model may not.  So an index takes what the hot path
    leaves: everything on a quiet day, next to nothing during a drain, and the rest afterwards.
    `age` is how old signals are when the read model shows them, None while none come: on a slow
    machine it tells sooner than the rate that the hot path is behind.  A rate that is not known
    yet counts as a busy one.
    """
    if arriving is None or (age is not None and age > pace.patience):
        return min(pace.least, pace.most)
    return min(pace.most, max(pace.least, pace.busy - arriving))
