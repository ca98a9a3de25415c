"""What can end the demo early, in words for the person who typed the command."""

from collections.abc import Sequence
from typing import Final

from kith.stack import Fleet
from kith.stack.errors import PartFailedError
from kith.stack.processes import tail

LOG_LINES: Final = 8
"""Of each process that is to blame."""
ADVICE: Final = (
    "`kith status`, `kith logs`; everything is left running, and `kith demo` goes on from here; "
    "`kith down --wipe` forgets all of it"
)
"""What to do when the demo cannot go on."""


class DemoError(Exception):
    """The demo cannot go on; the text says why and what to do."""


def blame(fleet: Fleet, processes: Sequence[str], why: str) -> PartFailedError:
    """Name processes, what is wrong, their last log lines, and what to do."""
    logs = [fleet.stack.places.log(name) for name in processes]
    return PartFailedError(
        ", ".join(processes),
        why,
        tail=[line for log in logs for line in tail(log, LOG_LINES)],
        log=", ".join(map(str, logs)),
        advice=ADVICE,
    )
