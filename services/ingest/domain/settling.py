"""What became of a row: one verdict, in words that its operator understands."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final, NamedTuple

STALE: Final = "a newer version of this record is known already"
UNCHANGED: Final = "says what is known already"
REVIEW: Final = "may be {others}: `kith review` shows both"
UNDECIDED: Final = "was sent and not decided within an hour; `kith dead list` may say why"
NOT_CARRIED_OUT: Final = "what was chosen could not be done: {outcome}; `kith review` shows both"
NOT_ENTERED: Final = "the same person, by choice; the chosen values could not be entered: {why}"

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

_OUTCOMES: Final[Mapping[str, str]] = {
    "kept_apart": "a person keeps the two apart",
    "kept_together": "a person merged the two",
    "one_contact": "the two are one contact already",
    "unknown_contact": "the contact is not there any more",
    "archived_survivor": "the contact is archived",
}


class Settled(NamedTuple):
    """A row's verdict, as it is kept."""

    number: int
    verdict: str
    contact: str | None
    reason: str
    events: int
    is_settled: bool
    """False: what was chosen is still to be carried out."""


def settle(number: int, told: Mapping[str, Any], *, is_judged: bool) -> Settled:
    """Turn what the resolver has of a row's signal into the row's verdict."""
    verdict, reason = told["verdict"], ""
    if verdict == "stale":
        verdict, reason = "unchanged", STALE
    elif verdict == "unchanged":
        reason = UNCHANGED
    elif verdict == "in_review":
        reason = REVIEW.format(others=", ".join(told["with"]))
    return Settled(number, verdict, told["contact"], reason, told["events"], not is_judged)


def undecided(number: int) -> Settled:
    """Give up a row of which nothing was heard."""
    return Settled(number, "rejected", None, UNDECIDED, 0, is_settled=True)


def tell_order(row: Mapping[str, Any], choice: str, target: str, outcome: str) -> Settled:
    """Say what came of a choice about who is whom."""
    number, events = row["number"], row["events"]
    if outcome not in ("done", "unchanged"):
        words = NOT_CARRIED_OUT.format(outcome=_OUTCOMES.get(outcome, outcome.replace("_", " ")))
        return Settled(number, row["verdict"], row["contact"], words, events, is_settled=True)
    if choice == "apart":
        verdict = "created" if row["verdict"] == "in_review" else row["verdict"]
        return Settled(
            number, verdict, row["contact"], f"kept apart from {target}, by choice", events, True
        )
    return Settled(number, "merged", target, "the same person, by choice", events + 2, True)


def not_entered(settled: Settled, why: str) -> Settled:
    """Say that a choice was carried out, but not what was chosen field by field."""
    return settled._replace(reason=NOT_ENTERED.format(why=why))


def command_id_of(import_id: str, number: int) -> str:
    """Name the order that a row's choice leads to: the same row, the same order."""
    digest = blake2b(f"{import_id}/{number}".encode(), digest_size=17).digest()
    bits = int.from_bytes(digest) >> 6
    return "cmd_" + "".join(_ALPHABET[bits >> shift & 31] for shift in range(125, -1, -5))
