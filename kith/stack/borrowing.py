"""Use of the local stack by commands that may find it stopped, several at a time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kith.stack.fleet import Fleet
from kith.stack.stack import PARTS, Stack
from kith.stack.state import borrowed


@contextmanager
def running_stack(parts: Sequence[str] = tuple(PARTS)) -> Iterator[Stack]:
    """Run the stack of this checkout (or of `KITH_HOME`) with these parts answering.

    What already runs is used as it is and left running. What was started for borrowers alone is
    stopped by the last of them, also where it could not start the rest, and not below services that
    another command has started meanwhile.
    """
    stack = Stack.load()
    with borrowed(stack.places.loan_file) as is_last:
        try:
            stack.start(parts, lend=True)
            yield stack
        finally:
            with stack.held():
                stack.refresh()
                if is_last():
                    stack.stop([] if Fleet(stack).is_running() else stack.lent)
                    stack.lend(())
