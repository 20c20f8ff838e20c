"""The bridge's own records: those that show no field of the PandA.

Each is a row of a table below; what they do is in `panda_ioc.ioc`, which finds them by name.
"""

from collections.abc import Iterator
from dataclasses import replace

from panda_ioc.device.model import Device
from panda_ioc.records.design_records import DESIGN
from panda_ioc.records.specs import RecordSpec, pv_name, pvi_name

CONNECTION_STATES = ("DISCONNECTED", "CONNECTING", "CONNECTED")
CAPTURE_MODES = ("FIRST_N", "LAST_N", "FOREVER")
LIVE_KEEP = ("LATEST", "FIRST")
LIVE_CAPACITY = 100_000  # samples that a live waveform can hold


def _number(name: str, desc: str, units: str) -> RecordSpec:
    return RecordSpec(name=name, rtype="ai", desc=desc, fields={"PREC": 3, "EGU": units}, value=0)


MAX_DATASETS = 300
DATASET_COLUMNS = {"Name": "Names of the datasets", "DType": "Element types of the datasets"}

_NO_YES = ("No", "Yes")
_ZERO_ONE = ("0", "1")


def _string(name: str, desc: str) -> RecordSpec:
    return RecordSpec(name=name, rtype="stringin", desc=desc)


def _text(
    name: str, desc: str, length: int, *, writable: bool = False, alias: str = ""
) -> RecordSpec:
    return RecordSpec(
        name=name,
        rtype="waveform",
        ftvl="CHAR",
        length=length,
        desc=desc,
        writable=writable,
        aliases=(alias,) if alias else (),
        value="",
    )


def _count(name: str, desc: str) -> RecordSpec:
    return RecordSpec(name=name, rtype="ai", desc=desc, fields={"PREC": 0}, value=0)


def _percent(name: str, desc: str) -> RecordSpec:
    return RecordSpec(
        name=name, rtype="ai", desc=desc, fields={"PREC": 1, "EGU": "%", "HOPR": 100}, value=0
    )


BRIDGE = (
    RecordSpec(
        name="STATUS",
        rtype="mbbi",
        desc="Connection to the PandA",
        labels=CONNECTION_STATES,
        fields={"ZRSV": "MAJOR", "ONSV": "MINOR"},
        aliases=("Status",),
    ),
    _text("ERROR", "Last refusal or failure, in full", 512),
    _string("ERROR:PV", "The record that the last error is about"),
)

SYSTEM = (
    _string("SYSTEM:IOC_VERSION", "Version of this bridge"),
    _string("SYSTEM:PANDA_SW_VERSION", "Version of the PandA's server"),
    _string("SYSTEM:FPGA_VERSION", "Version of the PandA's FPGA"),
    _string("SYSTEM:ROOTFS_VERSION", "Version of the PandA's root file system"),
    _text("SYSTEM:IDN", "All that the PandA says of itself", 512),
)

PCAP = (
    RecordSpec(
        name="PCAP:ARM",
        rtype="bo",
        writable=True,
        desc="Arm or disarm position capture",
        labels=("Disarm", "Arm"),
        pvi="arm",
    ),
    _string("PCAP:COMPLETION", "Busy, or how the acquisition ended"),
    _count("PCAP:CAPTURED", "Samples that the PandA has captured"),
)

DATA = (
    RecordSpec(
        name="DATA:CAPTURE",
        rtype="bo",
        writable=True,
        desc="Write data to a file",
        labels=_ZERO_ONE,
        aliases=("DATA:Capture",),
        value=0,
    ),
    RecordSpec(
        name="DATA:CAPTURE_MODE",
        rtype="mbbo",
        writable=True,
        desc="Which samples are kept in the file",
        labels=CAPTURE_MODES,
        aliases=("DATA:CaptureMode",),
        value=0,
    ),
    RecordSpec(
        name="DATA:NUM_CAPTURE",
        rtype="longout",
        writable=True,
        desc="Samples to keep in the file, 0: all",
        aliases=("DATA:NumCapture",),
        value=0,
    ),
    RecordSpec(
        name="DATA:FLUSH_PERIOD",
        rtype="ao",
        writable=True,
        desc="Longest time between flushes to the file",
        fields={"EGU": "s", "PREC": 3},
        aliases=("DATA:FlushPeriod",),
        value=1.0,
    ),
    RecordSpec(
        name="DATA:CREATE_DIRECTORY",
        rtype="longout",
        writable=True,
        desc="Directories that may be created",
        aliases=("DATA:CreateDirectory",),
        value=0,
    ),
    _text(
        "DATA:HDF_DIRECTORY",
        "Directory of the file",
        4096,
        writable=True,
        alias="DATA:HDFDirectory",
    ),
    _text(
        "DATA:HDF_FILE_NAME",
        "Name of the file",
        255,
        writable=True,
        alias="DATA:HDFFileName",
    ),
    _text(
        "DATA:HDF_FULL_FILE_PATH",
        "Path of the file",
        4352,
        alias="DATA:HDFFullFilePath",
    ),
    RecordSpec(
        name="DATA:DIRECTORY_EXISTS",
        rtype="bi",
        desc="The directory exists",
        labels=_NO_YES,
        aliases=("DATA:DirectoryExists",),
        value=0,
    ),
    RecordSpec(
        name="DATA:NUM_CAPTURED",
        rtype="longin",
        desc="Samples that are on disk",
        aliases=("DATA:NumCaptured",),
        value=0,
    ),
    RecordSpec(
        name="DATA:NUM_RECEIVED",
        rtype="longin",
        desc="Samples received since capture began",
        aliases=("DATA:NumReceived",),
        value=0,
    ),
    _text("DATA:STATUS", "State of the file", 200, alias="DATA:Status"),
    RecordSpec(
        name="DATA:UNPACK_BITS",
        rtype="bo",
        writable=True,
        desc="One dataset for each named bit",
        labels=_NO_YES,
        value=0,
    ),
    RecordSpec(
        name="DATA:WAIT",
        rtype="bo",
        writable=True,
        desc="A put is done when the file is closed",
        labels=("Done", "Wait"),
        value=0,
    ),
    RecordSpec(
        name="DATA:BUSY",
        rtype="bi",
        desc="The file is open",
        labels=("Idle", "Busy"),
        value=0,
    ),
    _string("DATA:END_REASON", "Why the capture ended"),
    _string("DATA:ARM_TIME", "When the PandA was armed, UTC"),
    _string("DATA:START_TIME", "When the acquisition began, UTC"),
    RecordSpec(
        name="DATA:HW_TIME_OFFSET_NS",
        rtype="ai",
        desc="ARM_TIME + this: time of the hardware",
        fields={"PREC": 0, "EGU": "ns"},
    ),
    _count("DATA:NUM_MISSED", "Samples taken before we connected"),
    _count("DATA:NUM_ACQUISITIONS", "Acquisitions in the file"),
    _count("DATA:OVERRUNS", "Captures that ended in an overrun"),
    _count("DATA:CHUNK_SIZE", "Samples in a chunk of a dataset"),
    _percent("DATA:QUEUE_DEPTH", "Room for waiting data in use"),
    _percent("DATA:QUEUE_PEAK", "The most of it that was in use"),
)

LIVE = (
    RecordSpec(
        name="DATA:LIVE:ENABLE",
        rtype="bo",
        writable=True,
        desc="Receive data and show it in waveforms",
        labels=("Off", "On"),
        value=1,
    ),
    RecordSpec(
        name="DATA:LIVE:KEEP",
        rtype="mbbo",
        writable=True,
        desc="Which samples waveforms show",
        labels=LIVE_KEEP,
        value=0,
    ),
    RecordSpec(
        name="DATA:LIVE:LENGTH",
        rtype="longout",
        writable=True,
        desc="Samples that waveforms show",
        fields={"LOPR": 1, "HOPR": LIVE_CAPACITY},
        value=1000,
    ),
    RecordSpec(
        name="DATA:LIVE:PERIOD",
        rtype="ao",
        writable=True,
        desc="Shortest time between updates",
        fields={"EGU": "s", "PREC": 3},
        value=0.1,
    ),
    _count("DATA:LIVE:RECEIVED", "Samples received in this acquisition"),
    _count("DATA:LIVE:DROPPED", "Samples received but never shown"),
    _count("DATA:LIVE:UPDATES", "Updates of waveforms"),
    _count("DATA:LIVE:MISSED", "Samples taken before we connected"),
    _string("DATA:LIVE:STATE", "State of the data stream"),
)


HEALTH = (
    _count("IOC:RECONNECTS", "Connections to the PandA that were lost"),
    _count("IOC:PUTS", "Puts that were sent to the PandA"),
    _count("IOC:REFUSED_PUTS", "Puts that were refused"),
    _number("IOC:POLL_TIME", "Time that a poll of changes takes", "ms"),
    _number("IOC:DATA_RATE", "Data received", "MB/s"),
    _count("IOC:FRAMES", "Pieces of data received"),
    _count("IOC:OVERRUNS", "Acquisitions that ended in an overrun"),
    _count("IOC:QUEUE_DEPTH", "Bytes that wait to be written"),
    _text("IOC:LAST_ERROR", "Last thing that went wrong", 512),
    _string("IOC:LAST_ERROR_TIME", "When it went wrong"),
)


def own_records(prefix: str, device: Device) -> Iterator[RecordSpec]:
    """The bridge's own records for a device; fields of the device come first to a name."""
    taken = {pv_name(wire) for wire in device.fields}
    for spec in (*BRIDGE, *SYSTEM, *PCAP, *DATA, *LIVE, *DESIGN):
        if spec.name not in taken:
            yield replace(_with_pvi(spec), saved=spec in (*DATA, *LIVE) and _is_setting(spec))
    yield from HEALTH
    yield from _datasets(f"{prefix}:DATA:DATASETS")


def _datasets(group: str) -> Iterator[RecordSpec]:
    """What the file holds: an NTTable, its columns by CA too."""
    for name, desc in DATASET_COLUMNS.items():
        member: dict[str, object] = {"+type": "plain", "+channel": "VAL", "+trigger": ""}
        if name == list(DATASET_COLUMNS)[-1]:
            member["+trigger"] = "*"  # the column that is posted last posts the structure
        yield RecordSpec(
            name=f"DATA:DATASETS:{name}",
            rtype="waveform",
            ftvl="STRING",
            length=MAX_DATASETS,
            desc=desc,
            info={"Q:group": {group: {f"value.{name.lower()}": member}}},
        )
    labels: dict[str, object] = {
        "+id": "epics:nt/NTTable:1.0",
        "labels": {"+type": "plain", "+channel": "VAL"},
    }
    yield RecordSpec(
        name="DATA:DATASETS:LABELS",
        rtype="waveform",
        ftvl="STRING",
        length=len(DATASET_COLUMNS),
        desc="Names of the columns",
        info={"Q:group": {group: labels}},
        value=tuple(name.lower() for name in DATASET_COLUMNS),
    )
    yield RecordSpec(
        name="DATA:DATASETS:PV",
        rtype="waveform",
        ftvl="CHAR",
        length=len(group) + 1,
        desc="The PVA structure of the datasets",
        pvi="datasets",
        pvi_target=group,
        value=group,
    )


def _is_setting(spec: RecordSpec) -> bool:
    return spec.writable and spec.name not in ("DATA:CAPTURE", "DATA:WAIT")


def _with_pvi(spec: RecordSpec) -> RecordSpec:
    if spec in BRIDGE or spec.pvi:
        return spec
    return replace(spec, pvi=pvi_name(spec.name))
