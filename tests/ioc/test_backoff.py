"""Pauses between attempts to connect."""

from panda_ioc.ioc.panda.backoff import FIRST, LONGEST, Backoff


class Clock:
    """Time that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_pauses_grow_up_to_the_longest() -> None:
    backoff = Backoff(Clock())
    bounds = [FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST, LONGEST, LONGEST]
    for bound, pause in zip(bounds, (backoff.failed() for _ in bounds), strict=True):
        assert bound / 2 <= pause <= bound


def test_a_connection_that_held_begins_the_series_anew() -> None:
    clock = Clock()
    backoff = Backoff(clock)
    for _ in range(5):
        backoff.failed()
    backoff.connected()
    clock.now += LONGEST
    assert backoff.has_held
    assert backoff.failed() <= FIRST
    assert not backoff.has_held


def test_a_connection_that_is_closed_at_once_does_not() -> None:
    clock = Clock()
    backoff = Backoff(clock)
    for _ in range(5):
        backoff.connected()
        clock.now += LONGEST / 2
        backoff.failed()
    backoff.connected()
    assert backoff.failed() >= LONGEST / 2
