"""From record specifications to records of EPICS.

Records that clients may put to are made with softioc, which calls a coroutine for each put. The
others have no device support at all: the part that has a new value posts it (see `memory`).
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from softioc import builder

from panda_ioc.errors import ConfigurationError
from panda_ioc.ioc.epics.narrow import Narrow
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.epics.trap import Wide
from panda_ioc.ioc.epics.unserved import Unserved
from panda_ioc.records.build import RecordSet
from panda_ioc.records.database import record_fields, record_info
from panda_ioc.records.specs import RecordSpec

OnPut = Callable[[Any], Awaitable[None]]
Validate = Callable[[Any, Any], bool]

_WRITABLE: Mapping[str, Callable[..., Any]] = {
    "ao": builder.aOut,
    "bo": builder.boolOut,
    "longout": builder.longOut,
    "mbbo": builder.PythonDevice.mbbo,
    "stringout": builder.stringOut,
    "waveform": builder.WaveformOut,
}
# softioc wants to know these itself.
_OF_WAVEFORMS = ("FTVL", "NELM")


class _Text(str):
    """The text of a field, which EPICS checks when it loads the records.

    Without `Validate`, epicsdbbuilder walks through all fields of the record type for each field
    that is set. That takes a tenth of the start of a bridge.
    """

    __slots__ = ()

    def Validate(self, record: Any, field: str) -> None:  # noqa: N802, epicsdbbuilder calls it
        """Leave it to EPICS."""


class Database:
    """Makes the records of a record set, which exist once `load` was called and EPICS runs.

    Args:
        records: what to make
        on_put: for each writable record by its name, the coroutine that handles a put; softioc
            reports success even if it raises
        validate: for some, a function that may refuse a put at once, with the record locked

    Attributes:
        wide: what was put to columns of 16 bits that does not fit into them
    """

    def __init__(
        self,
        records: RecordSet,
        on_put: Mapping[str, OnPut],
        validate: Mapping[str, Validate],
    ) -> None:
        self._records = records
        self.wide: Wide = {}
        builder.SetDeviceName(records.prefix)
        for spec in records.specs:
            record = self._make(spec, on_put.get(spec.name), validate.get(spec.name))
            self._describe(record, spec)

    def load(self) -> None:
        """Hand the records to EPICS."""
        builder.LoadDatabase()

    def find(self) -> dict[str, Record]:
        """The records in memory by their names without prefix; after iocInit.

        Those that are left out are there, too, so that parts need not ask.
        """
        prefix = self._records.prefix
        found = {
            spec.name: self._record(f"{prefix}:{spec.name}", spec) for spec in self._records.specs
        }
        found |= {spec.name: Unserved(spec.name) for spec in self._records.left_out}
        for spec in self._records.specs:
            if spec.value is not None and not spec.writable:
                found[spec.name].post(spec.value)
        return found

    def _record(self, name: str, spec: RecordSpec) -> Record:
        if spec.ftvl == "USHORT":
            return Narrow(name, self.wide)
        return Record(name, spec.rtype, spec.ftvl)

    def _make(self, spec: RecordSpec, on_put: OnPut | None, validate: Validate | None) -> Any:
        fields: dict[str, Any] = {
            name: value if name in _OF_WAVEFORMS else _Text(value)
            for name, value in record_fields(spec).items()
        }
        if not spec.writable:
            return getattr(builder.records, spec.rtype)(spec.name, **fields)
        if on_put is None and validate is None:
            raise ConfigurationError(f"{spec.name}: nothing handles puts to this record")
        put: dict[str, Any] = {"on_update": on_put, "validate": validate}
        put |= {"blocking": True, "always_update": True}
        if spec.value is not None:
            put["initial_value"] = spec.value
        if spec.ftvl == "CHAR":
            del fields["FTVL"]
            return builder.longStringOut(spec.name, length=fields.pop("NELM"), **fields, **put)
        return _WRITABLE[spec.rtype](spec.name, **fields, **put)

    def _describe(self, record: Any, spec: RecordSpec) -> None:
        for alias in spec.aliases:
            record.add_alias(f"{self._records.prefix}:{alias}")
        for tag, content in record_info(spec).items():
            # softioc says for itself that what it made is a long string.
            if tag != "Q:form" or not spec.writable:
                text = content if isinstance(content, str) else json.dumps(content)
                record.add_info(tag, text)
