"""The screens of the bridge itself: capture, with live plots; designs; and health."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from panda_ioc.device.model import Device, health_fields
from panda_ioc.protocol.responses import ExtOutFieldInfo
from panda_ioc.records import own
from panda_ioc.records.datasets import DATASET_TABLES
from panda_ioc.records.screens.controls import CONTROL, NAME, ScreenRecords, name_width
from panda_ioc.records.screens.layout import TOP, Cell, Row, Section, place_columns
from panda_ioc.records.screens.text import width
from panda_ioc.records.screens.widgets import (
    LINE,
    SAMPLES,
    TRACES,
    Combo,
    Curve,
    Label,
    Plot,
    ProgressBar,
    Update,
    Widget,
    WriteButton,
)
from panda_ioc.records.specs import RecordSpec, pv_name

TEXT = 300  # width of paths and messages
PLOT = (680, 420)
_TYPICAL = ("COUNTER", "INENC")
"""Types of blocks that are captured most often."""
_DATA, _LIVE, _DESIGN = "DATA:", "DATA:LIVE:", "DESIGN:"
_HIDDEN = (*DATASET_TABLES, "DATA:PVI")
_OUTCOME = ("DIRECTORY_EXISTS", "END_REASON", "ARM_TIME", "START_TIME", "NUM_MISSED")
"""What is shown beside the settings of the file: whether it can be made, and what came of it."""
_ELSEWHERE = ("CAPTURE", "BUSY", "WAIT")
"""Records of capture that are a line of their own, or only of use to programs."""


def capture_cells(device: Device, served: ScreenRecords) -> list[Cell]:
    """Return the dashboard of a scan."""
    names = [name for name, spec in served.specs.items() if _is_control(spec)]
    live = [name for name in names if name.startswith(_LIVE)]
    file = [name for name in names if name not in live and _is_of_file(served, name)]
    state = [name for name in names if name not in (*live, *file)]
    left = [
        Section("Acquisition", tuple(_acquisition(served))),
        Section("File", (*_file(served, file), *_lines(served, file, _DATA))),
    ]
    right = [
        Section("Live data", tuple(_plot(device, served))),
        Section("What is shown", tuple(served.pairs(live, _LIVE))),
        Section("State of capture", tuple(served.pairs(state, _DATA))),
    ]
    return place_columns([left, right], TOP)[0]


def _is_control(spec: RecordSpec) -> bool:
    """Whether a record of capture is shown like the others."""
    is_own = spec.name.startswith(_DATA) and not spec.wire
    is_array = spec.rtype == "waveform" and spec.ftvl != "CHAR"
    is_elsewhere = spec.name.removeprefix(_DATA) in _ELSEWHERE
    is_hidden = spec.name.startswith(_HIDDEN)
    return is_own and not (is_array or is_elsewhere or is_hidden)


def _acquisition(served: ScreenRecords) -> Iterator[Row]:
    if served.find(own.PCAP_ARM):
        yield _switch(served, own.PCAP_ARM, ("Arm", "Disarm"), NAME)
    for name in ("PCAP:ACTIVE", "PCAP:HEALTH", own.PCAP_COMPLETION, own.IOC_DATA_RATE):
        if served.find(name):
            yield _line(served, name, name.partition(":")[2], NAME)
    for name, label in ((own.ERROR, "last error"), (own.ERROR_PV, "at")):
        yield _line(served, name, label, NAME)


def _switch(served: ScreenRecords, name: str, texts: tuple[str, str], size: int) -> Row:
    """Return two buttons: one puts 1, the other 0."""
    pv, (on, off) = served.pv(name), texts
    return [
        Label(text=name.partition(":")[2], width=size),
        WriteButton(pv=pv, text=on, value="1", width=87),
        WriteButton(pv=pv, text=off, value="0", width=87),
    ]


def _file(served: ScreenRecords, names: Sequence[str]) -> Iterator[Row]:
    """Return the buttons to start and stop, and the progress."""
    size = name_width([name.removeprefix(_DATA) for name in names])
    if served.find(own.DATA_CAPTURE):
        buttons = _switch(served, own.DATA_CAPTURE, ("Start", "Stop"), size)
        yield [*buttons, served.control(own.DATA_BUSY)]
    done, whole = own.DATA_NUM_CAPTURED, own.DATA_NUM_CAPTURE
    if served.find(done) and served.find(whole):
        bar = ProgressBar(pv=served.pv(done), whole=served.pv(whole), width=TEXT)
        yield [Label(text="done", width=size), bar]


def _lines(served: ScreenRecords, names: Sequence[str], prefix: str) -> Iterator[Row]:
    labels = [name.removeprefix(prefix) for name in names]
    size = name_width(labels)
    for name, label in zip(names, labels, strict=True):
        yield _line(served, name, label, size)


def _line(served: ScreenRecords, name: str, label: str, size: int) -> Row:
    """Return a line for one record, long if it is a text."""
    spec = served.find(name)
    rtype = spec.rtype if spec else ""
    is_text = rtype in ("waveform", "stringin")
    heading, control = served.line(name, label, size, TEXT if is_text else CONTROL)
    if isinstance(control, Update) and rtype == "waveform":
        control = replace(control, height=2 * LINE)  # in case that it is long
    return [heading, control]


def _is_of_file(served: ScreenRecords, name: str) -> bool:
    """Whether a record describes the file: settings, long texts, results."""
    spec = served.find(name)
    is_setting = spec is not None and (spec.writable or spec.rtype == "waveform")
    return is_setting or name.removeprefix(_DATA) in _OUTCOME


def _plot(device: Device, served: ScreenRecords) -> Iterator[Row]:
    channels = tuple(_channels(device, served))
    if not channels:
        return
    times = (SAMPLES, *_times(device, served))
    first = _first_channels(device, served) or channels[:1]
    x = _local(served, "x", SAMPLES)
    traces = tuple(
        Curve(x=x, y=_local(served, f"y{number}", name), initial=served.wave(name), colour=colour)
        for number, (name, colour) in enumerate(zip(first, TRACES, strict=False), 1)
    )
    yield [_curves(served, traces)]
    size = max(width(name) for name in channels) + 40
    for start in range(0, len(traces), 2):
        row: list[Widget | int] = []
        for number, trace in enumerate(traces[start : start + 2], start + 1):
            row += [
                Label(text=str(number), width=16, bold=True, colour=trace.colour),
                Combo(pv=trace.y, items=channels, width=min(size, 300), tip="What to draw"),
            ]
        yield row
    yield [Label(text="against", width=60), Combo(pv=x, items=times, width=256)]


def _curves(served: ScreenRecords, traces: tuple[Curve, ...]) -> Plot:
    chosen = served.names.waveform_of("pvStr0")
    return Plot(width=PLOT[0], height=PLOT[1], traces=traces, chosen=chosen)


def _local(served: ScreenRecords, name: str, value: str) -> str:
    """Return a PV of the screen itself, with its initial value."""
    return f'{served.names.local(name)}<VString>("{value}")'


def _channels(device: Device, served: ScreenRecords) -> Iterator[str]:
    """Return all waveforms with captured data."""
    for field in device.fields.values():
        start = f"{pv_name(field.wire)}:DATA:"
        yield from (name for name in served.specs if name.startswith(start))


def _times(device: Device, served: ScreenRecords) -> Iterable[str]:
    """Return the waveforms of time stamps, against which others are drawn."""
    names = (
        f"{pv_name(field.wire)}:DATA:VALUE"
        for field in device.fields.values()
        if isinstance(field.info, ExtOutFieldInfo) and field.info.subtype == "timestamp"
    )
    return [name for name in names if served.find(name)]


def _first_channels(device: Device, served: ScreenRecords) -> list[str]:
    """Return the first position of each of the first types of block that have any."""
    found: dict[str, str] = {}
    for block in sorted(device.blocks, key=lambda block: block.type not in _TYPICAL):
        for field in block.fields:
            name = f"{pv_name(field.wire)}:DATA:VALUE"
            if field.info.type == "pos_out" and served.find(name):
                found.setdefault(block.type, name)
    return list(found.values())[: len(TRACES)]


def design_cells(served: ScreenRecords) -> list[Cell]:
    """Return the widgets to save all settings of the PandA and to load them."""
    file = [f"{_DESIGN}{name}" for name in ("DIRECTORY", "FILE_NAME")]
    state = [f"{_DESIGN}{name}" for name in ("STATUS", "REFUSED")]
    load = "Replace all settings of the PandA by those of the file?"
    buttons: Row = [
        NAME,
        WriteButton(pv=served.pv(f"{_DESIGN}SAVE"), text="Save", value="1", width=87),
        WriteButton(pv=served.pv(f"{_DESIGN}LOAD"), text="Load", value="1", width=87, ask=load),
    ]
    rows = (*_lines(served, file, _DESIGN), buttons, *_lines(served, state, _DESIGN))
    return place_columns([[Section("All settings of the PandA", rows)]], TOP)[0]


def health_cells(device: Device, served: ScreenRecords) -> list[Cell]:
    """Return the health of the PandA and of the bridge."""
    versions = [name for name in served.specs if name.endswith("_VERSION")]
    bridge = [name for name in served.specs if name.startswith("IOC:")]
    blocks = [pv_name(field.wire) for field in health_fields(device)]
    left = [
        Section("Versions", tuple(_lines(served, [*versions, own.SYSTEM_IDN], "SYSTEM:"))),
        Section("Bridge", tuple(_lines(served, bridge, "IOC:"))),
        Section("Last error", tuple(_lines(served, [own.ERROR, own.ERROR_PV], ""))),
    ]
    labels = [name.partition(":")[0] for name in blocks]
    size = name_width(labels)
    lines = [
        served.line(name, label, size, TEXT) for name, label in zip(blocks, labels, strict=True)
    ]
    return place_columns([left, [Section("Blocks", tuple(lines))]], TOP)[0]
