"""Which identifiers several people use: by their form, or by how many were seen with them."""

import pytest

from services.resolver.domain.matching.model import IDENTIFIERS
from services.resolver.domain.matching.sharing import is_role_mailbox, is_shared
from services.resolver.domain.matching.statistics import SHARED_BY, Counts


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("info@acme.com", True),
        ("sales-uk@acme.com", True),
        ("sales_team_uk@acme.com", True),
        ("support2@acme.com", True),
        ("customer.service@acme.com", True),
        ("kontakt@acme.de", True),
        ("ada@acme.com", False),
        ("uk@acme.com", False),
        ("ada.sales@acme.com", False),
        ("sales-bob@acme.com", False),
        ("infotainment@acme.com", False),
    ],
)
def test_role_mailboxes_are_told_by_their_words(email: str, *, expected: bool) -> None:
    assert is_role_mailbox(email) is expected


@pytest.mark.parametrize("attribute", sorted(IDENTIFIERS))
def test_an_identifier_is_shared_from_so_many_people_on(attribute: str) -> None:
    for seen, expected in ((SHARED_BY - 1, False), (SHARED_BY, True)):
        counts = Counts(1_000, {(attribute, "ada"): seen})
        assert is_shared(attribute, "ada", counts) is expected


def test_a_role_is_a_mailboxes_alone_and_what_many_have_is_no_identifier() -> None:
    many = Counts(1_000, {("city", "leeds"): 500})
    assert not is_shared("city", "leeds", many)
    assert is_shared("email", "info@acme.com", Counts(1_000))
    assert not is_shared("handle", "info@acme.com", Counts(1_000))
