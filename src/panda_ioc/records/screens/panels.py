"""The screens of the bridge itself: capture, with live plots, and health."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from panda_ioc.device.model import Device
from panda_ioc.protocol.responses import ExtOutFieldInfo
from panda_ioc.records.screens.controls import CONTROL, NAME, Served, name_width
from panda_ioc.records.screens.index import health_fields
from panda_ioc.records.screens.layout import TOP, Cell, Row, Section, place_columns
from panda_ioc.records.screens.text import width
from panda_ioc.records.screens.widgets import (
    LINE,
    SAMPLES,
    TRACES,
    Combo,
    Label,
    Plot,
    Progress,
    Trace,
    Update,
    Widget,
    Write,
)
from panda_ioc.records.specs import RecordSpec, pv_name

TEXT = 300  # width of paths and messages
PLOT = (680, 420)
_TYPICAL = ("COUNTER", "INENC")
"""Types of blocks that are captured most often."""
_DATA, _LIVE, _DATASETS = "DATA:", "DATA:LIVE:", "DATA:DATASETS:"


def capture_cells(device: Device, served: Served) -> list[Cell]:
    """The dashboard of a scan."""
    names = [name for name, spec in served.specs.items() if _is_control(spec)]
    live = [name for name in names if name.startswith(_LIVE)]
    file = [name for name in names if name not in live and _is_wide(served, name)]
    state = [name for name in names if name not in (*live, *file)]
    left = [
        Section("Acquisition", tuple(_acquisition(served))),
        Section("File", (*_lines(served, file, _DATA), *_progress(served, file))),
    ]
    right = [
        Section("Live data", tuple(_plot(device, served))),
        Section("What is shown", tuple(served.pairs(live, _LIVE))),
        Section("State of capture", tuple(served.pairs(state, _DATA))),
    ]
    return place_columns([left, right], TOP)[0]


def _is_control(spec: RecordSpec) -> bool:
    """A record of capture that has a place of its own on the screen."""
    is_own = spec.name.startswith(_DATA) and not spec.wire
    is_array = spec.rtype == "waveform" and spec.ftvl != "CHAR"
    return is_own and not is_array and not spec.name.startswith((_DATASETS, "DATA:PVI"))


def _acquisition(served: Served) -> Iterator[Row]:
    arm = "PCAP:ARM"
    if served.find(arm):
        pv = served.pv(arm)
        yield [
            Label(text="ARM", width=NAME),
            Write(pv=pv, text="Arm", value="1", width=87),
            Write(pv=pv, text="Disarm", value="0", width=87),
        ]
    for name in ("PCAP:ACTIVE", "PCAP:HEALTH", "PCAP:COMPLETION", "IOC:DATA_RATE"):
        if served.find(name):
            yield _line(served, name, name.partition(":")[2], NAME)
    for name, label in (("ERROR", "last error"), ("ERROR:PV", "at")):
        yield _line(served, name, label, NAME)


def _lines(served: Served, names: Sequence[str], prefix: str) -> Iterator[Row]:
    labels = [name.removeprefix(prefix) for name in names]
    size = name_width(labels)
    for name, label in zip(names, labels, strict=True):
        yield _line(served, name, label, size)


def _line(served: Served, name: str, label: str, size: int) -> Row:
    """A line for one record, long if it is a long text."""
    spec = served.find(name)
    is_text = spec is not None and spec.rtype == "waveform"
    heading, control = served.line(name, label, size, TEXT if is_text else CONTROL)
    if isinstance(control, Update) and is_text:
        control = replace(control, height=2 * LINE)  # in case that it is long
    return [heading, control]


def _is_wide(served: Served, name: str) -> bool:
    """What is set, and what is long."""
    spec = served.find(name)
    return spec is not None and (spec.writable or spec.rtype == "waveform")


def _progress(served: Served, names: Sequence[str]) -> Iterator[Row]:
    done, whole = "DATA:NUM_CAPTURED", "DATA:NUM_CAPTURE"
    if served.find(done) and served.find(whole):
        bar = Progress(pv=served.pv(done), whole=served.pv(whole), width=TEXT)
        size = name_width([name.removeprefix(_DATA) for name in names])
        yield [Label(text="done", width=size), bar]


def _plot(device: Device, served: Served) -> Iterator[Row]:
    channels = tuple(_channels(device, served))
    if not channels:
        return
    times = (SAMPLES, *_times(device, served))
    first = _first_channels(device, served) or channels[:1]
    x = f'loc://$(P)_x<VString>("{SAMPLES}")'
    traces = tuple(
        Trace(x=x, y=_local(number, name), initial=name, colour=colour)
        for number, (name, colour) in enumerate(zip(first, TRACES, strict=False), 1)
    )
    yield [Plot(width=PLOT[0], height=PLOT[1], traces=traces)]
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


def _local(number: int, name: str) -> str:
    """A PV of the screen itself, with its initial value."""
    return f'loc://$(P)_y{number}<VString>("{name}")'


def _channels(device: Device, served: Served) -> Iterator[str]:
    """All waveforms with captured data."""
    for field in device.fields.values():
        start = f"{pv_name(field.wire)}:DATA:"
        yield from (name for name in served.specs if name.startswith(start))


def _times(device: Device, served: Served) -> Iterable[str]:
    """Waveforms to draw others against: time stamps."""
    names = (
        f"{pv_name(field.wire)}:DATA:VALUE"
        for field in device.fields.values()
        if isinstance(field.info, ExtOutFieldInfo) and field.info.subtype == "timestamp"
    )
    return [name for name in names if served.find(name)]


def _first_channels(device: Device, served: Served) -> list[str]:
    """The first position of each of the first types of blocks that have any."""
    found: dict[str, str] = {}
    for block in sorted(device.blocks, key=lambda block: block.type not in _TYPICAL):
        for field in block.fields:
            name = f"{pv_name(field.wire)}:DATA:VALUE"
            if field.info.type == "pos_out" and served.find(name):
                found.setdefault(block.type, name)
    return list(found.values())[: len(TRACES)]


def health_cells(device: Device, served: Served) -> list[Cell]:
    """How the PandA and the bridge are."""
    versions = [name for name in served.specs if name.endswith("_VERSION")]
    own = [name for name in served.specs if name.startswith("IOC:")]
    blocks = [pv_name(field.wire) for field in health_fields(device)]
    left = [
        Section("Versions", tuple(_lines(served, [*versions, "SYSTEM:IDN"], "SYSTEM:"))),
        Section("Bridge", tuple(_lines(served, own, "IOC:"))),
        Section("Last error", tuple(_lines(served, ["ERROR", "ERROR:PV"], ""))),
    ]
    labels = [name.partition(":")[0] for name in blocks]
    size = name_width(labels)
    lines = [
        served.line(name, label, size, TEXT) for name, label in zip(blocks, labels, strict=True)
    ]
    return place_columns([left, [Section("Blocks", tuple(lines))]], TOP)[0]
