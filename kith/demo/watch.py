"""Waiting until what was fed has arrived everywhere, and saying so all along."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from kith.demo.errors import blame
from kith.demo.ledger import Ledger, Progress
from kith.demo.screen import Figures, Screen
from kith.demo.stream import Stream, reached
from kith.stack import Fleet
from shared.events import topics

LOOK_SECONDS: Final = 0.05
"""Between two looks whether it is done."""
SHOW_SECONDS: Final = 1.0
"""Between two looks at everything: those cost the database something."""
STALL_SECONDS: Final = 60.0
"""Without any progress for so long, the demo gives up."""
MATCHING: Final = "resolver-matching"
"""The resolver's second group, which compares contacts that share no identifier."""
IN_FLIGHT: Final = 1_000
"""Signals fed and not yet resolved, at most: the feeder goes as fast as kith takes them in."""


class Watch:
    """Follows one run from the first signal to the last row of the read model."""

    def __init__(self, fleet: Fleet, ledger: Ledger, stream: Stream, screen: Screen) -> None:
        self._fleet = fleet
        self._ledger = ledger
        self._stream = stream
        self._screen = screen
        self._to_feed = 0
        self._fed = 0
        self._resolved_before = 0
        self._dead_before = 0
        self._dead = 0
        self._began = self._shown = time.monotonic()
        self._streaming = False

    async def begin(self, to_feed: int) -> None:
        """Note where everything is before the first signal."""
        self._to_feed = to_feed
        self._resolved_before = (await self._ledger.progress()).resolved
        self._dead_before = await self._stream.count_dead_letters()
        self._began = time.monotonic()
        self._streaming = True

    async def finish(self) -> float:
        """Return when all that was fed can be read; answers the seconds since the first signal."""
        await self._readable()
        self._streaming = False
        return time.monotonic() - self._began

    async def room(self, fed: int) -> None:
        """Return when few enough of the signals fed are still under way."""
        self._fed = fed

        async def has_room() -> bool:
            progress = await self._ledger.progress()
            return fed - (progress.resolved - self._resolved_before) - self._dead < IN_FLIGHT

        await self._until(has_room, ("ingest", "resolver"), "takes no more signals")

    async def settle(self) -> None:
        """Return when all that is in Kafka by now can be read, and nobody new is found alike."""
        told: Mapping[int, int] | None = None
        # What matching merges is told in events, which it reads again.
        while await self._stream.ends(topics.EVENTS.name) != told:
            await self._readable()
            told = await self._stream.ends(topics.EVENTS.name)
            await self._resolved(topics.EVENTS, MATCHING)
            await self._published()
        await self._projected()

    async def _readable(self) -> None:
        """Return when all that is in Kafka by now can be read."""
        await self._ingested()
        await self._resolved(topics.SIGNALS_NORMALIZED, "resolver")
        await self._resolved(topics.SIGNALS_NORMALIZED_BULK, "resolver-bulk")
        await self._published()
        await self._projected()

    async def _ingested(self) -> None:
        topic = topics.SIGNALS.name
        wanted = await self._stream.ends(topic)

        async def done() -> bool:
            return reached(await self._stream.committed("ingest", topic), wanted)

        await self._until(done, ("ingest",), f"does not get on with {topic}")

    async def _resolved(self, topic: topics.Topic, group: str) -> None:
        wanted = await self._stream.ends(topic.name)

        async def done() -> bool:
            return reached(await self._ledger.resolver_offsets(group, topic.name), wanted)

        await self._until(done, ("resolver",), f"does not get on with {topic.name}")

    async def _published(self) -> None:
        newest = (await self._ledger.outbox()).newest

        async def done() -> bool:
            oldest = (await self._ledger.outbox()).oldest
            return newest is None or oldest is None or oldest > newest

        await self._until(done, ("relay",), "does not publish what waits in the outbox")

    async def _projected(self) -> None:
        topic = topics.EVENTS.name
        wanted = await self._stream.ends(topic)

        async def done() -> bool:
            return reached(await self._ledger.projector_offsets("projector", topic), wanted)

        await self._until(done, ("projector",), f"does not get on with {topic}")

    async def _until(
        self, done: Callable[[], Awaitable[bool]], services: Sequence[str], what: str
    ) -> None:
        """Look until it is done; give up when nothing at all moves."""
        state: object = None
        moved = time.monotonic()
        while not await done():
            await asyncio.sleep(LOOK_SECONDS)
            now = time.monotonic()
            if now - self._shown < SHOW_SECONDS:
                continue
            self._shown = now
            progress = await self._show()
            if (progress, self._dead) != state:
                state, moved = (progress, self._dead), now
            if now - moved > STALL_SECONDS:
                names = [one.name for service in services for one in self._fleet.processes(service)]
                raise blame(self._fleet, names, f"{what}: nothing moved for {STALL_SECONDS:.0f} s")

    async def _show(self) -> Progress:
        progress = await self._ledger.progress()
        self._dead = await self._stream.count_dead_letters() - self._dead_before
        if self._streaming:
            self._screen.figures(
                Figures(
                    to_feed=self._to_feed,
                    fed=self._fed,
                    # The vendor's answers come the same way.
                    resolved=min(self._fed, progress.resolved - self._resolved_before),
                    contacts_readable=await self._ledger.count_readable(),
                    dead_letters=self._dead,
                    seconds=time.monotonic() - self._began,
                )
            )
        return progress
