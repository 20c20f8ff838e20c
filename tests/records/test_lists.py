"""What is written of the records for others: an EPICS database, and lists of names."""

from panda_ioc.device.model import Device, make_device
from panda_ioc.protocol.responses import BlockInfo, EnumFieldInfo
from panda_ioc.records.build import RecordSet, build_records
from panda_ioc.records.database import database_text, record_info, structure_names
from panda_ioc.records.pv_list import pv_lists


def test_every_name_is_in_one_list(records: RecordSet) -> None:
    lists = pv_lists(records)
    assert set(lists) == {"", "-large", "-aliases", "-pva", "-left-out"}
    names = "".join(lists[ending] for ending in ("", "-large", "-aliases")).splitlines()
    assert sorted(names) == sorted(f"PREFIX:{name}" for name in records.names)
    assert lists["-pva"].splitlines() == sorted(structure_names(records.specs))
    assert {"PREFIX:SEQ1:TABLE", "PREFIX:PVI"} <= set(lists["-pva"].splitlines())


def test_what_is_small_is_worth_archiving(records: RecordSet) -> None:
    small = set(pv_lists(records)[""].splitlines())
    tagged = {f"PREFIX:{spec.name}" for spec in records.specs if "archive" in record_info(spec)}
    actions = {f"PREFIX:{spec.name}" for spec in records.specs if spec.pvi_access == "x"}
    assert tagged == small - actions


def test_what_a_box_says_can_not_break_the_database() -> None:
    labels = ['say "$(P)"', "back\\slash"]
    fields = {"X": EnumFieldInfo("param", "enum", 'a "b"\n${C}', labels)}
    device: Device = make_device(None, {"NEW": BlockInfo(1, None)}, {"NEW": fields})
    texts = database_text(build_records(device, "P"))
    (text,) = (text for text in texts if text.startswith('record(mbbo, "P:NEW:X")'))
    assert 'field(DESC, "a \\"b\\" ?{C}")' in text
    assert 'field(ZRST, "say \\"?(P)\\"")' in text
    assert 'field(ONST, "back\\\\slash")' in text


def test_room_is_made_for_a_prefix_that_is_a_macro(device: Device) -> None:
    """It may be replaced by more than stands there."""
    plain, macro = (
        "".join(database_text(build_records(device, p, may_have_macros=True)))
        for p in ("P", "$(P)")
    )
    assert 'record(waveform, "P:SEQ1:TABLE:PV")' in plain
    assert 'record(waveform, "$(P):SEQ1:TABLE:PV")' in macro
    start = macro.index('"$(P):SEQ1:TABLE:PV"')
    assert 'field(NELM, "76")' in macro[start : start + 400]
