"""What the resolver reads and writes: load what a batch touches, apply what was decided."""

from services.resolver.store.store import Store, Transaction

__all__ = ["Store", "Transaction"]
