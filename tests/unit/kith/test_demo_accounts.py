from hypothesis import given
from hypothesis import strategies as st

from kith.demo.accounts import Account, Fate, settle_account
from kith.demo.run import tell_problems


def fate(record: str, contact: int | None, *, known: bool = False, dead: bool = False) -> Fate:
    return Fate(record, contact, known, dead)


def test_a_first_run_is_all_new_and_counts_what_joined() -> None:
    account = settle_account([fate("a", 1), fate("b", 1), fate("c", 2)])
    assert account == Account(fed=3, new=3, already_known=0, dead_letters=0, lost=0, merged=1)


def test_a_second_run_knows_everything() -> None:
    account = settle_account([fate("a", 1, known=True), fate("b", 1, known=True)])
    assert (account.new, account.already_known, account.merged) == (0, 2, 1)


def test_what_is_nowhere_is_lost_and_what_is_set_aside_is_not() -> None:
    account = settle_account([fate("a", None), fate("b", None, dead=True)])
    assert (account.lost, account.dead_letters) == (1, 1)


def test_a_dead_letter_that_was_replayed_is_no_longer_dead() -> None:
    account = settle_account([fate("a", 1, dead=True)])
    assert (account.new, account.dead_letters) == (1, 0)


def test_a_record_fed_twice_is_new_once() -> None:
    account = settle_account([fate("a", 1), fate("a", 1)])
    assert (account.new, account.already_known, account.merged) == (1, 1, 0)


@given(
    st.lists(
        st.builds(
            Fate,
            st.integers(0, 20),
            st.none() | st.integers(0, 5),
            st.booleans(),
            st.booleans(),
        ),
        unique_by=lambda one: one.record,
    )
)
def test_the_sum_is_what_was_fed(fates: list[Fate]) -> None:
    account = settle_account(fates)
    parts = account.new + account.already_known + account.dead_letters + account.lost
    assert parts == account.fed == len(fates)


def test_loss_and_a_wrong_read_model_are_problems_and_dead_letters_are_not() -> None:
    assert tell_problems(0, 0) == ()
    assert "2 signals" in tell_problems(2, 0)[0]
    assert "3 contacts" in tell_problems(0, 3)[0]
