"""vCard files of many cards: 2.1, 3.0 and 4.0, as Apple, Google, Outlook and Android write them."""

from datetime import UTC, datetime
from typing import Any, BinaryIO, Final

from services.ingest.sources.more import MALFORMED, add_more
from services.ingest.sources.row import CONTACT_ID, BadRow, Blank, Row, Rows, compact
from services.ingest.sources.sniffed import Sniffed
from services.ingest.sources.vcard_background import add_background
from services.ingest.sources.vcard_cards import MAX_PROPERTIES, Card, read_cards
from services.ingest.sources.vcard_custom import add_android, add_custom
from services.ingest.sources.vcard_gathered import Gathered, text_of
from services.ingest.sources.vcard_groups import Groups, read_groups, uid_of
from services.ingest.sources.vcard_links import add_links
from services.ingest.sources.vcard_person import (
    add_birthday,
    add_employments,
    add_labels,
    add_names,
    add_notes,
    has_personal_name,
)
from services.ingest.sources.vcard_points import add_addresses, add_points
from services.ingest.sources.vcard_property import Property, read_properties

_NO_PERSON: Final = {
    "org": "is a company's card; only people are imported from address books",
    "location": "is a place's card; only people are imported from address books",
    "application": "is a program's card; only people are imported from address books",
    "device": "is a device's card; only people are imported from address books",
}
"""`KIND` (RFC 6350 6.1.4, 6473, 6869) → why the card is not taken."""

_TOO_MANY: Final = "has more than 1,000 properties; it is no person's card"
_TOO_MANY_MEMBERS: Final = (
    "comes after 300,000 memberships of groups; its members are taken, this label is not"
)
_CUT: Final = "the file ends before this card says anything; export the file again"


def read_vcard(file: BinaryIO, sniffed: Sniffed) -> Rows:
    """Yield a row per card.  A card's groups, which may stand after it, become its labels."""
    groups = read_groups(file, sniffed.encoding) if sniffed.has_groups else Groups({})
    for card in read_cards(read_properties(file, sniffed.encoding)):
        yield card if isinstance(card, BadRow) else read_card(card, groups)


def read_card(card: Card, groups: Groups) -> Row | BadRow | Blank:
    """Read one card as a person; a group, or a card that says nothing, is blank."""
    found = Gathered.of(card)
    name, kind = _kind_of(found)
    if kind == "group":
        unread = groups.unread is not None and card.line >= groups.unread
        return BadRow(card.line, "MEMBER", _TOO_MANY_MEMBERS) if unread else Blank(card.line)
    if len(card.properties) > MAX_PROPERTIES:
        return BadRow(card.line, "", _TOO_MANY)
    if kind in _NO_PERSON:
        return BadRow(card.line, name, _NO_PERSON[kind])
    raw = _raw(card.properties)
    uid = next((uid_of(one.value) for one in found.take("UID", "X-ABUID")), None)
    android_groups = add_android(found)
    add_names(found)
    add_points(found)
    add_addresses(found)
    add_employments(found)
    add_birthday(found)
    add_links(found)
    add_notes(found)
    add_labels(found, [*android_groups, *groups.names.get(uid or "", ())])
    more = found.take("X-KITH-MORE")
    add_background(found)
    add_custom(found, card.agents)
    record = compact({**found.record, "custom_fields": found.custom})
    for one in more:
        if not add_more(record, text_of(one)):
            found.note(one.head.name, MALFORMED)
    if not record:
        return BadRow(card.line, "END", _CUT) if card.cut else Blank(card.line)
    if uid and CONTACT_ID.fullmatch(uid):
        record["about"] = uid
    if uid and (version := _version_of(found.take("REV"))) is not None:
        record["source_version"] = version
    return Row(card.line, record, raw, uid, found.left_out, found.columns)


def _kind_of(found: Gathered) -> tuple[str, str]:
    """Return what a card is of, and the property that says so; a named person is a person."""
    for one in found.take("KIND", "X-ADDRESSBOOKSERVER-KIND"):
        return one.head.name, text_of(one).lower()
    for one in found.take("X-ABSHOWAS"):
        if text_of(one).upper() == "COMPANY" and not has_personal_name(found):
            return one.head.name, "org"
    return "", "individual"


def _version_of(revisions: list[Property]) -> int | None:
    """Read `REV`, when the card was last changed, in milliseconds since 1970."""
    for one in revisions:
        try:
            moment = datetime.fromisoformat(text_of(one).partition("(")[0])
        except ValueError:
            continue
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0, round(moment.timestamp() * 1_000))
    return None


def _raw(properties: list[Property]) -> dict[str, Any]:
    """Return the card as it came: what stands before the colon → what stands after it."""
    raw: dict[str, list[str]] = {}
    for one in properties:
        value = one.value
        if one.head.binary and not value:
            value = f"({one.left_out:,} bytes, left out)"
        raw.setdefault(one.head.text, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in raw.items()}
