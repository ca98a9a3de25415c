"""Whose the columns of a table are: the person's of the row, or somebody else's who is beside.

An address or a number that is taken for the wrong person's makes one of all who have it.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

from services.ingest.domain.columns import Target, Why, target_of
from services.ingest.domain.contents import SHARE, cells_of, distinct_share
from services.ingest.domain.vocabulary import LONGEST, Vocabulary, key_of

_OTHERS: Final = frozenset(
    {
        *("owner", "account", "company", "employer", "assigned", "created", "modified", "by"),
        *("manager", "assistant", "sales", "rep", "parent", "hq", "headquarters", "switchboard"),
        *("reception", "host", "organizer", "organiser", "emergency", "spouse", "referred"),
        *("responsible", "representative", "supervisor", "recruiter", "coordinator", "advisor"),
        *("adviser", "agent", "referrer", "inviter", "cc", "bcc"),
    }
)
"""Words by which an address or a number in a column is likely somebody else's."""

_GUESTS: Final = frozenset({"attendee", "invitee", "guest", "participant", "registrant"})
_HOSTS: Final = frozenset({"user", "buyer", "purchaser", "host", "organizer", "organiser"})
_NAMES: Final = ("full_name", "first_name", "last_name")
_REACHED: Final = ("email", "phone")


class Known(NamedTuple):
    """A column, as far as its name and its cells told what it is."""

    key: str
    target: Target | None
    why: Why
    rank: tuple[int, int, str]


def is_of_others(key: str) -> bool:
    """Tell whether a column's name says that what it holds is no person's of the row.

    >>> is_of_others("user responsible"), is_of_others("best address")
    (True, False)
    """
    return not _OTHERS.isdisjoint(key.split())


def others_columns(
    columns: Sequence[Known], rows: Sequence[Sequence[str]], vocabulary: Vocabulary
) -> set[int]:
    """Return the columns that tell of somebody else, though their names are a person's."""
    found = {*_hosts(columns), *_of_other_names(columns, rows, vocabulary)}
    for kind in _REACHED:
        places = [
            index
            for index, (_, target, _, _) in enumerate(columns)
            if target is not None
            and (target.kind, target.part) == (kind, "value")
            and index not in found
        ]
        found |= _alike({index: cells_of(rows, index) for index in places}, columns)
    return found


def _hosts(columns: Sequence[Known]) -> Iterator[int]:
    """Yield who invited or paid, where columns are named by guests."""
    if any(
        key.split(" ", 1)[0] in _GUESTS and target is not None and target.identifies
        for key, target, _, _ in columns
    ):
        for index, (key, _, _, _) in enumerate(columns):
            if key.split(" ", 1)[0] in _HOSTS:
                yield index


def _alike(cells: dict[int, list[str]], columns: Sequence[Known]) -> set[int]:
    """Find addresses that nearly all rows have, where another tells the rows apart.

    They are the host's of an event, or an office's.  Of few rows only a column that nothing but its
    cells speaks for is taken for one.
    """
    shares = {index: distinct_share(said) for index, said in cells.items()}
    found = set()
    if max(shares.values(), default=0) >= SHARE:
        found = {index for index, share in shares.items() if share <= 1 - SHARE}
    if any(len(set(said)) > 1 for said in cells.values()):
        found |= {
            index
            for index, said in cells.items()
            if columns[index].why == "content" and len(said) > len(set(said)) == 1
        }
    return found


def _of_other_names(
    columns: Sequence[Known], rows: Sequence[Sequence[str]], vocabulary: Vocabulary
) -> Iterator[int]:
    """Yield what reaches who has a second name in the rows that differs from the person's.

    Of `First Name`, `Email`, `Buyer First Name` and `Buyer Email` the last two are the buyer's if
    anyone bought for another.
    """
    names = _names_by_owner(columns, vocabulary)
    if len(names) < 2:
        return
    person = min(names, key=lambda owner: min(columns[index].rank for index in names[owner]))
    others = {
        owner
        for owner, places in names.items()
        if owner != person and _differ(names[person], places, rows)
    }
    for index, (key, target, _, _) in enumerate(columns):
        owner = key.split(" ", 1)[0]
        if owner in others and target is not None and target.kind in (*_REACHED, "linkedin_url"):
            yield index


def _names_by_owner(columns: Sequence[Known], vocabulary: Vocabulary) -> dict[str, list[int]]:
    """Return the columns of names by the word that says whose they are; none: the person's."""
    found: dict[str, list[int]] = {}
    for index, (key, target, _, _) in enumerate(columns):
        owner, _, rest = key.partition(" ")
        text = None if vocabulary.aliases.find(key) else vocabulary.aliases.find(rest)
        if text and target_of(text).kind in _NAMES and _says_whose(owner, vocabulary):
            found.setdefault(owner, []).append(index)
        elif target is not None and target.kind in _NAMES:
            found.setdefault("", []).append(index)
    return found


def _says_whose(word: str, vocabulary: Vocabulary) -> bool:
    return word in vocabulary.owners or word in vocabulary.places or word in _HOSTS


def _differ(these: Collection[int], those: Collection[int], rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether two names differ in any row that has both."""
    for row in rows:
        one, other = _words(these, row), _words(those, row)
        if one and other and not (one <= other or other <= one):
            return True
    return False


def _words(places: Collection[int], row: Sequence[str]) -> set[str]:
    said = (row[place][:LONGEST] for place in places if place < len(row))
    return {word for cell in said for word in key_of(cell).split()}
