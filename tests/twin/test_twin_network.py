"""Wires, delays, writes and the recorder."""

import pytest

from panda_ioc.errors import TwinError
from panda_ioc.sim.twin.network import Network


def _wired(delay: int = 0) -> Network:
    network = Network({"TTLIN1": "TTLIN", "TTLIN2": "TTLIN", "LUT1": "LUT"})
    network.wire("LUT1.INPA", "TTLIN1.VAL", delay)
    network.write("LUT1.FUNC", 0xFFFF0000)
    return network


def _changes(network: Network, until: int = 200) -> list[tuple[int, int]]:
    recorder = network.record(["LUT1.OUT"])
    network.run_until(until)
    return [(tick, value) for tick, _, value in recorder.changes(until)]


@pytest.mark.parametrize("delay", [0, 1, 31])
def test_a_bit_arrives_two_ticks_and_its_delay_after_the_bus(delay: int) -> None:
    network = _wired(delay)
    network.write("TTLIN1.VAL", 1, 40)
    network.write("TTLIN1.VAL", 0, 41)
    assert _changes(network) == [(43 + delay, 1), (44 + delay, 0)]


def test_a_position_arrives_one_tick_after_the_bus() -> None:
    network = Network({"INENC1": "INENC", "CALC1": "CALC"})
    network.wire("CALC1.INPB", "INENC1.VAL")
    recorder = network.record(["CALC1.OUT"])
    network.write("INENC1.VAL", -5, 40)
    network.run_until(100)
    assert recorder.changes(100) == [(42, "CALC1.OUT", -5)]


def test_a_new_wire_brings_its_level_after_what_was_on_the_way() -> None:
    network = _wired(10)
    network.write("TTLIN1.VAL", 1, 20)
    network.run_until(25)
    network.wire("LUT1.INPA", "TTLIN2.VAL")
    assert _changes(network) == [(33, 1), (38, 0)]


def test_a_new_wire_wins_over_a_change_of_the_old_source_in_the_same_period() -> None:
    network = _wired()
    network.write("TTLIN1.VAL", 1, 25)
    network.run_until(25)
    network.wire("LUT1.INPA", "TTLIN2.VAL")
    assert _changes(network) == []


def test_a_longer_delay_shows_again_what_the_line_holds() -> None:
    network = _wired()
    network.write("TTLIN1.VAL", 1, 20)
    network.write("TTLIN1.VAL", 0, 22)
    recorder = network.record(["LUT1.OUT"])
    network.run_until(30)
    network.set_delay("LUT1.INPA", 20)
    network.run_until(100)
    seen = [(tick, value) for tick, _, value in recorder.changes(100)]
    assert seen == [(23, 1), (25, 0), (43, 1), (45, 0)]


def test_a_shorter_delay_skips_what_the_line_holds() -> None:
    network = _wired(20)
    network.write("TTLIN1.VAL", 1, 20)
    network.write("TTLIN1.VAL", 0, 22)
    network.write("TTLIN1.VAL", 1, 26)
    network.run_until(30)
    network.set_delay("LUT1.INPA", 3)
    # The tap of 3 is past both edges; only the level of the end is left, from period 31 on.
    assert _changes(network) == [(32, 1)]


@pytest.mark.parametrize(("tick", "end"), [(51, 85), (52, 54), (53, 54)])
def test_a_new_delay_leaves_what_is_in_the_register_of_pcap(tick: int, end: int) -> None:
    network = Network({"TTLIN1": "TTLIN", "PCAP": "PCAP"})
    network.wire("PCAP.ENABLE", "TTLIN1.VAL")
    network.write("TTLIN1.VAL", 1, 10)
    network.write("PCAP.ARM", 0, 30)
    network.write("TTLIN1.VAL", 0, 50)
    recorder = network.record(["PCAP.ACTIVE"])
    network.run_until(tick)
    network.set_delay("PCAP.ENABLE", 31)
    network.run_until(200)
    assert recorder.changes(200) == [(31, "PCAP.ACTIVE", 1), (end, "PCAP.ACTIVE", 0)]


def test_the_last_write_of_a_tick_counts() -> None:
    network = _wired()
    network.write("TTLIN1.VAL", 1, 20)
    network.write("TTLIN1.VAL", 0, 20)
    assert _changes(network) == []


def test_slices_do_not_change_what_happens() -> None:
    def recorded(ends: list[int]) -> list[tuple[int, str, int]]:
        network = Network({"CLOCK1": "CLOCK", "DIV1": "DIV"})
        network.wire("CLOCK1.ENABLE", "ONE")
        network.wire("DIV1.ENABLE", "ONE")
        network.wire("DIV1.INP", "CLOCK1.OUT", 5)
        network.write("CLOCK1.PERIOD", 7)
        network.write("DIV1.DIVISOR", 3)
        recorder = network.record()
        for end in ends:
            network.run_until(end)
        return recorder.changes(300)

    whole = recorded([300])
    assert len(whole) > 100
    assert recorded(list(range(1, 301))) == whole
    assert recorded([13, 14, 100, 299, 300]) == whole


def test_a_recorder_keeps_the_newest_changes_only() -> None:
    network = Network({"CLOCK1": "CLOCK"})
    network.wire("CLOCK1.ENABLE", "ONE")
    network.write("CLOCK1.PERIOD", 10)
    recorder = network.record(["CLOCK1.OUT"], most=2)
    network.run_until(100)
    assert [change[0] for change in recorder.changes(100)] == [94, 99]


@pytest.mark.parametrize(
    ("ask", "complaint"),
    [
        (lambda n: n.write("LUT9.FUNC", 1), "no block 'LUT9'.*TTLIN1"),
        (lambda n: n.write("LUT1.OUT", 1), "LUT1.OUT cannot be written.*FUNC"),
        (lambda n: n.write("LUT1.FUNC", 1, -1), "tick -1"),
        (lambda n: n.wire("LUT1.OUT", "ONE"), "LUT1.OUT is no input.*INPA"),
        (lambda n: n.wire("LUT1.INPA", "LUT1.FUNC"), "LUT1.FUNC is no output.*OUT"),
        (lambda n: n.set_delay("LUT1.INPA", 32), "delay 32 for LUT1.INPA.*0 to 31"),
        (lambda n: Network({"X1": "X"}), "no block type 'X'.*CLOCK"),
    ],
)
def test_what_is_not_there_is_named(ask: object, complaint: str) -> None:
    with pytest.raises(TwinError, match=complaint):
        ask(_wired())  # type: ignore[operator]
