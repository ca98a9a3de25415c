"""How fast work that may be behind is done, given what else the machine has to do."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, Protocol

LOOK_S: Final = 0.5
"""Between two looks at what arrives, seconds: how soon the work yields, and how soon it is back."""

LIVE_WINDOW_S: Final = 2.0
"""Live signals within this time count as flowing, seconds."""

LONGEST_REST_S: Final = 10.0
"""A rest of files is no longer, however long what they rest from took and however small their
share is, seconds: work of a minute is a fault's doing, and no reason to rest for twenty."""

Resting = Callable[[int, float], Awaitable[None]]
"""Waits after a batch of so many contacts that began at that moment of the monotonic clock."""


async def restless(_contacts: int, _started: float) -> None:
    """Go on at once: nobody else is there."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What an operator allows work that may be behind: indexes, matching."""

    linger: float
    """Seconds from batch to batch, at least: what changes twice meanwhile is done once."""
    most: float
    """Contacts a second, at most."""
    least: float
    """Contacts a second that are worked on however busy the hot path is."""
    busy: float
    """Events a second at which the hot path has no room left beside it."""
    patience: float = math.inf
    """Age of signals in the read model above which the hot path is behind, seconds."""


def budget(arriving: float | None, age: float | None, pace: Pace) -> float:
    """Return how many contacts a second may be worked on while events arrive at this rate.

    Search, graph and matching may be behind; the read model may not.  So they take what the hot
    path leaves: everything on a quiet day, next to nothing during a drain, and the rest afterwards.
    `age` is how old signals are when the read model shows them, None while none come: on a slow
    machine it tells sooner than the rate that the hot path is behind.  A rate that is not known
    yet counts as a busy one.
    """
    if arriving is None or (age is not None and age > pace.patience):
        return min(pace.least, pace.most)
    return min(pace.most, max(pace.least, pace.busy - arriving))


class Consuming(Protocol):
    """Who rests with a batch in hand; a Kafka subscription is one."""

    @property
    def stopping(self) -> bool:
        """Whether nobody should rest any longer."""

    def moved(self) -> None:
        """Note a sign of life: resting is on purpose."""


class Traffic(Consuming, Protocol):
    """What arrives on a topic, and whether its consumer has to go; a Kafka subscription is one."""

    async def arrived(self) -> int | None:
        """Count the records that the topic ever got; None while Kafka does not say."""


class Ages(Protocol):
    """What knows how far the read model is."""

    async def read_model_age(self) -> float | None:
        """Return how old signals are when they are shown, seconds; None while none come."""


class Rest:
    """Rests until the contacts of a batch are within the budget, which it reviews meanwhile."""

    traffic: Traffic
    """Set when the topic is subscribed to."""

    def __init__(self, pace: Pace, ages: Ages | None = None) -> None:
        self._pace = pace
        self._ages = ages
        self._looked_at = 0.0
        self._arrived: int | None = None
        self._arriving: float | None = None

    async def __call__(self, contacts: int, started: float) -> None:
        """Rest after a batch of so many contacts; `started` is by the monotonic clock."""
        owed, paid_at = float(contacts), started
        while not self.traffic.stopping:
            rate = await self._budget()
            now = time.monotonic()
            owed -= (now - paid_at) * rate
            paid_at = now
            left = max(owed / rate, started + self._pace.linger - now)
            if left <= 0:
                return
            self.traffic.moved()
            await asyncio.sleep(min(left, LOOK_S))

    async def _budget(self) -> float:
        age = await self._ages.read_model_age() if self._ages else None
        return budget(await self._look(), age, self._pace)

    async def _look(self) -> float | None:
        """Return the events that arrive a second, measured anew when the last look is old."""
        now = time.monotonic()
        passed = now - self._looked_at
        if passed >= LOOK_S:
            arrived = await self.traffic.arrived()
            if arrived is not None and self._arrived is not None:
                self._arriving = max(0, arrived - self._arrived) / passed
            if arrived is not None:
                self._arrived, self._looked_at = arrived, now
        return self._arriving


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much of the time work for files gets while live signals flow: above 0, at most 1."""

    most: float
    """While live signals are in time."""
    least: float
    """However late they are: what was begun must end."""
    patience: float = math.inf
    """Age of live signals when they take effect above which they are late, seconds."""


REGAINED: Final = 0.02
"""What files get back of the time after each look at live signals that are in time: they are late
at once, and in time only after a while."""


def allowed(share: float, age: float | None, allowance: Allowance) -> float:
    """Return the share of the time that files get next, after one of `share`.

    `age` is how old the oldest live signal was that took effect meanwhile, seconds; None: there was
    none.  Where one was late they get half as much as before.
    """
    if age is not None:
        share = share / 2 if age > allowance.patience else share + REGAINED
    return min(allowance.most, max(allowance.least, share))


class Share:
    """Lets work for files have its share of the time while live signals flow, else all of it."""

    consuming: Consuming | None = None
    """Whose batches the files' work is, set when their topic is subscribed to; None: nobody's."""

    def __init__(
        self, share: float, least: float | None = None, patience: float = math.inf
    ) -> None:
        """Give files so much of the time, and less, down to the least, while signals are late."""
        self._allowance = Allowance(share, share if least is None else min(least, share), patience)
        self._share = share
        self._live_at = -math.inf
        self._oldest: float | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    def live(self) -> None:
        """Note that live signals are here."""
        self._live_at = time.monotonic()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Say that live signals are worked on, for as long as the context lasts."""
        self.live()
        self._idle.clear()
        try:
            yield
        finally:
            self.live()
            self._idle.set()

    def took(self, age: float) -> None:
        """Note how old the oldest of some live signals was when they took effect, seconds."""
        self._oldest = max(age, self._oldest or 0.0)

    @property
    def is_wanted(self) -> bool:
        """Whether live signals flow, so that files get no more than their share."""
        return time.monotonic() - self._live_at < LIVE_WINDOW_S

    @property
    def present(self) -> float:
        """How much of the time files have just now: all of it while no live signals flow."""
        return self._share if self.is_wanted else 1.0

    async def turn(self) -> None:
        """Wait for a moment in which no live signal is worked on; in a drain there is none."""
        self._goes_on()
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await self._idle.wait()

    async def rest(self, worked_s: float) -> None:
        """Rest after so many seconds of work for files, while live signals flow.

        Signs of life are given meanwhile: a batch of several parts rests for longer in all than a
        consumer may be silent.  Nobody rests who has to go.
        """
        flow = self.is_wanted  # by a name: mypy would hold the property to this answer below
        if not flow:
            self._share = self._allowance.most
            return
        self._share = allowed(self._share, self._oldest, self._allowance)
        self._oldest = None
        ends = time.monotonic() + min(worked_s * (1 / self._share - 1), LONGEST_REST_S)
        while (left := ends - time.monotonic()) > 0 and self._goes_on():
            await asyncio.sleep(min(left, LOOK_S))
            if not self.is_wanted:
                return

    def _goes_on(self) -> bool:
        """Give a sign of life, and tell whether there is time to rest."""
        if self.consuming is None:
            return True
        self.consuming.moved()
        return not self.consuming.stopping
