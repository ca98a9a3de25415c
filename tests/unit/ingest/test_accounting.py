"""What is counted of signals, and under which names."""

from services.ingest.domain.accounting import MOST_SOURCES, OTHER, UNREAD, Account, Sources


def test_verdicts_and_ages_are_told_by_source() -> None:
    account = Account(Sources())
    for source, received in (("crm", 9_000), ("crm", 4_000), ("mail", 10_000)):
        account.accept(source, received)
    account.accept("pushed")
    account.refuse("crm", "invalid")
    account.refuse("never_seen", "invalid")
    account.refuse(None, "malformed")
    assert sorted(account.verdicts()) == [
        ("crm", "accepted", 2),
        ("crm", "invalid", 1),
        ("mail", "accepted", 1),
        ("pushed", "accepted", 1),
        (UNREAD, "invalid", 1),
        (UNREAD, "malformed", 1),
    ]
    assert dict(account.ages(10_000)) == {"crm": 6.0, "mail": 0.0}


def test_senders_cannot_make_labels_without_end() -> None:
    sources = Sources()
    labels = {sources.label(f"source_{number}") for number in range(1_000)}
    assert len(labels) == MOST_SOURCES - 1
    assert OTHER in labels
    assert sources.named("source_0") == "source_0"
    assert sources.named("source_999") == UNREAD
