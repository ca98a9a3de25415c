"""How long a process that ended stays down before it is started again."""

FIRST_SECONDS = 0.2
"""After the first failure."""
LONGEST_SECONDS = 10.0
"""However often it fails."""
HEALTHY_SECONDS = 30.0
"""A run of this length was a good one: what failed before it is forgotten."""


def count_failures(before: int, ran_seconds: float) -> int:
    """Failures in a row, after a run of this length has ended."""
    return 1 if ran_seconds >= HEALTHY_SECONDS else before + 1


def delay_seconds(failures: int) -> float:
    """Twice as long after each failure in a row, up to the longest."""
    doublings = min(max(failures - 1, 0), 16)
    return min(LONGEST_SECONDS, FIRST_SECONDS * float(2**doublings))
