"""Screens: what can be checked of them without a viewer.

Golden files show what a change does to screens. To write them anew:
    WRITE_GOLDEN=1 pytest tests/records/test_screens.py
"""

import os
from itertools import combinations
from pathlib import Path

import pytest

from panda_ioc.device.model import Device, make_device
from panda_ioc.protocol.responses import (
    BlockInfo,
    EnumFieldInfo,
    FieldInfo,
    TableFieldDetails,
    TableFieldInfo,
)
from panda_ioc.records.build import RecordSet, build_records
from panda_ioc.records.choices import ENUM
from panda_ioc.records.screens import INDEX, make_screens
from panda_ioc.records.screens.text import width
from support.screenfiles import LEAD, LINE_HEIGHT, Display, all_pvs, read_display
from support.screenfiles import Shown as Widget

GOLDEN = Path(__file__).parent / "golden"
GOLDEN_FILES = (
    "index.bob",
    "capture.bob",
    "positions.bob",
    "PULSE.bob",
    "SEQ.bob",
    "INENC.bob",
    "PCAP.bob",
)
MAX_WIDTH = 1280
HIGHEST = 1200


@pytest.fixture(scope="module", params=["packaged", "other"])
def served(
    request: pytest.FixtureRequest, device: Device, other_device: Device
) -> tuple[Device, RecordSet]:
    """Two boxes that have little in common, and what is served for them."""
    found = {"packaged": device, "other": other_device}[request.param]
    return found, build_records(found, "PREFIX")


@pytest.fixture(scope="module")
def screens(served: tuple[Device, RecordSet]) -> dict[str, str]:
    """All files."""
    return make_screens(*served)


@pytest.fixture(scope="module")
def displays(screens: dict[str, str]) -> dict[str, Display]:
    """All files, read."""
    return {file: read_display(text) for file, text in screens.items()}


def test_there_is_a_screen_for_each_type_of_blocks(
    served: tuple[Device, RecordSet], screens: dict[str, str]
) -> None:
    device, _ = served
    assert {f"{block.type}.bob" for block in device.blocks} < screens.keys()


def test_nothing_is_wider_than_a_monitor(displays: dict[str, Display]) -> None:
    sizes = {file: (d.width, d.height) for file, d in displays.items()}
    assert {f: s for f, s in sizes.items() if s[0] > MAX_WIDTH or s[1] > HIGHEST} == {}


def test_every_widget_has_a_size_and_is_inside(displays: dict[str, Display]) -> None:
    bad = [
        (file, w.name)
        for file, display in displays.items()
        for w in display.widgets
        if w.width <= 0
        or w.height <= 0
        or w.x < 0
        or w.y < 0
        or w.x + w.width > display.width
        or w.y + w.height > display.height
    ]
    assert bad == []


def test_no_two_widgets_overlap(displays: dict[str, Display]) -> None:
    bad = [
        (file, a.name, b.name)
        for file, display in displays.items()
        for a, b in combinations(display.widgets, 2)
        if a.overlaps(b)
    ]
    assert bad == []


def test_texts_fit(served: tuple[Device, RecordSet], displays: dict[str, Display]) -> None:
    device, _ = served
    bad = [
        (file, text)
        for file, display in displays.items()
        for w in display.widgets
        for text in _texts(device, file, w)
        if not _fits(w, text)
    ]
    assert bad == []


def _texts(device: Device, file: str, widget: Widget) -> list[str]:
    """What a label or a button shows, for each block that the screen can be of."""
    blocks = [block.wire for block in device.blocks if f"{block.type}.bob" == file] or [""]
    text = widget.text.replace("$(P)", "PREFIX")
    return [text.replace("$(B)", block) for block in blocks]


def _fits(widget: Widget, text: str) -> bool:
    size, bold = widget.font
    high_enough = widget.height >= size * LINE_HEIGHT or not text
    return high_enough and width(text, size, bold) + (LEAD if text else 0) <= widget.width


def test_no_two_labels_of_a_section_are_equal(displays: dict[str, Display]) -> None:
    bad = []
    for file, display in displays.items():
        seen: set[tuple[int, str]] = set()
        for w in display.widgets:
            if w.type == "label" and w.font[1]:
                seen = set()
            elif w.type == "label":
                if (w.x, w.text) in seen:
                    bad.append((file, w.text))
                seen.add((w.x, w.text))
    assert bad == []


def test_widgets_of_a_screen_have_names_of_their_own_where_scripts_look_for_them(
    displays: dict[str, Display],
) -> None:
    for display in displays.values():
        tables = [w.name for w in display.widgets if w.type == "table"]
        names = [w.name for w in display.widgets]
        assert all(names.count(table) == 1 for table in tables)


def test_every_pv_is_served(served: tuple[Device, RecordSet], screens: dict[str, str]) -> None:
    device, records = served
    names = {f"PREFIX:{name}" for name in records.names}
    groups = {
        group
        for spec in records.specs
        for group in spec.info.get("Q:group", {})  # type: ignore[attr-defined]
    }
    missing = {
        pv
        for pv in all_pvs(screens, device, "PREFIX")
        if pv.removeprefix("pva://") not in (groups | names if pv.startswith("pva://") else names)
        and pv.rpartition(".")[0] not in names
    }
    assert missing == set()


def test_every_field_has_a_place(served: tuple[Device, RecordSet], screens: dict[str, str]) -> None:
    device, records = served
    shown = set(all_pvs(screens, device, "PREFIX"))
    specs = {spec.name: spec for spec in records.specs}
    for spec in specs.values():
        if spec.wire in device.fields and spec.name == spec.wire.replace(".", ":"):
            names = {f"PREFIX:{spec.name}", f"pva://PREFIX:{spec.name}:{ENUM}"}
            assert names & shown, spec.name


def test_every_link_leads_to_a_screen(displays: dict[str, Display]) -> None:
    files = {file for display in displays.values() for file, _ in display.links}
    assert files <= displays.keys()
    assert files == displays.keys(), "each screen can be reached"


def test_links_to_blocks_name_the_block(
    served: tuple[Device, RecordSet], displays: dict[str, Display]
) -> None:
    device, _ = served
    links = displays[INDEX].links
    for block in device.blocks:
        macros = {"P": "$(P)"} | ({"B": block.wire} if block.number else {})
        assert (f"{block.type}.bob", macros) in links


def test_a_screen_of_many_blocks_that_is_opened_by_itself_shows_the_first(
    served: tuple[Device, RecordSet], displays: dict[str, Display]
) -> None:
    device, _ = served
    for block in device.blocks:
        expected = {1: {"P": "PREFIX", "B": block.wire}, None: {"P": "PREFIX"}}
        if block.number in expected:
            assert displays[f"{block.type}.bob"].macros == expected[block.number]


def test_what_is_not_known_is_not_shown_as_healthy(displays: dict[str, Display]) -> None:
    """The text of a record stays when the box goes away; its alarm becomes INVALID."""
    rules = [rule for d in displays.values() for rule in d.root.iterfind("widget/rules/rule")]
    dots = [rule for rule in rules if rule.attrib["prop_id"] == "background_color"]
    assert len(dots) > len(displays)
    assert all("pvSev0" in rule.findall("exp")[0].attrib["bool_exp"] for rule in dots)


def test_what_is_healthy_is_what_the_box_calls_so() -> None:
    fields: dict[str, FieldInfo] = {
        "HEALTH": EnumFieldInfo("read", "enum", None, ['"fine"', "burning"])
    }
    device = make_device(None, {"NEW": BlockInfo(1, None)}, {"NEW": fields})
    index = read_display(make_screens(device, build_records(device, "PREFIX"))[INDEX])
    rules = [exp.attrib["bool_exp"] for exp in index.root.iter("exp")]
    assert 'pvStr0 == "\\"fine\\""' in rules


def test_designs_are_not_loaded_by_an_accident(displays: dict[str, Display]) -> None:
    buttons = {w.text: w for w in displays["designs.bob"].widgets if w.type == "action_button"}
    asks = {text: w.element.find("confirm_message") is not None for text, w in buttons.items()}
    assert (asks["Save"], asks["Load"]) == (False, True)


def test_every_other_screen_leads_to_the_index(displays: dict[str, Display]) -> None:
    for file, display in displays.items():
        assert (INDEX in [link for link, _ in display.links]) is (file != INDEX)


def test_tables_have_named_columns(device: Device, records: RecordSet) -> None:
    display = read_display(make_screens(device, records)["SEQ.bob"])
    table = next(w for w in display.widgets if w.type == "table")
    names = [name.text for name in table.element.findall("columns/column/name")]
    assert names == [column.name for column in records.tables["SEQ1.TABLE"].columns]


def test_scripts_are_python(device: Device, records: RecordSet) -> None:
    display = read_display(make_screens(device, records)["SEQ.bob"])
    scripts = [e.text or "" for e in display.root.iter("text") if "\n" in (e.text or "")]
    assert len(scripts) == 2
    for script in scripts:
        compile(script, "script", "exec")


def test_plots_begin_with_waveforms_that_exist(
    served: tuple[Device, RecordSet], displays: dict[str, Display]
) -> None:
    _, records = served
    initial = displays["capture.bob"].initial - {"sample number"}
    assert initial <= set(records.names)


def test_the_same_device_gives_the_same_files(device: Device, records: RecordSet) -> None:
    again = build_records(device, "PREFIX")
    assert make_screens(device, again) == make_screens(device, records)


@pytest.mark.parametrize("file", GOLDEN_FILES)
def test_golden_files(device: Device, records: RecordSet, file: str) -> None:
    text = make_screens(device, records)[file]
    golden = GOLDEN / file
    if os.environ.get("WRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8"), "the module's text says what to do"


def test_what_a_box_says_can_not_break_a_screen() -> None:
    text = "<&\x00\x1b\"']]>"
    fields: dict[str, FieldInfo] = {
        "A<B": FieldInfo("param", "new", text),
        "C": EnumFieldInfo("param", "enum", text, [text, "b"]),
        "T": TableFieldInfo("table", None, text, 8, {text: TableFieldDetails("uint", 0, 31)}, 1),
    }
    blocks = {name: BlockInfo(1, text) for name in ("../../X", "A<B>", "OK")}
    device = make_device(None, blocks, dict.fromkeys(blocks, fields))
    screens = make_screens(device, build_records(device, "PREFIX"))
    for text in screens.values():
        read_display(text)
    assert all("/" not in file for file in screens)
