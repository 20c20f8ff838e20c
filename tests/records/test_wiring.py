"""Wires among the lines of a saved state."""

from panda_ioc.device.wiring import Port, Wire, natural, read_wiring

STATE = [
    "# Settings of a box",
    "PULSE1.TRIG.DELAY=3",
    "PULSE1.ENABLE.DELAY=0",
    "PULSE1.DELAY.UNITS=s",
    "PULSE1.TRIG=SEQ10.OUTA",
    "PULSE1.ENABLE=ONE",
    "PULSE1.DELAY=2.5",
    "SEQ10.POSA=INENC1.VAL",
    "SEQ10.REPEATS=1",
    "SEQ2.POSA=INENC1.VAL",
    "SEQ1.TABLE<B",
    "PULSE9.TRIG=SEQ1.OUTB",
    "",
    "*METADATA.LABEL_PULSE1=A <shutter> & more",
    "*METADATA.LABEL_PCAP1=Data",
    "*METADATA.LABEL_SEQ2=",
    "*METADATA.LAYOUT<",
    "PULSE8.TRIG=SEQ1.OUTB",
    "",
    "PCAP.TRIG.DELAY=0",
    "PCAP.TRIG=PULSE1.OUT",
]


def test_bits_positions_and_delays() -> None:
    assert read_wiring(STATE).wires == (
        Wire(Port("PULSE1", "OUT"), Port("PCAP", "TRIG"), is_bit=True),
        Wire(Port("SEQ10", "OUTA"), Port("PULSE1", "TRIG"), is_bit=True, delay=3),
        Wire(Port("INENC1", "VAL"), Port("SEQ2", "POSA"), is_bit=False),
        Wire(Port("INENC1", "VAL"), Port("SEQ10", "POSA"), is_bit=False),
    )


def test_only_blocks_and_fields_in_use() -> None:
    wiring = read_wiring(STATE)
    assert wiring.blocks == ("INENC1", "PCAP", "PULSE1", "SEQ2", "SEQ10")
    assert wiring.inputs("PULSE1") == ["TRIG"]
    assert wiring.outputs("PULSE1") == ["OUT"]
    assert wiring.outputs("PCAP") == []


def test_labels_of_blocks_with_and_without_a_number() -> None:
    wiring = read_wiring(STATE)
    assert wiring.label("PULSE1") == "A <shutter> & more"
    assert wiring.label("PCAP") == "Data"
    assert wiring.label("SEQ2") == ""


def test_nothing_is_wired() -> None:
    assert read_wiring([]).blocks == ()


def test_natural_order() -> None:
    assert sorted(["SEQ10", "SEQ2", "PCAP", "SEQ1"], key=natural) == [
        "PCAP",
        "SEQ1",
        "SEQ2",
        "SEQ10",
    ]
