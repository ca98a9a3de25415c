"""What a writer's signature says of them: title, company, telephones, address, pages.

Only what stands under the sender's own name is taken; a name alone says nothing that the header
does not.  How well this does is measured on labelled signatures (docs/mail.md).
"""

import re
from collections.abc import Sequence
from typing import Final

from anyascii import anyascii
from msgspec import Struct

from services.ingest.sources.mail import pieces as piece_of
from services.ingest.sources.mail.addresses import Mailbox
from services.ingest.sources.mail.html_text import to_lines
from services.ingest.sources.mail.naming import Sender
from services.ingest.sources.mail.pieces import Number
from services.ingest.sources.mail.places import is_street, read_place
from services.ingest.sources.mail.quoting import own_lines, without_notices
from services.ingest.sources.mail.wording import wording
from shared.identifiers.domain import is_free_mail

TAIL: Final = 80
"""Lines at the end of a text in which its signature stands, notices of the law included."""

LONGEST_CLOSING: Final = 130
"""Characters of a line that ends a letter; the French take them."""

LONGEST_MARK: Final = 50
"""Characters of the line that ends what a timeline shows of a text."""

LOOKED_AT: Final = 44
"""Lines below the beginning of a signature that are looked at: its own and a notice's."""

LONGEST: Final = 22
"""Lines of a signature."""

PROSE: Final = 110
"""Characters of a line that is no part of a signature but a sentence."""

SNIPPET: Final = 280
"""Characters of a text that a timeline shows."""

MAX_LINKS: Final = 8
"""Pages that are taken of one signature."""

_DELIMITER = re.compile(r"^\s*(?:--\s?|[-_=~*—–＊━─]{2,}|—)\s*$")
_POSTSCRIPT = re.compile(r"^\s*(?:p\.?\s?s\.?|n\.?b\.?)\s*[:.\s]", re.IGNORECASE)
_INVITATION = re.compile(
    r"microsoft teams|zoom meeting|google meet|webex|join (?:on|the|by|from|with)|dial.?in"
    r"|conference id|meeting id",
    re.IGNORECASE,
)
"""What calendars put below a signature: numbers to dial that are nobody's."""
_LETTERS = re.compile(r"[a-z0-9]+")


class Signature(Struct, frozen=True):
    """What a signature says; the name as it is signed."""

    name: str | None = None
    title: str | None = None
    department: str | None = None
    company: str | None = None
    phones: tuple[Number, ...] = ()
    address: dict[str, str] | None = None
    links: tuple[str, ...] = ()
    text: str = ""
    """Its lines as they stand."""


class Text(Struct, frozen=True):
    """What the writer of a message wrote, without what is quoted below."""

    lines: Sequence[str]
    links: Sequence[tuple[str, str]] = ()
    """The line that each link stands in, and where it leads."""


def own_text(plain: str, html: str) -> Text:
    """Return the writer's own lines; HTML is preferred, as it alone has links."""
    if not html:
        return Text(own_lines(plain.split("\n")))
    lines, linked = to_lines(html)
    return Text(own_lines(lines), [(lines[number], url) for number, url in linked])


def end_of(text: Text) -> Text:
    """Return the lines in which a signature is looked for, with their links."""
    lines = text.lines[-TAIL:]
    last = set(lines)
    return Text(lines, [link for link in text.links if link[0].rstrip() in last])


def snippet_of(text: Text) -> str:
    """Return the beginning of a text, for a timeline; how it is signed is no part of it."""
    closing = wording().closing
    words: list[str] = []
    size = 0
    for line in text.lines:
        may_end = words and line and len(line) < LONGEST_MARK
        if may_end and (_DELIMITER.match(line) or closing.fullmatch(line.strip())):
            break
        for word in line.split():
            size += len(word) + 1
            if size > SNIPPET:
                return " ".join(words) + " …"
            words.append(word[:SNIPPET])
    return " ".join(words)


def ends_with(text: Text, signature: str) -> bool:
    """Tell whether a text ends with a signature that was read before, line by line.

    Most do: nearly all that a mailbox holds of one person is signed alike.
    """
    lines = signature.split("\n")
    tail = [line for line in text.lines[-2 * len(lines) - 2 :] if line.strip()][-len(lines) :]
    return [line.rstrip() for line in tail] == lines


def read_signature(text: Text, mailbox: Mailbox) -> Signature | None:
    """Return what the sender's signature says, or None where there is none that is theirs."""
    sender = Sender(mailbox)
    block = _block([line.rstrip() for line in text.lines[-TAIL:]], sender)
    if block is None:
        return None
    found = _assemble(block, sender)
    urls = _links_in(block, text.links)
    merged = tuple(dict.fromkeys([*urls, *found.links]))[:MAX_LINKS]
    whole = Signature(
        found.name,
        found.title,
        found.department,
        found.company,
        found.phones,
        found.address,
        _without_repeats(merged),
        "\n".join(block),
    )
    says = (whole.title, whole.department, whole.company, whole.phones, whole.address, whole.links)
    return whole if any(says) else None


def _links_in(block: Sequence[str], links: Sequence[tuple[str, str]]) -> list[str]:
    """Return the pages that the block's lines link to."""
    lines = set(block)
    return [url for line, url in links if line.rstrip() in lines and piece_of.is_page(url)]


def _without_repeats(urls: Sequence[str]) -> tuple[str, ...]:
    """Drop the shorter spelling of a page that is also there in full."""
    kept: list[str] = []
    for url in urls:
        plain = _plain(url)
        if not any(_plain(other) == plain for other in kept):
            kept.append(url)
    return tuple(kept)


def _plain(url: str) -> str:
    text = url.lower().partition("://")[2] or url.lower()
    return text.removeprefix("www.").partition("?")[0].rstrip("/")


def _block(lines: Sequence[str], sender: Sender) -> list[str] | None:
    """Return the lines of the signature: below a delimiter or a closing, or from the name on."""
    closing = wording().closing
    starts = [
        n + 1
        for n, line in enumerate(lines)
        if line and (_DELIMITER.match(line) or _closes(line, closing))
    ]
    for start in reversed(starts):
        block = _until_end(without_notices(lines[start : start + LOOKED_AT]))
        if any(_named(line, sender) for line in block):
            return block
    for n in range(len(lines) - 1, -1, -1):
        if _named(lines[n], sender) == 2:
            block = _until_end(without_notices(lines[n : n + LOOKED_AT]))
            return block or None
    return None


def _closes(line: str, closing: re.Pattern[str]) -> bool:
    return len(line) <= LONGEST_CLOSING and closing.fullmatch(line.strip()) is not None


def _named(line: str, sender: Sender) -> int:
    if not sender.may_name(line):
        return 0
    return max((_names(piece, sender) for piece in piece_of.split(line)), default=0)


def _names(piece: str, sender: Sender) -> int:
    """Return how well a piece names the sender, whose company may be called so, too."""
    named = sender.names(piece)
    return 0 if named and piece_of.has_form(piece) and not sender.writes(piece) else named


def _until_end(lines: Sequence[str]) -> list[str]:
    """Return the lines up to a postscript or a sentence."""
    block: list[str] = []
    for line in lines:
        if not line.strip():
            continue
        if _DELIMITER.match(line):
            if len(block) >= 3:
                break
            continue
        if _POSTSCRIPT.match(line) or _INVITATION.search(line) or len(block) >= LONGEST:
            break
        if len(line) > PROSE and len(piece_of.split(line)) < 3:
            break
        block.append(line)
    return block


def _assemble(block: Sequence[str], sender: Sender) -> Signature:
    """Say of every piece what it is: what is certain first, what its place suggests last."""
    best = max(_named(line, sender) for line in block)
    name: str | None = None
    phones: list[Number] = []
    links: list[str] = []
    pieces: list[str] = []
    place_of_name = -1
    for line in block:
        on_line, rest = piece_of.numbers(line)
        phones += on_line
        for piece in piece_of.split(rest):
            named = _names(piece, sender)
            if place_of_name < 0 and named == best:
                before, name = sender.before_name(piece)
                pieces += [word for word in before if piece_of.is_role(word)]
                place_of_name = len(pieces)
                behind = piece.partition(", ")[2]
                if piece_of.is_title(behind):
                    pieces.append(behind)
                continue
            found = piece_of.links(piece)
            links += found
            if not found and not named:
                pieces.append(piece)
    place = read_place(pieces)
    used = set(place[1]) if place else set()
    left = [
        (index, piece)
        for index, piece in enumerate(pieces)
        if index not in used and piece_of.is_wordy(piece) and not is_street(piece)
    ]
    is_sure = bool(phones or place or links)
    roles = _roles(left, place_of_name, sender, is_sure=is_sure)
    return Signature(
        name=name if best == 2 else None,
        title=roles.title,
        department=roles.department,
        company=roles.company,
        phones=tuple(dict.fromkeys(phones)),
        address=place[0] if place else None,
        links=tuple(links),
    )


class _Roles(Struct):
    title: str | None = None
    department: str | None = None
    company: str | None = None


def _roles(
    left: Sequence[tuple[int, str]], place_of_name: int, sender: Sender, *, is_sure: bool
) -> _Roles:
    roles = _Roles()
    rest: list[tuple[int, str]] = []
    for index, piece in left:
        if not _take(piece, roles, sender):
            rest.append((index, piece))
    # What stands just behind the name is a title, what follows a company: in any language.
    for index, piece in rest:
        near = 0 <= index - place_of_name <= 2 and is_sure and piece[:1].isupper()
        if near and roles.title is None and index == place_of_name and len(piece.split()) <= 5:
            roles.title = piece
        elif near and roles.company is None and len(piece.split()) <= 5 and roles.title:
            roles.company = piece
    return roles


def _take(piece: str, roles: _Roles, sender: Sender) -> bool:
    """Take a piece for what its words say; False: they say nothing."""
    titled = piece_of.is_title(piece)
    if piece_of.is_role(piece):
        for title, company in piece_of.pairs(piece):
            if piece_of.is_title(title) and _is_company(company, sender):
                roles.title = roles.title or title
                roles.company = roles.company or company
                return True
    if _is_company(piece, sender, but_titled=titled):
        roles.company = roles.company or piece
        return True
    if titled:
        roles.title = roles.title or piece
        return True
    if piece_of.is_department(piece):
        roles.department = roles.department or piece
        return True
    return False


def _is_company(piece: str, sender: Sender, *, but_titled: bool = False) -> bool:
    if piece_of.has_form(piece):
        return True
    if _is_of_domain(piece, sender.domain):
        return True
    return not but_titled and piece_of.is_organisation(piece)


def _is_of_domain(piece: str, domain: str) -> bool:
    """Tell whether a piece is what the sender's domain is called by: `Loomstack`, loomstack.io."""
    if not domain or is_free_mail(domain):
        return False
    label = max(domain.split(".")[:-1] or [""], key=len).replace("-", "")
    words = _LETTERS.findall(_ascii(piece))
    if not words or len(label) < 3:
        return False
    joined = "".join(words)
    return (
        joined.startswith(label)
        or (len(joined) >= 4 and label.startswith(joined))
        or (len(words) > 1 and label == "".join(word[0] for word in words))
    )


def _ascii(text: str) -> str:
    return anyascii(text).lower().replace("&", "and")
