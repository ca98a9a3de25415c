"""What became of every single thing that was fed: nothing may be missing."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one signal or one row of a file."""

    record: Hashable
    """What names its source record in the ledger."""
    contact: int | None
    """Whose record it is; None when the ledger does not have it."""
    known: bool
    """The ledger had the record before this run."""
    dead: bool
    """It is among the dead letters."""


@dataclass(frozen=True, slots=True)
class Account:
    """The sum: `fed` = `new` + `already_known` + `dead_letters` + `lost`."""

    fed: int
    new: int
    already_known: int
    dead_letters: int
    lost: int
    merged: int
    """Records that joined a contact which another one had made."""


def settle_account(fates: Iterable[Fate]) -> Account:
    """Add up what became of everything.

    What the ledger has is not dead: a dead letter may have been replayed since.  A record fed
    twice is new once.
    """
    every: Sequence[Fate] = list(fates)
    placed = {one.record: one.contact for one in every if one.contact is not None}
    new = {one.record for one in every if one.contact is not None and not one.known}
    absent = [one for one in every if one.contact is None]
    dead = sum(one.dead for one in absent)
    return Account(
        fed=len(every),
        new=len(new),
        already_known=len(every) - len(absent) - len(new),
        dead_letters=dead,
        lost=len(absent) - dead,
        merged=len(placed) - len(set(placed.values())),
    )
