"""From record specifications to records of EPICS.

Records that clients may put to are made with softioc, which calls a coroutine for each put. The
others have no device support at all: whoever has news for them posts it (see `memory`).
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import numpy as np
from softioc import builder

from panda_ioc.errors import ConfigurationError
from panda_ioc.ioc.memory import Record
from panda_ioc.records import limits
from panda_ioc.records.build import RecordSet
from panda_ioc.records.specs import FieldValue, RecordSpec

OnPut = Callable[[Any], Awaitable[None]]
Validate = Callable[[Any, Any], bool]

# Record fields of the states of mbbi and mbbo begin with these.
_STATE_PREFIXES = (
    *("ZR", "ON", "TW", "TH", "FR", "FV", "SX", "SV"),
    *("EI", "NI", "TE", "EL", "TV", "TT", "FT", "FF"),
)
_STATE_VALUES = tuple(f"{prefix}VL" for prefix in _STATE_PREFIXES)
_STATE_FIELDS = {
    "bi": ("ZNAM", "ONAM"),
    "bo": ("ZNAM", "ONAM"),
    **dict.fromkeys(("mbbi", "mbbo"), tuple(f"{prefix}ST" for prefix in _STATE_PREFIXES)),
}

_WRITABLE: Mapping[str, Callable[..., Any]] = {
    "ao": builder.aOut,
    "bo": builder.boolOut,
    "longout": builder.longOut,
    "mbbo": builder.PythonDevice.mbbo,
    "stringout": builder.stringOut,
}
_DTYPES = {
    "UCHAR": np.uint8,
    "USHORT": np.uint16,
    "LONG": np.int32,
    "ULONG": np.uint32,
    "DOUBLE": np.float64,
    "STRING": "S40",
}


class Database:
    """Makes the records of a record set; they exist once `load` has been called and EPICS runs.

    Arguments:
        records: what to make
        on_put: for each writable record by its name, the coroutine that handles a put
        validate: for some, a function that may refuse a put at once, with the record locked
    """

    def __init__(
        self,
        records: RecordSet,
        on_put: Mapping[str, OnPut],
        validate: Mapping[str, Validate],
    ) -> None:
        self._records = records
        builder.SetDeviceName(records.prefix)
        for spec in records.specs:
            record = self._make(spec, on_put.get(spec.name), validate.get(spec.name))
            self._describe(record, spec)

    def load(self) -> None:
        """Hand the records to EPICS."""
        builder.LoadDatabase()

    def find(self) -> dict[str, Record]:
        """The records in memory by their names without prefix; after iocInit."""
        prefix = self._records.prefix
        found = {
            spec.name: Record(f"{prefix}:{spec.name}", spec.rtype, spec.ftvl)
            for spec in self._records.specs
        }
        for spec in self._records.specs:
            if spec.value is not None and not spec.writable:
                found[spec.name].post(spec.value)
        return found

    def _make(self, spec: RecordSpec, on_put: OnPut | None, validate: Validate | None) -> Any:
        fields = _fields(spec)
        if not spec.writable:
            return getattr(builder.records, spec.rtype)(spec.name, **{"DISP": 1, **fields})
        if on_put is None and validate is None:
            raise ConfigurationError(f"{spec.name}: nothing handles puts to this record")
        put: dict[str, Any] = {"on_update": on_put, "validate": validate}
        put |= {"blocking": True, "always_update": True}
        if spec.value is not None:
            put["initial_value"] = spec.value
        if spec.saved:
            put["autosave"] = True
        if spec.rtype != "waveform":
            return _WRITABLE[spec.rtype](spec.name, **fields, **put)
        if spec.ftvl == "CHAR":
            fields.pop("FTVL")
            return builder.longStringOut(spec.name, length=fields.pop("NELM"), **fields, **put)
        return builder.WaveformOut(
            spec.name,
            length=fields.pop("NELM"),
            datatype=_DTYPES[fields.pop("FTVL")],  # type: ignore[index]
            **fields,
            **put,
        )

    def _describe(self, record: Any, spec: RecordSpec) -> None:
        for alias in spec.aliases:
            record.add_alias(f"{self._records.prefix}:{alias}")
        for tag, content in spec.info.items():
            record.add_info(tag, content if isinstance(content, str) else json.dumps(content))
        if spec.rtype == "waveform" and spec.ftvl == "CHAR" and not spec.writable:
            record.add_info("Q:form", "String")


def _fields(spec: RecordSpec) -> dict[str, FieldValue]:
    fields = {"DESC": limits.desc(spec.desc), **spec.fields}
    names = _STATE_FIELDS.get(spec.rtype, ())
    fields |= dict(zip(names, spec.labels, strict=False))
    if spec.rtype in ("mbbi", "mbbo"):
        fields |= {name: n for n, name in enumerate(_STATE_VALUES[: len(spec.labels)])}
    if spec.rtype == "waveform":
        fields |= {"FTVL": spec.ftvl, "NELM": spec.length}
    return fields
