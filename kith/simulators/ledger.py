"""What the vendor simulator was asked and what it charged."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Call:
    """One call; `status` is None until it was answered."""

    subject: str
    behaviour: str
    status: int | None = None
    charged: bool = False


@dataclass(slots=True)
class Ledger:
    """Every call since the simulator started."""

    calls: list[Call] = field(default_factory=list)

    def begin(self, subject: str, behaviour: str) -> Call:
        """Note that a call came in: also one that is never answered counts."""
        call = Call(subject, behaviour)
        self.calls.append(call)
        return call

    def end(self, call: Call, status: int, *, charged: bool) -> None:
        """Note how a call was answered."""
        call.status = status
        call.charged = charged

    def calls_of(self, subject: str) -> int:
        """Count the calls about a person."""
        return len(self._about(subject))

    def report(self, subject: str | None) -> dict[str, Any]:
        """Tell the calls, about one person or all, and their sums."""
        calls = self.calls if subject is None else self._about(subject)
        return {
            "count": len(calls),
            "charged": sum(call.charged for call in calls),
            "calls": [asdict(call) for call in calls],
        }

    def _about(self, subject: str) -> Sequence[Call]:
        return [call for call in self.calls if call.subject == subject]
