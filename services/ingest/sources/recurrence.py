"""When a recurring event takes place (RFC 5545, 3.3.10 and 3.8.5), within bounds.

`dateutil` steps through a rule; here it is kept from stepping for ever. A rule that repeats within
a day, or that no day can satisfy, is refused: the event then counts once, where it begins.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from dateutil.rrule import rrulestr

MOST: Final = 1_000
"""Occurrences of one event that are taken, the first in the window."""

BACK: Final = timedelta(days=2 * 365)
"""Occurrences longer ago are left out: else one weekly meeting fills a timeline."""

AHEAD: Final = timedelta(days=90)
"""Occurrences further ahead are left out: the file will come again."""

MAX_STEPS: Final = 50_000
"""Occurrences that are stepped through at most, from the first: a day's for 136 years."""

_BY: Final = frozenset({"BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS", "BYYEARDAY", "BYWEEKNO"})
_KNOWN: Final = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"}) | _BY
_ALLOWED: Final[Mapping[str, frozenset[str]]] = {
    "DAILY": frozenset({"BYMONTH", "BYMONTHDAY", "BYDAY"}),
    "WEEKLY": frozenset({"BYMONTH", "BYDAY"}),
    "MONTHLY": frozenset({"BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS"}),
    "YEARLY": _BY,
}
"""How often → what may narrow it down (RFC 5545, the table of 3.3.10)."""

_LAST_YEARS: Final = 9972
"""The first of the last 28 years that there are, after which weekdays and leap years repeat: a rule
that names no day in these names none, and is stepped through no further than these."""

Rule = Mapping[str, Sequence[str]]
"""The parts of a rule, each with its values as text."""


@dataclass(frozen=True, slots=True)
class Series:
    """A recurring event: all times local to it, without an offset."""

    start: datetime
    rule: Rule | None
    until: datetime | None
    also: Sequence[datetime] = ()
    """RDATE."""
    except_: Collection[datetime] = ()
    """EXDATE, and what is told of separately."""


def unreadable(rule: Rule, start: datetime) -> str | None:
    """Say why a rule is not followed; None: it is."""
    frequency = "".join(rule.get("FREQ", ()))
    allowed = _ALLOWED.get(frequency)
    if allowed is None:
        return f"repeats {frequency.lower()[:20] or 'without FREQ'}; daily and slower is read"
    strange = sorted(name for name in rule if name not in _KNOWN or name in _BY - allowed)
    if strange:
        return f"has {strange[0][:20]} in a {frequency.lower()} rule, which is not read"
    for name, low, high in (
        ("INTERVAL", 1, 1_000),
        ("COUNT", 1, 1_000_000),
        ("BYMONTH", 1, 12),
        ("BYMONTHDAY", -31, 31),
        ("BYSETPOS", -366, 366),
        ("BYYEARDAY", -366, 366),
        ("BYWEEKNO", -53, 53),
    ):
        for value in rule.get(name, ()):
            if not _is_number(value) or not low <= int(value) <= high or int(value) == 0:
                return f"has {name} out of bounds"
    most = 53 if frequency == "YEARLY" and "BYMONTH" not in rule else 5
    for day in rule.get("BYDAY", ()):
        ordinal = day.rstrip("MOTUWEHFRSA")
        if ordinal and not (_is_number(ordinal) and 0 < abs(int(ordinal)) <= most):
            return "has BYDAY out of bounds"
        if ordinal and frequency in ("DAILY", "WEEKLY"):
            return f"has numbered days in a {frequency.lower()} rule, which is not read"
    try:
        probe = rrulestr(_written(rule, "COUNT", "UNTIL"), dtstart=start.replace(year=_LAST_YEARS))
        if next(iter(probe), None) is None:
            return "falls on no day"
    except (ValueError, OverflowError, TypeError, IndexError):
        return "is no rule of RFC 5545"
    return None


def _written(rule: Rule, *without: str) -> str:
    return ";".join(
        f"{name}={','.join(map(str, values))}"
        for name, values in rule.items()
        if name not in without
    )


def _is_number(value: object) -> bool:
    return str(value).removeprefix("-").removeprefix("+").isdecimal()


def occurrences(series: Series, now: datetime) -> Iterator[datetime]:
    """Yield when the event takes place, oldest first, as far as it is of interest `now`."""
    here = now.replace(tzinfo=None)
    earliest, latest = here - BACK, here + AHEAD
    found = 0
    for at in _all(series, latest):
        if at < earliest or at in series.except_:
            continue
        if at > latest or found == MOST:
            return
        found += 1
        yield at


def _all(series: Series, latest: datetime) -> Iterator[datetime]:
    also = sorted({at for at in series.also if at <= latest})
    steps = _by_rule(series, latest) if series.rule is not None else iter([series.start])
    for at in steps:
        while also and also[0] < at:
            yield also.pop(0)
        if also and also[0] == at:
            also.pop(0)
        yield at
    yield from also


def _by_rule(series: Series, latest: datetime) -> Iterator[datetime]:
    if series.rule is None:
        return
    rule = rrulestr(_written(series.rule, "UNTIL"), dtstart=series.start)
    try:
        for step, at in enumerate(rule):
            if step == 0 and at != series.start:
                yield series.start  # it counts even where the rule does not name it
            if step == MAX_STEPS or at > latest or (series.until and at > series.until):
                return
            yield at
    except IndexError:
        return  # the library steps out of its year: what was found so far stands


def local(moment: datetime, like: datetime) -> datetime:
    """Return a moment as its event's clock shows it, without the offset."""
    if moment.tzinfo is None or like.tzinfo is None:
        return moment.replace(tzinfo=None)
    return moment.astimezone(like.tzinfo).replace(tzinfo=None)


def as_moment(day: date) -> datetime:
    """Return a moment as it is, and of a day its beginning: when an all-day event begins."""
    return day if isinstance(day, datetime) else datetime.combine(day, time.min)


def in_utc(moment: datetime) -> datetime:
    """Return a moment in UTC; one without an offset is taken for UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
