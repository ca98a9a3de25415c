"""How tests get backing services: this file alone knows how they start."""

from kith.stack.borrowing import running_stack

__all__ = ["running_stack"]
