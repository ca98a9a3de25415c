"""What can be read of a message without knowing any other: the part that processes can share."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from services.ingest.sources.mail.judging import LeftOut, why_left_out
from services.ingest.sources.mail.message import Mail, digest_of, read_mail
from services.ingest.sources.mail.signature import Text, end_of, own_text, snippet_of


class Parsed(Struct, frozen=True):
    """A message on its way to its signals."""

    mail: Mail
    """Without its texts: what the writer wrote is in `text`."""
    record_id: str
    """What all copies of the message are known by."""
    left_out: LeftOut | None
    """Why the message is left out by what it says itself; then it has no text."""
    text: Text
    """The end of it, in which a signature stands."""
    snippet: str
    """The beginning of it, for a timeline."""


NOTHING = Text(())


def parse(raw: bytes, folder: str, now: datetime) -> Parsed:
    """Read one message as it lies in a mailbox's folder."""
    return parsed(read_mail(raw, now), folder)


def parsed(mail: Mail, folder: str) -> Parsed:
    """Do the same with a message whose parts were read already."""
    left_out = why_left_out(mail, folder)
    if left_out is None and mail.sent_at is None:
        left_out = "undated"
    text = own_text(mail.plain, mail.html) if left_out is None else NOTHING
    return Parsed(
        mail=replace(mail, plain="", html=""),
        record_id=mail.message_id or f"digest:{digest_of(mail)}",
        left_out=left_out,
        text=end_of(text),
        snippet=snippet_of(text),
    )
