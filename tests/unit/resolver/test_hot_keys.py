"""What a matcher remembers of hot keys is each tenant's own, and bounded."""

from services.resolver.store.matching import MOST_HOT, HotKeys


def test_hot_keys_are_known_to_their_tenant_alone() -> None:
    hot = HotKeys()
    hot.keep(1, {7, 8})
    assert hot.known(1, {7, 9}) == {7}
    assert hot.known(2, {7, 9}) == set()


def test_more_than_it_may_hold_begins_anew_with_what_was_read_last() -> None:
    hot = HotKeys()
    hot.keep(1, range(MOST_HOT))
    hot.keep(2, {7})
    assert hot.known(1, {7}) == set()
    assert hot.known(2, {7}) == {7}


def test_what_is_too_much_by_itself_is_not_kept() -> None:
    hot = HotKeys()
    hot.keep(1, range(MOST_HOT + 1))
    assert hot.known(1, {7}) == set()
