"""What the stack knows of any of its parts."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM, Signals
from typing import Any, ClassVar

from kith.stack.places import Places
from kith.stack.processes import Launch

Say = Callable[[str], None]
"""Told what a part is doing, in a few words."""


@dataclass(frozen=True)
class Setting:
    """What a part is given: its places, every port of the stack, every password."""

    places: Places
    ports: Mapping[str, int]
    secrets: Mapping[str, str]

    def folder(self, part: str) -> Path:
        """Answer the data folder of a part."""
        return self.places.data / part


class Part(ABC):
    """One server of the stack."""

    name: ClassVar[str]
    program: ClassVar[str]
    """The first word of its command line, to find a process that the state file forgot."""
    port_names: ClassVar[tuple[str, ...]]
    """The ports it listens on, the one that clients use first."""
    stop_signal: ClassVar[Signals] = SIGTERM
    stop_seconds: ClassVar[float] = 20
    start_seconds: ClassVar[float] = 120
    nice: ClassVar[int] = 0
    """Processor time that it yields to others once it answers, as `nice` counts it."""

    @abstractmethod
    def prepare(self, setting: Setting, say: Say) -> Launch:
        """Fetch what is missing, write the configuration, make the data folder if there is none."""

    @abstractmethod
    def marker(self, setting: Setting) -> str:
        """Answer a word of the command line that no other stack's process has."""

    @abstractmethod
    def ping(self, setting: Setting) -> None:
        """Use the part as a client would; raise while it does not answer."""

    def after_start(self, setting: Setting, say: Say) -> None:  # noqa: B027 - most have nothing to make
        """Make what has to exist in the part once it answers; repeated on every start."""

    def has_ended(self, setting: Setting) -> bool:  # noqa: ARG002 - of use to some parts
        """Whether nothing of a process that died is left to wait for."""
        return True

    def logs(self, setting: Setting) -> list[Path]:
        """Name the files in which the part says what happens to it, the most telling last."""
        return [setting.places.log(self.name)]

    def fix(self, setting: Setting) -> str:  # noqa: ARG002 - of use to some parts
        """Say what a person may do when the part does not start."""
        return f"`kith logs {self.name}`, then `kith restart {self.name}`"


def run_apart(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end in a thread of its own: the caller's may have a loop running."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()
