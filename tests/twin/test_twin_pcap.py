"""What PCAP captures, when it ends, and why."""

import pytest

from panda_ioc.sim.twin.blocks.pcap import Pcap
from panda_ioc.sim.twin.network import Network
from twin.sequences import run

# Of position 5, all modes; then all words that are not of a position.
POSITION = [5 << 4 | mode for mode in range(9)]
OTHERS = [(32 + number) << 4 for number in range(11)]
TRIGGER_TIME = (32 + 4) << 4
NONE = 2**32 - 1

GO = "30 PCAP.ARM=0; 40 TTLIN1.VAL=1"


def _network(entries: list[int]) -> tuple[Network, Pcap]:
    """Wire ENABLE, GATE and TRIG to TTLIN1, 2 and 3, and set what to capture."""
    network = Network(
        {"PCAP": "PCAP", "TTLIN1": "TTLIN", "TTLIN2": "TTLIN", "TTLIN3": "TTLIN", "INENC1": "INENC"}
    )
    for name, source in {"ENABLE": "TTLIN1", "GATE": "TTLIN2", "TRIG": "TTLIN3"}.items():
        network.wire(f"PCAP.{name}", f"{source}.VAL")
    network.connect_buses({"TTLIN1.VAL": 0, "TTLIN2.VAL": 1, "TTLIN3.VAL": 34}, {"INENC1.VAL": 5})
    network.write("PCAP.START_WRITE", 0, 0)
    for tick, entry in enumerate(entries, 1):
        network.write("PCAP.WRITE", entry, tick)
    pcap = network.blocks["PCAP"]
    assert isinstance(pcap, Pcap)
    return network, pcap


def test_all_modes_timestamps_and_bits_of_two_rows() -> None:
    network, pcap = _network(POSITION + OTHERS)
    shown = run(
        network,
        f"{GO}; 50 INENC1.VAL=3; 52 TTLIN2.VAL=1; 55 INENC1.VAL=-5; 60 TTLIN2.VAL=0; "
        "70 TTLIN3.VAL=1; 71 INENC1.VAL=9; 75 TTLIN3.VAL=0; 100 TTLIN3.VAL=1; 140 TTLIN1.VAL=0",
    )
    assert shown == "31 PCAP.ACTIVE=1; 144 PCAP.ACTIVE=0"
    sums = [2**32 - 32, NONE, 2**32 - 5, 3, 9 + 7 * 25, 0, 0]
    first = [9, 2**32 - 8, *sums, 12, 0, 20, 0, 30, 0, 8, 1, 4, 0, 0]
    nothing = [0, 0, 0, 2**31 - 1, 2**31, 0, 0, 0]
    second = [9, *nothing, NONE, NONE, NONE, NONE, 60, 0, 0, 1, 4, 0, 0]
    # The first word leaves 8 ticks after the edge on the bus.
    assert list(pcap.stream.rows) == [(78, first), (108, second)]
    assert pcap.completion == "Ok"


def test_sums_and_duration_are_shifted() -> None:
    sums = [5 << 4 | 2, 5 << 4 | 6, (32 + 6) << 4]
    network, pcap = _network(sums)
    run(
        network,
        f"10 INENC1.VAL=-6 PCAP.SHIFT_SUM=2; {GO}; 50 TTLIN2.VAL=1; 60 TTLIN2.VAL=0; "
        "70 TTLIN3.VAL=1",
    )
    assert pcap.stream.take(200) == [[2**32 - 15, 90, 2]]


def test_the_sample_of_the_trigger_counts_to_the_next_row() -> None:
    network, pcap = _network([5 << 4 | 2])
    network.wire("PCAP.GATE", "ONE")
    run(network, f"10 INENC1.VAL=1; {GO}; 50 TTLIN3.VAL=1; 55 TTLIN3.VAL=0; 62 TTLIN3.VAL=1")
    # ENABLE acts at 43, the triggers at 53 and 65.
    assert pcap.stream.take(200) == [[10], [12]]


@pytest.mark.parametrize(("edge", "times"), [(0, [7, 27]), (1, [17]), (2, [7, 17, 27]), (3, [])])
def test_the_edges_chosen_trigger(edge: int, times: list[int]) -> None:
    network, pcap = _network([TRIGGER_TIME])
    run(
        network,
        f"20 PCAP.TRIG_EDGE={edge}; {GO}; 47 TTLIN3.VAL=1; 57 TTLIN3.VAL=0; 67 TTLIN3.VAL=1",
    )
    assert pcap.stream.take(200) == [[time] for time in times]


def test_nothing_is_captured_before_arm_nor_in_a_second_enable() -> None:
    network, pcap = _network([TRIGGER_TIME])
    run(
        network,
        "10 TTLIN1.VAL=1; 15 TTLIN3.VAL=1; 18 TTLIN3.VAL=0; 22 TTLIN1.VAL=0; "
        f"{GO}; 50 TTLIN3.VAL=1; 60 TTLIN3.VAL=0; 70 TTLIN1.VAL=0; 80 TTLIN1.VAL=1; "
        "90 TTLIN3.VAL=1",
    )
    assert pcap.stream.take(200) == [[10]]


def test_triggers_as_far_apart_as_a_row_is_long_are_fine() -> None:
    network, pcap = _network([TRIGGER_TIME, TRIGGER_TIME + 16])
    network.write("PCAP.TRIG_EDGE", 2, 20)
    assert run(network, f"{GO}; 50 TTLIN3.VAL=1; 52 TTLIN3.VAL=0; 54 TTLIN3.VAL=1", 100) == (
        "31 PCAP.ACTIVE=1"
    )
    assert pcap.stream.take(200) == [[10, 0], [12, 0], [14, 0]]


def test_triggers_closer_than_a_row_end_it_with_an_incomplete_row() -> None:
    network, pcap = _network([TRIGGER_TIME, TRIGGER_TIME + 16, 5 << 4, 5 << 4])
    network.write("PCAP.TRIG_EDGE", 2, 20)
    shown = run(network, f"{GO}; 50 TTLIN3.VAL=1; 52 TTLIN3.VAL=0")
    assert shown == "31 PCAP.ACTIVE=1; 60 PCAP.ACTIVE=0 PCAP.HEALTH=1"
    assert list(pcap.stream.rows) == [(58, [10, 0, 0])]
    assert pcap.completion == "Framing error"


def test_health_is_well_again_when_armed() -> None:
    network, _ = _network([TRIGGER_TIME] * 4)
    network.write("PCAP.TRIG_EDGE", 2, 20)
    shown = run(network, f"{GO}; 50 TTLIN3.VAL=1; 52 TTLIN3.VAL=0; 80 PCAP.ARM=0", 100)
    assert shown.endswith("81 PCAP.ACTIVE=1 PCAP.HEALTH=0")


def test_disarm_cuts_the_row_that_leaves() -> None:
    network, pcap = _network([5 << 4] * 6)
    shown = run(network, f"{GO}; 50 TTLIN3.VAL=1; 60 PCAP.DISARM=0")
    assert shown == "31 PCAP.ACTIVE=1; 61 PCAP.ACTIVE=0"
    assert list(pcap.stream.rows) == [(58, [0, 0, 0, 0])]
    assert pcap.stream.take(1000) == [[0, 0, 0, 0]]
    assert pcap.completion == "Disarmed"


def test_the_end_of_enable_waits_for_the_row_that_leaves() -> None:
    network, pcap = _network([5 << 4] * 6)
    shown = run(network, f"{GO}; 50 TTLIN3.VAL=1; 57 TTLIN1.VAL=0")
    # The last word leaves in 63.
    assert shown == "31 PCAP.ACTIVE=1; 65 PCAP.ACTIVE=0"
    assert list(pcap.stream.rows) == [(58, [0] * 6)]


@pytest.mark.parametrize(("ticks", "rows"), [(0, 0), (3, 0), (4, 1)])
def test_a_trigger_just_before_the_end_of_enable_is_lost(ticks: int, rows: int) -> None:
    network, pcap = _network([5 << 4])
    run(network, f"{GO}; 50 TTLIN3.VAL=1; {50 + ticks} TTLIN1.VAL=0")
    assert len(pcap.stream.rows) == rows


def test_no_room_for_more_words_ends_it() -> None:
    network, pcap = _network([5 << 4])
    assert run(network, f"{GO}; 50 PCAP.DMA_FULL=0") == (
        "31 PCAP.ACTIVE=1; 51 PCAP.ACTIVE=0 PCAP.HEALTH=2"
    )
    assert pcap.completion == "DMA data error"


def test_rows_are_taken_when_their_last_word_has_left() -> None:
    network, pcap = _network([TRIGGER_TIME, 5 << 4])
    run(network, f"{GO}; 50 TTLIN3.VAL=1", until=60)
    assert pcap.stream.take(59) == []
    assert pcap.stream.take(60) == [[10, 0]]
    assert pcap.stream.take(1000) == []
