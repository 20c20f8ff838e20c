"""All records for a device: names, limits, what they show, PVI."""

import logging
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from panda_ioc.device.codecs import CodecName
from panda_ioc.device.kinds import Access
from panda_ioc.device.model import Device, make_device
from panda_ioc.protocol.responses import (
    BlockInfo,
    EnumFieldInfo,
    FieldInfo,
    TableFieldDetails,
    TableFieldInfo,
)
from panda_ioc.records import limits
from panda_ioc.records.build import RecordSet, build_records
from panda_ioc.records.fields import block_records
from panda_ioc.records.specs import RecordSpec, pv_name

STRINGS = ("stringin", "stringout")

# record of a block -> its type, whether clients may put to it, and its states
PULSE = {
    "LABEL": ("waveform CHAR", True, ()),
    "ENABLE": ("stringout", True, ()),
    "ENABLE:DELAY": ("longout", True, ()),
    "TRIG": ("stringout", True, ()),
    "TRIG:DELAY": ("longout", True, ()),
    "DELAY": ("ao", True, ()),
    "DELAY:UNITS": ("mbbo", True, ("min", "s", "ms", "us")),
    "WIDTH": ("ao", True, ()),
    "WIDTH:UNITS": ("mbbo", True, ("min", "s", "ms", "us")),
    "PULSES": ("ao", True, ()),
    "STEP": ("ao", True, ()),
    "STEP:UNITS": ("mbbo", True, ("min", "s", "ms", "us")),
    "TRIG_EDGE": ("mbbo", True, ("Rising", "Falling", "Either")),
    "OUT": ("bi", False, ("0", "1")),
    "QUEUED": ("ai", False, ()),
    "DROPPED": ("ai", False, ()),
}
CAPTURES = (
    *("No", "Value", "Diff", "Sum", "Mean", "Min", "Max"),
    *("Min Max", "Min Max Mean", "StdDev", "Mean StdDev"),
)
EQU2 = {
    "LABEL": ("waveform CHAR", True, ()),
    "GAIN": ("ao", True, ()),
    "SOURCE": ("stringout", True, ()),
    "SOURCE:LONG": ("waveform CHAR", True, ()),
    "NOTE_LEVEL": ("ao", True, ()),
    "INP": ("stringout", True, ()),
    "OUT": ("longin", False, ()),
    "OUT:CAPTURE": ("mbbo", True, CAPTURES),
    "OUT:CAPTURE:SET": ("stringout", True, ()),
    "OUT:OFFSET": ("ao", True, ()),
    "OUT:SCALE": ("ao", True, ()),
    "OUT:UNITS": ("stringout", True, ()),
    "OUT:UNITS:LONG": ("waveform CHAR", True, ()),
    "OUT:SCALED": ("ai", False, ()),
    "OUT:DATASET": ("stringout", True, ()),
    "TEMP_HEAD": ("ai", False, ()),
}


def _by_name(specs: Any) -> dict[str, RecordSpec]:
    return {spec.name: spec for spec in specs}


@pytest.mark.parametrize(("wire", "golden"), [("PULSE3", PULSE), ("EQU2", EQU2)])
def test_the_records_of_a_block(device: Device, wire: str, golden: dict[str, Any]) -> None:
    (block,) = (block for block in device.blocks if block.wire == wire)
    assert {
        spec.name.removeprefix(f"{wire}:"): (
            f"{spec.rtype} {spec.ftvl}".strip(),
            spec.writable,
            spec.labels,
        )
        for spec in block_records(device, block)
    } == golden


def test_every_name_is_there_once(records: RecordSet) -> None:
    assert [name for name, count in Counter(records.names).items() if count > 1] == []


def test_names_fit_channel_access(records: RecordSet) -> None:
    """With a prefix of sixteen characters."""
    assert [name for name in records.names if not limits.fits(name, limits.NAME - 17)] == []
    assert [n for n in records.names if set(n) - set(_ALLOWED)] == []


_ALLOWED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:"


def test_every_field_of_the_device_has_its_records(device: Device, records: RecordSet) -> None:
    names = set(records.names)
    for wire, field in device.fields.items():
        if field.kind.codec not in (None, CodecName.TABLE):
            assert pv_name(wire) in names
        for attribute in field.kind.attributes:
            if Access.WRITE in attribute.access:
                assert pv_name(field.attribute(attribute)) in names
    assert {pv_name(wire) for wire in records.tables} == {
        pv_name(wire) for wire, field in device.fields.items() if field.info.type == "table"
    }


def test_records_show_what_the_device_has(device: Device, records: RecordSet) -> None:
    wires = set(device.fields) | {f"*METADATA.{key}" for key in device.metadata}
    shown = {wire for spec in records.specs for wire in (spec.wire, *spec.scaled_by) if wire}
    owners = {wire if wire in wires else wire.rpartition(".")[0] for wire in shown}
    assert owners <= wires
    for spec in records.specs:
        assert (spec.codec is None) == (not spec.wire), spec.name


def test_fields_fit_epics(records: RecordSet) -> None:
    for spec in records.specs:
        assert limits.fits(str(spec.fields.get("EGU", "")), limits.EGU), spec.name
        assert spec.desc, spec.name
        if spec.rtype in ("mbbi", "mbbo"):
            assert 0 < len(spec.labels) <= limits.STATES, spec.name
        if spec.rtype in ("bi", "bo", "mbbi", "mbbo"):
            assert all(limits.fits(label, limits.STATE) for label in spec.labels), spec.name
        assert (spec.rtype == "waveform") == bool(spec.ftvl), spec.name


def test_constants_fit_their_records(records: RecordSet) -> None:
    for spec in records.specs:
        if spec.rtype in STRINGS and spec.value is not None:
            assert limits.fits(str(spec.value), limits.STRING), spec.name
        if spec.ftvl == "CHAR" and isinstance(spec.value, str):
            assert len(spec.value.encode()) < spec.length, spec.name
        if isinstance(spec.value, tuple):
            assert len(spec.value) <= spec.length, spec.name


def test_what_does_not_fit_is_whole_somewhere(records: RecordSet) -> None:
    specs = _by_name(records.specs)
    assert specs["EQU2:SOURCE:LONG"].wire == "EQU2.SOURCE"
    assert "Everything that is connected to this box" in specs["EQU2:SOURCE"].choices
    assert specs["LUT1:FUNC:LONG"].wire == "LUT1.FUNC"
    assert "TTLOUT1:VAL:LONG" not in specs


def test_units_are_followed_where_they_are(device: Device, records: RecordSet) -> None:
    followed = {spec.units_from for spec in records.specs if spec.units_from}
    assert followed == {
        field.attribute(attribute)
        for field in device.fields.values()
        for attribute in field.kind.attributes
        if attribute.name == "UNITS"
    }


def test_pvi_entries_name_what_is_served(records: RecordSet) -> None:
    """Records, or structures that the info tags of records define."""
    groups: dict[str, dict[str, Any]] = {}
    for spec in records.specs:
        for group, members in spec.info.get("Q:group", {}).items():  # type: ignore[attr-defined]
            groups.setdefault(group, {}).update(members)
    names = {f"PREFIX:{name}" for name in records.names}
    assert not names & groups.keys()
    for group, members in groups.items():
        if group.endswith(":PVI"):
            for key, member in members.items():
                if key.startswith("value."):
                    assert member["+const"] in names | groups.keys(), (group, key)
    top = groups["PREFIX:PVI"]
    assert top["value.pulse[4].d"] == {"+type": "const", "+const": "PREFIX:PULSE4:PVI"}
    assert top["value.pcap.d"] == {"+type": "const", "+const": "PREFIX:PCAP:PVI"}
    assert groups["PREFIX:SRGATE1:PVI"]["value.force_set.x"]["+const"] == "PREFIX:SRGATE1:FORCE_SET"
    assert groups["PREFIX:SEQ1:PVI"]["value.table.rw"]["+const"] == "PREFIX:SEQ1:TABLE"


def test_entries_of_a_block_are_told_apart(records: RecordSet) -> None:
    entries = Counter((spec.block, spec.pvi) for spec in records.specs if spec.pvi)
    assert [entry for entry, count in entries.items() if count > 1] == []


# -- what is unusual ----------------------------------------------------------------------------


def _one(info: FieldInfo, name: str = "X") -> Device:
    return make_device(None, {"NEW": BlockInfo(2, "New")}, {"NEW": {name: info}})


def test_unknown_types_are_read_only_text_and_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    device = make_device(
        None,
        {"NEW": BlockInfo(2, "New")},
        {"NEW": {"A": FieldInfo("holo", None, None), "B": FieldInfo("param", "odd", None)}},
    )
    with caplog.at_level(logging.WARNING):
        specs = _by_name(build_records(device, "P").specs)
    assert [(specs[n].rtype, specs[n].writable) for n in ("NEW1:A", "NEW2:B")] == [
        ("stringin", False)
    ] * 2
    (message,) = caplog.messages
    assert message.endswith("NEW.A (holo), NEW.B (param odd)")


@pytest.mark.parametrize(
    ("labels", "rtype"),
    [
        (["Off", "On"], "mbbo"),
        (["x" * 25], "mbbo"),
        ([f"{n}" for n in range(16)], "mbbo"),
        ([f"{n}" for n in range(17)], "stringout"),
        (["x" * 26], "stringout"),
        (["x" * 40], "stringout"),
    ],
    ids=str,
)
def test_enumerations_are_states_if_they_fit(labels: list[str], rtype: str) -> None:
    device = _one(EnumFieldInfo("param", "enum", None, labels))
    specs = _by_name(build_records(device, "P").specs)
    spec = specs["NEW1:X"]
    assert spec.rtype == rtype
    assert spec.codec is not None
    for index, label in enumerate(labels):
        value = spec.codec.decode(label)
        assert value == (index if rtype == "mbbo" else label)
        assert spec.codec.encode(value) == label
    assert ("NEW1:X:LONG" in specs) == (len(labels[0]) > 39)
    assert (spec.choices == tuple(labels)) == (rtype != "mbbo")


def test_a_table_that_makes_no_sense_is_left_out_and_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    info = TableFieldInfo("table", None, None, 8, {"A": TableFieldDetails("uint", 16, 47)}, 2)
    with caplog.at_level(logging.WARNING):
        records = build_records(_one(info), "P")
    assert records.tables == {}
    assert any("NEW1:X column A" in message for message in caplog.messages)


def test_of_a_large_table_as_many_rows_are_served_as_wanted() -> None:
    info = TableFieldInfo("table", None, None, 4000, {"A": TableFieldDetails("uint", 0, 31)}, 4)
    for wanted, rows in ((10, 10), (5000, 1000)):
        records = build_records(_one(info), "P", wanted)
        assert records.tables["NEW1.X"].max_rows == rows
        (column,) = (spec for spec in records.specs if spec.name == "NEW1:X:A")
        assert column.length == rows + 1


def test_what_would_have_a_name_that_is_taken_is_left_out_and_said(
    device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    fields = {"UNITS": FieldInfo("read", "bit", None), "X": FieldInfo("time", None, None)}
    odd = make_device(None, {"NEW": BlockInfo(1, None)}, {"NEW": fields})
    with caplog.at_level(logging.WARNING):
        twice = replace(odd, blocks=(*odd.blocks, *odd.blocks))
        records = build_records(twice, "P")
    assert [name for name, count in Counter(records.names).items() if count > 1] == []
    assert any("the second is left out" in message for message in caplog.messages)


def test_a_device_without_anything_still_has_the_bridge_s_own_records() -> None:
    names = build_records(make_device(None, {}, {}), "P").names
    assert {"STATUS", "ERROR", "PCAP:ARM", "DATA:LIVE:ENABLE", "SYSTEM:IOC_VERSION"} <= set(names)


def test_what_has_not_happened_yet_is_no_alarm(records: RecordSet) -> None:
    """Without a value to begin with a record is in alarm until the first capture."""
    undefined = [
        spec.name
        for spec in records.specs
        if spec.name.startswith("DATA:") and spec.value is None and spec.ftvl != "STRING"
    ]
    assert undefined == ["DATA:LIVE:STATE"], "posted as soon as the bridge runs"
