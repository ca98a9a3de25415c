"""Use of the local stack by a command that may find it stopped."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from kith.stack.stack import PARTS, Stack


@contextmanager
def running_stack(parts: Iterable[str] = tuple(PARTS)) -> Iterator[Stack]:
    """Run the stack of this checkout (or of `KITH_HOME`) with these parts answering.

    What already runs is used as it is and left running; only what was started here is stopped.
    """
    stack = Stack.load()
    parts = tuple(parts)
    before = set(stack.pids())
    stack.start(parts)
    try:
        yield stack
    finally:
        stack.stop([name for name in parts if name not in before])
