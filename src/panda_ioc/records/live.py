"""`FIELD:DATA:KIND` waveforms: captured data as it comes, one per kind of capture."""

from collections.abc import Iterator

from panda_ioc.device.model import Device, Field
from panda_ioc.protocol.responses import ExtOutBitsFieldInfo, ExtOutFieldInfo, PosOutFieldInfo
from panda_ioc.records.bridge import LIVE_CAPACITY
from panda_ioc.records.specs import RecordSpec, pv_name

DEFAULT_KINDS = ("Value", "Diff", "Sum", "Mean", "Min", "Max", "StdDev")


def live_records(device: Device) -> Iterator[RecordSpec]:
    """Return waveforms for every capturable field of a device."""
    position_kinds = device.capture_options or DEFAULT_KINDS
    for field in device.fields.values():
        if isinstance(field.info, PosOutFieldInfo):
            for kind in position_kinds:
                yield _waveform(field, kind, "DOUBLE", f"{field.wire}.UNITS")
        elif isinstance(field.info, ExtOutBitsFieldInfo):
            yield _waveform(field, "Value", "ULONG", "")
        elif isinstance(field.info, ExtOutFieldInfo):
            yield _waveform(field, "Value", "DOUBLE", "")


def live_name(field: str, kind: str) -> str:
    """Return the record, without prefix, that shows a captured column."""
    return f"{pv_name(field)}:DATA:{kind.upper()}"


def _waveform(field: Field, kind: str, ftvl: str, units_from: str) -> RecordSpec:
    return RecordSpec(
        name=live_name(field.wire, kind),
        rtype="waveform",
        ftvl=ftvl,
        length=LIVE_CAPACITY,
        desc=f"{field.name}: captured, {kind}",
        fields={} if units_from or ftvl == "ULONG" else {"EGU": "s"},
        units_from=units_from,
    )
