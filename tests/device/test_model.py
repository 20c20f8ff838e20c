"""The model: instances, names, order and labels, from what introspection found."""

from dataclasses import replace

import pytest

from panda_ioc.device import cache
from panda_ioc.device.model import Device, make_device
from panda_ioc.errors import ConfigurationError, ProtocolError
from panda_ioc.protocol.responses import (
    BlockInfo,
    ExtOutBitsFieldInfo,
    FieldInfo,
    Identification,
    PosOutFieldInfo,
    TableFieldDetails,
    TableFieldInfo,
)

BLOCKS = {
    "PULSE": BlockInfo(12, "Pulses"),
    "EQU2": BlockInfo(1, None),
    "PCAP": BlockInfo(1, "Capture"),
}


def _info(type_: str, subtype: str | None = None, index: int = 0) -> FieldInfo:
    return FieldInfo(type_, subtype, None, index=index)


FIELDS = {
    "PULSE": {
        "WIDTH": _info("time", None, 2),
        "ENABLE": _info("bit_mux", None, 0),
        "DELAY": _info("time", None, 1),
    },
    "PCAP": {
        "BITS1": ExtOutBitsFieldInfo("ext_out", "bits", None, ["No"], ["", "TTLIN1.VAL"]),
        "BITS0": ExtOutBitsFieldInfo("ext_out", "bits", None, ["No"], []),
        "NEW": _info("holo_out", None, 1),
    },
    "EQU2": {
        "OUT": PosOutFieldInfo("pos_out", None, None, ["No", "Value"]),
        "TABLE": TableFieldInfo(
            "table", None, "Rows", 16, {"X": TableFieldDetails("int", 0, 31)}, 1, has_mode=True
        ),
    },
}


@pytest.fixture
def device() -> Device:
    idn = Identification("4.1", "3.0", "rootfs")
    return make_device(idn, BLOCKS, FIELDS, ["Z", "A"], ["Value", "Min"], "PandA SW: 4.1")


def test_instances_are_in_natural_order(device: Device) -> None:
    assert [block.wire for block in device.blocks] == [
        "EQU2",
        "PCAP",
        *(f"PULSE{n}" for n in range(1, 13)),
    ]
    assert [block.number for block in device.blocks] == [None, None, *range(1, 13)]


def test_fields_are_in_the_order_of_the_box_then_by_name(device: Device) -> None:
    fields = {block.wire: [field.name for field in block.fields] for block in device.blocks}
    assert fields["PULSE12"] == ["ENABLE", "DELAY", "WIDTH"]
    assert fields["PCAP"] == ["BITS0", "BITS1", "NEW"]


def test_fields_are_found_by_their_names_on_the_wire(device: Device) -> None:
    assert len(device.fields) == 12 * 3 + 3 + 2
    delay = device.fields["PULSE7.DELAY"]
    (units,) = delay.kind.attributes
    assert (delay.wire, delay.name) == ("PULSE7.DELAY", "DELAY")
    assert delay.attribute(units) == "PULSE7.DELAY.UNITS"
    assert "PULSE.DELAY" not in device.fields


def test_labels_always_have_a_number(device: Device) -> None:
    keys = {block.wire: block.label_key for block in device.blocks}
    assert keys["EQU2"] == "*METADATA.LABEL_EQU21"
    assert keys["PCAP"] == "*METADATA.LABEL_PCAP1"
    assert keys["PULSE10"] == "*METADATA.LABEL_PULSE10"


def test_unknown_types_are_known_to_be(device: Device) -> None:
    assert [wire for wire, field in device.fields.items() if field.is_unknown] == ["PCAP.NEW"]


def test_what_can_be_captured_is_found(device: Device) -> None:
    assert [field.wire for field in device.positions] == ["EQU2.OUT"]
    assert [field.wire for field in device.bit_words] == ["PCAP.BITS0", "PCAP.BITS1"]


@pytest.mark.parametrize(
    ("number", "fields", "message"),
    [
        (0, 1, "block A: 0 instances"),
        (1001, 1, "block A: 1001 instances"),
        (1000, 101, "a PandA of 101000 fields"),
    ],
)
def test_a_box_that_is_larger_than_any_is_refused(number: int, fields: int, message: str) -> None:
    infos = {f"F{index}": _info("time") for index in range(fields)}
    with pytest.raises(ProtocolError, match=message):
        make_device(None, {"A": BlockInfo(number, None)}, {"A": infos})


def test_capture_options_that_are_no_names_are_left_out() -> None:
    options = ["Value", "Min Max", "", 'A"B', "M" * 41, "Mean"]
    assert make_device(None, {}, {}, [], options).capture_options == ("Value", "Mean")


def test_a_block_without_fields_is_a_block() -> None:
    (block,) = make_device(None, {"NEW": BlockInfo(1, None)}, {}).blocks
    assert (block.wire, block.fields) == ("NEW", ())


def test_the_layout_tells_boxes_apart_that_need_other_records(device: Device) -> None:
    again = make_device(None, BLOCKS, FIELDS, ["Z", "A"], ["Value", "Min"])
    assert again.layout == device.layout
    fewer = make_device(None, BLOCKS | {"PULSE": BlockInfo(11, "Pulses")}, FIELDS, ["Z", "A"])
    assert fewer.layout != device.layout
    other = FIELDS | {"PCAP": FIELDS["PCAP"] | {"NEW": _info("bit_out")}}
    assert make_device(None, BLOCKS, other, ["Z", "A"]).layout != device.layout
    assert replace(device, metadata=("A",)).layout != device.layout


# -- cache --------------------------------------------------------------------------------------


def test_a_device_survives_its_cache(device: Device) -> None:
    again = cache.load(cache.dump(device))
    assert again == device
    assert again.idn == device.idn
    assert [field.name for field in again.blocks[-1].fields] == ["ENABLE", "DELAY", "WIDTH"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        '{"format": 1}',
        '{"format": 1, "device": 5}',
        '{"format": 0, "device": {"class": "tuple", "items": []}}',
        '{"format": 1, "device": {"class": "Nonsense"}}',
        '{"format": 1, "device": {"class": "Device"}}',
        '{"format": 1, "device": {"class": "dict", "items": [[1]]}}',
        '{"format": 1, "device": {}}',
        "[" * 100_000,
    ],
    ids=lambda text: text[:40],
)
def test_a_damaged_cache_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"not a cached PandA|another version"):
        cache.load(text)


def test_a_cache_that_was_edited_is_refused(device: Device) -> None:
    text = cache.dump(device).replace("DELAY", "DECAY", 1)
    with pytest.raises(ConfigurationError, match="checksum"):
        cache.load(text)


def test_names_of_what_nobody_can_write(device: Device) -> None:
    """The number of a single instance may be given; of others it is part of the name."""
    assert all(map(device.is_read_only, ["PCAP.BITS1", "PCAP1.BITS1", "EQU2.TABLE.MODE"]))
    assert all(map(device.is_read_only, ["EQU21.OUT", "PULSE12.ENABLE.MAX_DELAY"]))
    for name in ("PULSE13.ENABLE.MAX_DELAY", "PULSE1.DELAY", "PCAP.NEW", "NONE.X", "*METADATA.A"):
        assert not device.is_read_only(name)
