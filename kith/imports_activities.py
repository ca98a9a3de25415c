"""What `kith import` and `kith activities` print of mail, calendars and logs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from kith.imports_classes import Document, classes_told

NOUNS: Final = {
    "mbox": "messages",
    "eml": "messages",
    "emlx": "messages",
    "calendar": "meetings",
    "call-log": "calls or messages",
    "phone-backup": "calls or messages",
}
"""Layout → what its entries are; activities, where it does not say."""

CLASSES: Final = {
    "new": "are not known yet",
    "update": "say of a known one what is not known of it",
    "duplicate": "are known already: at most their signatures say something new",
    "left_out": "are left out",
    "rejected": "cannot be taken",
}
"""Class of entries → what a preview says of them."""

VERDICTS: Final = {
    "recorded": "are on the timelines of who took part",
    "unchanged": "were known already",
    "skipped": "were left out",
    "rejected": "could not be taken",
}
"""Verdict → what a report says of the entries."""

_REASONS: Final = {
    "again": "read before",
    "automatic": "automatic answers and reports on delivery",
    "bot": "written by programs",
    "chat": "chats",
    "draft": "drafts",
    "list": "mailing lists and newsletters",
    "no_reply": "from no-reply addresses",
    "no_sender": "without a sender",
    "nobody_else": "with nobody but yourself",
    "spam": "spam",
    "undated": "without a date",
}
"""Reason → words for a person."""


_PASSED: Final = {
    "no_reply": "no-reply addresses",
    "bot": "of programs and lists",
    "invalid": "no addresses that can be read",
    "too_many": "above the 500 that may take part in one message",
}
"""Reason why a mailbox takes no part → words for a person."""


def noun_of(document: Document) -> str:
    """Say what the entries of a file are."""
    return NOUNS.get((document["reading"] or {}).get("layout", ""), "activities")


def preview_of(document: Document, shown: Mapping[str, Sequence[Document]]) -> Iterator[str]:
    """Say what an import of activities would do; `shown`: some entries of each class."""
    noun, instead = noun_of(document), {"left_out": _left_out}
    yield from classes_told(document, shown, noun, CLASSES, _row, instead=instead)
    yield from _around(document)


def report_of(report: Document) -> Iterator[str]:
    """Say what became of every entry."""
    yield f"  {report['import_id']}: {report['state']}, {report['rows']:,} {noun_of(report)}"
    for name, words in VERDICTS.items():
        if count := report["verdicts"].get(name, 0):
            yield f"  {count:>9,} {words}"
            if name == "skipped":
                yield from _left_out(report)
    if report["state"] == "done":
        yield f"  {report['events']:>9,} events"
        yield from _around(report)


def _left_out(document: Document) -> Iterator[str]:
    reasons = sorted(document["activities"]["left_out"].items(), key=lambda one: -one[1])
    for why, count in reasons:
        yield f"              {count:,} {_REASONS.get(why, why)}"


def _around(document: Document) -> Iterator[str]:
    told = document["activities"]
    if told["signatures"]:
        yield f"  {told['signatures']:>9,} signatures say something new of their sender"
    if told["people"]:
        known, new = told["people"]["known"], told["people"]["new"]
        yield f"  {known + new:>9,} people take part: {known:,} known, {new:,} new"
    if noun_of(document) == "messages":
        own = ", ".join(told["own"] or ())
        yield from _passed(told["passed"])
        yield f"  your own addresses: {own or 'none known; name them with --own'}"
    if document["warnings"]:
        yield f"  {document['warnings']:>9,} values cannot be read and are left out"


def _passed(counts: Mapping[str, int]) -> Iterator[str]:
    """Say whose mailboxes take no part in messages that are taken; own ones are told below."""
    told = [(why, counts[why]) for why in _PASSED if counts.get(why)]
    if told:
        yield f"  {sum(count for _, count in told):>9,} mailboxes take no part in such messages"
        yield from (f"              {count:,} {_PASSED[why]}" for why, count in told)


def _row(row: Document) -> Iterator[str]:
    happened = row.get("happened")
    if not happened:
        place = f", {row['field']}" if row["field"] else ""
        yield f"line {row['line']}{place}: {row['reason']}".rstrip(": ")
        return
    who = [one["name"] or one["reached_by"] or one["role"] for one in happened["participants"]]
    title = f" {happened['title']}" if happened.get("title") else ""
    when = happened["occurred_at"][:16].replace("T", " ")
    yield f"line {row['line']}: {when}{title} ({', '.join(who[:3])}{', …' if who[3:] else ''})"
