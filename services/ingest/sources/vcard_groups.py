"""A vCard file's groups: which cards are members of which, told by cards of their own."""

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from services.ingest.sources.vcard_lines import read_blocks
from services.ingest.sources.vcard_property import Property, Stray, read_properties, unescaped

MAX_MEMBERS: Final = 300_000
"""Memberships of one file that are read: about 60 MB."""

_GROUP: Final = b"group"
_SEAM: Final = 6
"""Bytes that are looked at twice: the word may begin in one block and end in the next."""

_KINDS: Final = frozenset({"KIND", "X-ADDRESSBOOKSERVER-KIND"})
_MEMBERS: Final = frozenset({"MEMBER", "X-ADDRESSBOOKSERVER-MEMBER"})


def uid_of(value: str) -> str:
    """Spell a UID as all versions of a card do: without `urn:uuid:` (RFC 6350 6.7.6)."""
    text = unescaped(value).strip()
    return text[9:] if text[:9].lower() == "urn:uuid:" else text


class Groups(NamedTuple):
    """The groups of a file."""

    names: dict[str, tuple[str, ...]]
    """UID of a member → names of its groups."""
    unread: int | None = None
    """The line where the first group begins that is too many."""


def read_groups(file: BinaryIO, encoding: str, most: int = MAX_MEMBERS) -> Groups:
    """Read the groups of a file; a file without any costs a search for the word.

    `most` is how many memberships are read.
    """
    if not _mentions_group(read_blocks(file, encoding)):
        return Groups({})
    found: dict[str, dict[str, None]] = {}
    members, unread = 0, None
    for line, name, uids in _groups(read_properties(file, encoding), most):
        members += len(uids)
        if members > most:
            unread = line
            break
        for uid in uids:  # a card may say the same member again and again
            found.setdefault(uid, {})[name] = None
    return Groups({uid: tuple(names) for uid, names in found.items()}, unread)


def _mentions_group(blocks: Iterator[bytes]) -> bool:
    seam = b""
    for block in blocks:
        whole = seam + block
        colon = whole.find(b":")  # pictures have none: they are passed over at once
        while colon >= 0:
            if whole[colon + 1 : colon + 7].strip().lower().startswith(_GROUP):
                return True
            colon = whole.find(b":", colon + 1)
        seam = whole[-_SEAM:]
    return False


def _groups(lines: Iterator[Property | Stray], most: int) -> Iterator[tuple[int, str, list[str]]]:
    """Yield the line where each group begins, its name and its members."""
    begin, name, members, is_group = 0, "", list[str](), False
    for one in lines:
        if isinstance(one, Stray):
            continue
        match one.head.name:
            case "BEGIN":
                begin, name, members, is_group = one.line, "", [], False
            case "END" if is_group and name:
                yield begin, name, members
            case "FN":
                name = unescaped(one.value).strip()
            case kind if kind in _KINDS:
                is_group = one.value.strip().lower() == "group"
            case member if member in _MEMBERS and len(members) <= most:
                members.append(uid_of(one.value))
