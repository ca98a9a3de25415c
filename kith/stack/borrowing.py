"""Use of the local stack by a command that may find it stopped."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kith.stack.fleet import Fleet
from kith.stack.stack import PARTS, Stack


@contextmanager
def running_stack(parts: Sequence[str] = tuple(PARTS)) -> Iterator[Stack]:
    """Run the stack of this checkout (or of `KITH_HOME`) with these parts answering.

    What already runs is used as it is and left running; only what was started here is stopped, and
    not below services that another command has started meanwhile.
    """
    stack = Stack.load()
    with stack.held():
        stack.refresh()
        started = [name for name in parts if name not in stack.pids()]
        stack.start(parts)
    try:
        yield stack
    finally:
        with stack.held():
            if not Fleet(stack).is_running():
                stack.stop(started)
