"""One short sequence for each of the small blocks, worth a look at each rule that it has."""

import pytest

from twin.sequences import block_alone, run


def test_bits_take_the_lowest_bit_of_what_is_written() -> None:
    shown = run(block_alone("BITS"), "5 BITS1.A=1; 9 BITS1.D=3; 12 BITS1.A=2")
    assert shown == "6 BITS1.OUTA=1; 10 BITS1.OUTD=1; 13 BITS1.OUTA=0"


@pytest.mark.parametrize(
    ("writes", "shown"),
    [
        ("20 TTLIN2.VAL=1; 25 TTLIN2.VAL=0; 30 TTLIN3.VAL=1", "23 SRGATE1.OUT=1; 33 SRGATE1.OUT=0"),
        ("20 TTLIN2.VAL=1 TTLIN3.VAL=1; 30 TTLIN2.VAL=0", ""),
        (
            "1 SRGATE1.SET_EDGE=1 SRGATE1.RST_EDGE=2; 20 TTLIN2.VAL=1; 30 TTLIN2.VAL=0; "
            "40 TTLIN3.VAL=1",
            "33 SRGATE1.OUT=1; 43 SRGATE1.OUT=0",
        ),
        ("20 SRGATE1.FORCE_SET=0; 30 SRGATE1.FORCE_RST=0", "21 SRGATE1.OUT=1; 31 SRGATE1.OUT=0"),
        ("20 SRGATE1.FORCE_SET=0 SRGATE1.FORCE_RST=0; 22 TTLIN3.VAL=1", ""),
        # Disabled: nothing sets it, WHEN_DISABLED chooses low, high or what it was.
        ("8 TTLIN1.VAL=0; 20 SRGATE1.FORCE_SET=1; 30 TTLIN2.VAL=1", ""),
        (
            "9 SRGATE1.WHEN_DISABLED=2; 20 SRGATE1.FORCE_SET=0; 30 TTLIN1.VAL=0; "
            "40 SRGATE1.WHEN_DISABLED=0; 50 SRGATE1.WHEN_DISABLED=1",
            "21 SRGATE1.OUT=1; 41 SRGATE1.OUT=0; 51 SRGATE1.OUT=1",
        ),
    ],
)
def test_srgate(writes: str, shown: str) -> None:
    network = block_alone("SRGATE", "ENABLE SET RST")
    network.write("TTLIN1.VAL", 1, 5)
    assert run(network, writes) == shown


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        (0, "23 LUT1.OUT=1; 33 LUT1.OUT=0"),
        (1, "23 LUT1.OUT=1; 24 LUT1.OUT=0"),
        (2, "33 LUT1.OUT=1; 34 LUT1.OUT=0"),
        (3, "23 LUT1.OUT=1; 24 LUT1.OUT=0; 33 LUT1.OUT=1; 34 LUT1.OUT=0"),
    ],
)
def test_lut_looks_at_levels_or_edges(kind: int, shown: str) -> None:
    network = block_alone("LUT", "INPA INPB")
    writes = f"1 LUT1.FUNC=0xFF000000 LUT1.TYPEB={kind}; 10 TTLIN1.VAL=1; 20 TTLIN2.VAL=1"
    assert run(network, f"{writes}; 30 TTLIN2.VAL=0") == shown


@pytest.mark.parametrize(("row", "bit"), [("INPA", 16), ("INPB", 8), ("INPC", 4), ("INPE", 1)])
def test_lut_row_of_each_input(row: str, bit: int) -> None:
    network = block_alone("LUT", row)
    shown = run(network, f"1 LUT1.FUNC={1 << bit}; 10 TTLIN1.VAL=1")
    assert shown == "13 LUT1.OUT=1"


def test_calc_adds_subtracts_shifts_and_wraps() -> None:
    network = block_alone("CALC", "", "INPA INPB INPC")
    shown = run(
        network,
        "5 INENC1.VAL=10; 10 INENC2.VAL=-3; 20 CALC1.TYPEA=1; 30 CALC1.SHIFT=1; 40 CALC1.SHIFT=3; "
        "50 CALC1.SHIFT=0 CALC1.TYPEA=0; 60 INENC3.VAL=0x7FFFFFFF",
    )
    assert shown == (
        "7 CALC1.OUT=10; 12 CALC1.OUT=7; 21 CALC1.OUT=-13; 31 CALC1.OUT=-7; 41 CALC1.OUT=-4; "
        "51 CALC1.OUT=7; 62 CALC1.OUT=-2147483642"
    )


@pytest.mark.parametrize(
    ("writes", "shown"),
    [
        ("1 CLOCK1.PERIOD=20", "14 CLOCK1.OUT=1; 24 CLOCK1.OUT=0; 34 CLOCK1.OUT=1"),
        ("1 CLOCK1.PERIOD=1; 12 TTLIN1.VAL=0", "14 CLOCK1.OUT=1; 15 CLOCK1.OUT=0"),
        (
            "1 CLOCK1.PERIOD=2; 2 CLOCK1.WIDTH=20",
            "14 CLOCK1.OUT=1; 34 CLOCK1.OUT=0; 35 CLOCK1.OUT=1",
        ),
        ("1 CLOCK1.PERIOD=9; 16 CLOCK1.PERIOD=0", "14 CLOCK1.OUT=1; 18 CLOCK1.OUT=0"),
        # A write restarts it high two ticks later; disabling takes two ticks.
        (
            "1 CLOCK1.PERIOD=20; 25 CLOCK1.WIDTH=5",
            "14 CLOCK1.OUT=1; 24 CLOCK1.OUT=0; 27 CLOCK1.OUT=1; 32 CLOCK1.OUT=0",
        ),
        ("1 CLOCK1.PERIOD=20; 15 TTLIN1.VAL=0", "14 CLOCK1.OUT=1; 19 CLOCK1.OUT=0"),
        ("", ""),
    ],
)
def test_clock(writes: str, shown: str) -> None:
    network = block_alone("CLOCK", "ENABLE")
    assert run(network, f"10 TTLIN1.VAL=1; {writes or '11'}", until=40) == shown


def test_div_sends_every_second_pulse_the_other_way() -> None:
    pulses = "10 TTLIN2.VAL=1; 15 TTLIN2.VAL=0; 20 TTLIN2.VAL=1; 26 TTLIN2.VAL=0"
    network = block_alone("DIV", "ENABLE INP")
    assert run(network, f"1 DIV1.DIVISOR=2; 5 TTLIN1.VAL=1; {pulses}") == (
        "13 DIV1.COUNT=1 DIV1.OUTN=1; 18 DIV1.OUTN=0; 23 DIV1.COUNT=0 DIV1.OUTD=1; 29 DIV1.OUTD=0"
    )


def test_div_starts_anew_when_disabled_or_written() -> None:
    network = block_alone("DIV", "ENABLE INP")
    shown = run(
        network,
        "1 DIV1.DIVISOR=2; 5 TTLIN1.VAL=1; 10 TTLIN2.VAL=1; 20 DIV1.FIRST_PULSE=1; "
        "30 TTLIN2.VAL=0; 40 TTLIN2.VAL=1; 45 TTLIN1.VAL=0; 60 TTLIN1.VAL=1",
    )
    assert shown == (
        "13 DIV1.COUNT=1 DIV1.OUTN=1; 21 DIV1.OUTN=0; 43 DIV1.COUNT=0 DIV1.OUTD=1; "
        "48 DIV1.COUNT=1 DIV1.OUTD=0"
    )


def test_counter_wraps_at_limits_and_shows_its_end_on_disable() -> None:
    network = block_alone("COUNTER", "ENABLE TRIG DIR")
    shown = run(
        network,
        "1 COUNTER1.START=7 COUNTER1.STEP=2; 2 COUNTER1.MAX=10; 3 COUNTER1.MIN=5; "
        # An edge in the period in which ENABLE rises is lost.
        "10 TTLIN1.VAL=1 TTLIN2.VAL=1; 15 TTLIN2.VAL=0; 20 TTLIN2.VAL=1; 30 TTLIN2.VAL=0; "
        "40 TTLIN2.VAL=1; 45 TTLIN2.VAL=0; 50 TTLIN3.VAL=1; 55 TTLIN2.VAL=1; 60 TTLIN1.VAL=0; "
        "70 COUNTER1.SET=-4; 80 COUNTER1.OUT_MODE=1",
    )
    assert shown == (
        "13 COUNTER1.OUT=7; 23 COUNTER1.OUT=9; 43 COUNTER1.CARRY=1 COUNTER1.OUT=5; "
        "48 COUNTER1.CARRY=0; 58 COUNTER1.CARRY=1 COUNTER1.OUT=9; 63 COUNTER1.CARRY=0; "
        "71 COUNTER1.OUT=-4; 80 COUNTER1.CARRY=1 COUNTER1.OUT=9"
    )


def test_counter_has_the_whole_range_without_limits() -> None:
    network = block_alone("COUNTER", "ENABLE TRIG")
    shown = run(network, "1 COUNTER1.START=0x7FFFFFFF; 10 TTLIN1.VAL=1; 20 TTLIN2.VAL=1")
    assert shown == "13 COUNTER1.OUT=2147483647; 23 COUNTER1.CARRY=1 COUNTER1.OUT=-2147483648"


@pytest.mark.parametrize(("edge", "shown"), [(0, "23"), (1, "33"), (2, "23 33"), (3, "")])
def test_counter_counts_the_edges_chosen(edge: int, shown: str) -> None:
    network = block_alone("COUNTER", "ENABLE TRIG")
    writes = f"1 COUNTER1.TRIG_EDGE={edge}; 10 TTLIN1.VAL=1; 20 TTLIN2.VAL=1; 30 TTLIN2.VAL=0"
    changes = [change.split()[0] for change in run(network, writes).split("; ") if change]
    assert " ".join(changes) == shown
