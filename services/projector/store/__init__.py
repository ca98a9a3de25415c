"""The projector's tables in PostgreSQL, schema `read`."""

from services.projector.store.deriving import derive
from services.projector.store.rebuild import check, rebuild
from services.projector.store.views import Store, Transaction

__all__ = ["Store", "Transaction", "check", "derive", "rebuild"]
