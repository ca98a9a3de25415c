"""Back-off: fast at first, bounded, forgotten after a good run."""

from kith.stack.backoff import HEALTHY_SECONDS, LONGEST_SECONDS, count_failures, delay_seconds


def test_the_delay_doubles_up_to_the_longest() -> None:
    delays = [delay_seconds(failures) for failures in range(1, 9)]
    assert delays == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, LONGEST_SECONDS, LONGEST_SECONDS]
    assert delay_seconds(10_000) == LONGEST_SECONDS


def test_a_good_run_forgets_the_failures_before_it() -> None:
    assert count_failures(7, HEALTHY_SECONDS - 0.1) == 8
    assert count_failures(7, HEALTHY_SECONDS) == 1
