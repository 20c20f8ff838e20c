"""When the change feed looks more often."""

import asyncio
from itertools import count

import pytest

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.attention import CREDIT, EARNED, SECONDS, Attention
from panda_ioc.client.changes import Batch, ChangeFeed
from support.servers import Sim


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attention(clock: Clock) -> Attention:
    return Attention(clock)


def test_nothing_has_happened_at_first(attention: Attention) -> None:
    assert not attention.is_paid
    attention.see({})
    assert not attention.is_paid


def test_a_put_and_a_change_are_reasons_for_a_second(attention: Attention, clock: Clock) -> None:
    for happen in (attention.call, lambda: attention.see({"TTLIN1.VAL": "1"})):
        happen()
        clock.now += SECONDS * 0.9
        assert attention.is_paid
        clock.now += SECONDS * 0.2
        assert not attention.is_paid


def test_an_acquisition_is_one_as_long_as_it_lasts(attention: Attention, clock: Clock) -> None:
    attention.see({"PCAP.ACTIVE": "1"})
    clock.now += 3600
    attention.see({})
    assert attention.is_paid
    attention.see({"PCAP.ACTIVE": "0"})
    clock.now += SECONDS * 1.1
    assert not attention.is_paid


def test_after_a_reconnection_it_is_not_taken_for_granted(
    attention: Attention, clock: Clock
) -> None:
    attention.see({"PCAP.ACTIVE": "1"})
    attention.forget()
    clock.now += SECONDS * 1.1
    assert not attention.is_paid


def test_what_a_panda_measures_of_itself_is_none(attention: Attention) -> None:
    attention.see({"SYSTEM.TEMP_PSU": "40", "SYSTEM.ALIM_12V0": "12.1"})
    assert not attention.is_paid


def test_what_moves_all_the_time_is_no_reason_but_what_else_changes_is(
    attention: Attention, clock: Clock
) -> None:
    for turn in range(1000):
        clock.now += 0.1
        attention.see({"INENC1.VAL": str(turn)})
    clock.now += SECONDS * 2
    attention.see({"INENC1.VAL": "-1"})
    assert not attention.is_paid
    attention.see({"INENC1.VAL": "-2", "TTLIN1.VAL": "1"})
    assert attention.is_paid


def test_what_moved_counts_again_once_it_has_rested(attention: Attention, clock: Clock) -> None:
    for turn in range(1000):
        clock.now += 0.1
        attention.see({"INENC1.VAL": str(turn)})
    clock.now += CREDIT / EARNED
    attention.see({"INENC1.VAL": "-3"})
    assert attention.is_paid


def test_what_changes_twice_a_second_counts_for_ever(attention: Attention, clock: Clock) -> None:
    for turn in range(1000):
        clock.now += 0.5
        attention.see({"TTLIN1.VAL": str(turn % 2)})
        assert attention.is_paid


async def test_the_feed_polls_quickly_while_things_happen(sim: Sim) -> None:
    sim.put("*SIM.ALIVE=0", "*SIM.OK=")
    batches: list[Batch] = []
    async with AsyncioClient("127.0.0.1", sim.port) as client:
        feed = ChangeFeed(client, 5.0, batches.append, count(1).__next__, (), 0.01)
        running = asyncio.create_task(feed.run())
        await asyncio.sleep(0.5)
        assert len(batches) > 5  # all that there is was news
        before = -1
        while before != (before := await _after(1.0, batches)):
            pass
        sim.put("PULSE1.PULSES=7")
        before = len(batches)
        feed.poke()
        await asyncio.sleep(0.5)
        assert len(batches) > before + 5
        running.cancel()


async def _after(seconds: float, batches: list[Batch]) -> int:
    await asyncio.sleep(seconds)
    return len(batches)
