"""The bridge's own records: those that show no field of the PandA.

Each is a row of a table below; what they do is in `panda_ioc.ioc`, which finds them by name.
"""

from collections.abc import Iterator
from dataclasses import replace

from panda_ioc.device.model import Device
from panda_ioc.records import own
from panda_ioc.records.datasets import dataset_records
from panda_ioc.records.designs import DESIGN
from panda_ioc.records.shorthand import count, percent, setting, shown, text
from panda_ioc.records.specs import RecordSpec, pv_name, pvi_name

CONNECTION_STATES = ("DISCONNECTED", "CONNECTING", "CONNECTED")
CAPTURE_MODES = ("FIRST_N", "LAST_N", "FOREVER")
LIVE_KEEP = ("LATEST", "FIRST")
RECSYNC_STATES = ("Off", "Listening", "Connecting", "Uploading", "Done")
LIVE_CAPACITY = 100_000
"""Samples that a live waveform can hold."""

_NO_YES = ("No", "Yes")
_ZERO_ONE = ("0", "1")

BRIDGE = (
    shown(
        own.STATUS,
        "mbbi",
        "Connection to the PandA",
        labels=CONNECTION_STATES,
        alias="Status",
        ZRSV="MAJOR",
        ONSV="MINOR",
    ),
    text(own.ERROR, "Last refusal or failure, in full", 512),
    text(own.ERROR_PV, "The record that the last error is about", 61),
)

SYSTEM = (
    shown(own.SYSTEM_IOC_VERSION, "stringin", "Version of this bridge"),
    shown(own.SYSTEM_PANDA_SW_VERSION, "stringin", "Version of the PandA's server"),
    shown(own.SYSTEM_FPGA_VERSION, "stringin", "Version of the PandA's FPGA"),
    shown(own.SYSTEM_ROOTFS_VERSION, "stringin", "Version of the PandA's root file system"),
    text(own.SYSTEM_IDN, "All that the PandA says of itself", 512),
)

PCAP = (
    RecordSpec(
        name=own.PCAP_ARM,
        rtype="bo",
        writable=True,
        desc="Arm or disarm position capture",
        labels=("Disarm", "Arm"),
        pvi="arm",
    ),
    setting(own.PCAP_WAIT, "bo", "A put is done when PCAP is idle", 0, labels=("Done", "Wait")),
    shown(own.PCAP_COMPLETION, "stringin", "Busy, or how the acquisition ended"),
    count(own.PCAP_CAPTURED, "Samples that the PandA has captured"),
)

DATA = (
    setting(
        own.DATA_CAPTURE, "bo", "Write data to a file", 0, labels=_ZERO_ONE, alias="DATA:Capture"
    ),
    setting(
        own.DATA_CAPTURE_MODE,
        "mbbo",
        "Which samples are kept in the file",
        0,
        labels=CAPTURE_MODES,
        alias="DATA:CaptureMode",
    ),
    setting(
        own.DATA_NUM_CAPTURE,
        "longout",
        "Samples to keep in the file, 0: all",
        0,
        alias="DATA:NumCapture",
    ),
    setting(
        own.DATA_FLUSH_PERIOD,
        "ao",
        "Longest time between flushes to the file",
        1.0,
        alias="DATA:FlushPeriod",
        EGU="s",
        PREC=3,
    ),
    setting(
        own.DATA_CREATE_DIRECTORY,
        "longout",
        "Directories that may be created",
        0,
        alias="DATA:CreateDirectory",
    ),
    text(
        own.DATA_HDF_DIRECTORY,
        "Directory of the file",
        4096,
        writable=True,
        alias="DATA:HDFDirectory",
    ),
    text(own.DATA_HDF_FILE_NAME, "Name of the file", 255, writable=True, alias="DATA:HDFFileName"),
    text(own.DATA_HDF_FULL_FILE_PATH, "Path of the file", 4352, alias="DATA:HDFFullFilePath"),
    shown(
        own.DATA_DIRECTORY_EXISTS,
        "bi",
        "The directory exists",
        0,
        labels=_NO_YES,
        alias="DATA:DirectoryExists",
    ),
    shown(own.DATA_NUM_CAPTURED, "longin", "Samples that are on disk", 0, alias="DATA:NumCaptured"),
    shown(
        own.DATA_NUM_RECEIVED,
        "longin",
        "Samples received since capture began",
        0,
        alias="DATA:NumReceived",
    ),
    text(own.DATA_STATUS, "State of the file", 200, alias="DATA:Status"),
    setting(own.DATA_UNPACK_BITS, "bo", "One dataset for each named bit", 0, labels=_NO_YES),
    setting(
        own.DATA_WAIT, "bo", "A put is done when the file is closed", 0, labels=("Done", "Wait")
    ),
    shown(own.DATA_BUSY, "bi", "The file is open", 0, labels=("Idle", "Busy")),
    shown(own.DATA_END_REASON, "stringin", "Why the capture ended", ""),
    shown(own.DATA_ARM_TIME, "stringin", "When the PandA was armed, UTC", ""),
    shown(own.DATA_START_TIME, "stringin", "When the acquisition began, UTC", ""),
    shown(
        own.DATA_HW_TIME_OFFSET_NS,
        "ai",
        "ARM_TIME + this: time of the hardware",
        0,
        PREC=0,
        EGU="ns",
    ),
    count(own.DATA_NUM_MISSED, "Samples taken before we connected"),
    count(own.DATA_NUM_ACQUISITIONS, "Acquisitions in the file"),
    count(own.DATA_OVERRUNS, "Captures that ended in an overrun"),
    count(own.DATA_CHUNK_SIZE, "Samples in a chunk of a dataset"),
    percent(own.DATA_QUEUE_DEPTH, "Room for waiting data in use"),
    percent(own.DATA_QUEUE_PEAK, "The most of it that was in use"),
)

LIVE = (
    setting(
        own.DATA_LIVE_ENABLE, "bo", "Receive data and show it in waveforms", 1, labels=("Off", "On")
    ),
    setting(own.DATA_LIVE_KEEP, "mbbo", "Which samples waveforms show", 0, labels=LIVE_KEEP),
    setting(
        own.DATA_LIVE_LENGTH,
        "longout",
        "Samples that waveforms show",
        1000,
        LOPR=1,
        HOPR=LIVE_CAPACITY,
    ),
    setting(own.DATA_LIVE_PERIOD, "ao", "Shortest time between updates", 0.1, EGU="s", PREC=3),
    count(own.DATA_LIVE_RECEIVED, "Samples received in this acquisition"),
    count(own.DATA_LIVE_DROPPED, "Samples received but never shown"),
    count(own.DATA_LIVE_UPDATES, "Updates of waveforms"),
    count(own.DATA_LIVE_MISSED, "Samples taken before we connected"),
    shown(own.DATA_LIVE_STATE, "stringin", "State of the data stream"),
)

HEALTH = (
    count(own.IOC_RECONNECTS, "Connections to the PandA that were lost"),
    count(own.IOC_PUTS, "Puts that were sent to the PandA"),
    count(own.IOC_REFUSED_PUTS, "Puts that were refused"),
    shown(own.IOC_POLL_TIME, "ai", "Time that a poll of changes takes", 0, PREC=3, EGU="ms"),
    shown(own.IOC_DATA_RATE, "ai", "Data received", 0, PREC=3, EGU="MB/s"),
    count(own.IOC_FRAMES, "Pieces of data received"),
    count(own.IOC_OVERRUNS, "Acquisitions that ended in an overrun"),
    count(own.IOC_QUEUE_DEPTH, "Bytes that wait to be written"),
    text(own.IOC_LAST_ERROR, "Last thing that went wrong", 512),
    shown(own.IOC_LAST_ERROR_TIME, "stringin", "When it went wrong"),
    shown(
        own.IOC_RECSYNC_STATE, "mbbi", "Telling ChannelFinder of all PVs", 0, labels=RECSYNC_STATES
    ),
    shown(own.IOC_RECSYNC_MSG, "stringin", "The RecCeiver, or where one is awaited", ""),
)


def own_records(prefix: str, device: Device) -> Iterator[RecordSpec]:
    """Return the bridge's own records for a device, without names that its fields take."""
    taken = {pv_name(wire) for wire in device.fields}
    for spec in (*BRIDGE, *SYSTEM, *PCAP, *DATA, *LIVE, *DESIGN):
        if spec.name not in taken:
            yield replace(_with_pvi(spec), saved=spec in (*DATA, *LIVE) and _is_setting(spec))
    yield from HEALTH
    yield from dataset_records(prefix)


def _is_setting(spec: RecordSpec) -> bool:
    return spec.writable and spec.name not in (own.DATA_CAPTURE, own.DATA_WAIT)


def _with_pvi(spec: RecordSpec) -> RecordSpec:
    if spec in BRIDGE or spec.pvi:
        return spec
    return replace(spec, pvi=pvi_name(spec.name))
