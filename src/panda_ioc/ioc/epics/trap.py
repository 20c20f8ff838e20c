"""What clients put, seen before EPICS converts it: for the log, and for numbers that do not fit.

EPICS tells a listener of each put that a rule of access security with TRAPWRITE allows, before it
and after it. Of CA it has the data as the client sent them; of PVA nothing but the fact.
"""

import logging
from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panda_ioc.ioc.epics import dbcore
from panda_ioc.ioc.epics.layouts import (
    CA_CHAR,
    CA_ELEMENTS,
    CA_ENUM,
    DBF_CHAR,
    DBF_ENUM,
    DBF_USHORT,
    DBR_CHAR,
    DBR_DOUBLE,
    DBR_STRING,
    AsTrapWriteMessage,
    DbChannel,
    PutListener,
)

log = logging.getLogger(__name__)

Wide = MutableMapping[int, NDArray[Any]]
"""Addresses of records of 16 bits, and what was put to them that does not fit into these."""

SHOWN = 10
"""Elements of an array that the log has."""
_TEXT = 4096
_NUMBERS = range(DBF_CHAR, DBF_ENUM)
_UINT16 = np.iinfo(np.uint16)


class _Kept:
    """EPICS calls listeners until the process ends."""

    listeners: tuple[object, ...] = ()


class PutTrap:
    """Listens to puts as long as the process lives.

    Args:
        is_logging: log each put
        wide: is told what does not fit into records of 16 bits
    """

    def __init__(self, is_logging: bool, wide: Wide) -> None:
        self._is_logging = is_logging
        self._wide = wide
        self._before: dict[int, str] = {}
        self._keys = _keys()
        self._listener = PutListener(self._put)
        if is_logging:
            log.setLevel(logging.INFO)  # whatever the level of the rest

    def listen(self) -> None:
        """Begin to listen; call before iocInit."""
        dbcore.register_listener(self._listener)
        _Kept.listeners = (*_Kept.listeners, self)

    def _put(self, message: Any, is_after: int) -> None:
        """Handle a put, called by EPICS in the client's thread; exceptions are only printed."""
        put = message.contents
        channel = DbChannel.from_address(put.channel)
        if not is_after:
            self._watch(channel, put)
        if self._is_logging and is_after:
            self._tell(channel, put)
        elif self._is_logging:
            put.private = key = next(self._keys)
            self._before[key] = _shown(put.channel)

    def _watch(self, channel: DbChannel, put: AsTrapWriteMessage) -> None:
        """Remember a value that EPICS would cut to 16 bits, until the next put."""
        if channel.field_type != DBF_USHORT or channel.no_elements < 2:
            return
        values = _sent(put)
        is_number = values is not None and values.dtype.kind in "iuf"
        if values is not None and is_number and not _fits(values):
            self._wide[channel.record] = values
        else:
            self._wide.pop(channel.record, None)

    def _tell(self, channel: DbChannel, put: AsTrapWriteMessage) -> None:
        name = (channel.name or b"").decode(errors="replace")
        user, host = ((each or b"?").decode(errors="replace") for each in (put.user, put.host))
        before = self._before.pop(put.private or 0, "?")
        log.info("%s@%s put %s: %s -> %s", user, host, name, before, _new(channel, put))


def _keys() -> Iterator[int]:
    """Yield numbers for puts under way; 0 is left out, as it means no number."""
    number = 0
    while True:
        number += 1
        yield number


def _fits(values: NDArray[Any]) -> bool:
    return bool(np.all((values >= _UINT16.min) & (values <= _UINT16.max)))


def _sent(put: AsTrapWriteMessage) -> NDArray[Any] | None:
    """Return a copy of what a CA client has sent."""
    if not put.data or not 0 <= put.type < len(CA_ELEMENTS) or put.count < 1:
        return None
    element = CA_ELEMENTS[put.type]
    return np.frombuffer(bytes(dbcore.view(put.data, put.count * element.itemsize)), element)


def _new(channel: DbChannel, put: AsTrapWriteMessage) -> str:
    """Return what was put, or the present value if that is not known or only the number of a
    state."""
    values = _sent(put)
    if values is None or put.type == CA_ENUM or channel.dbr_field_type == DBF_ENUM:
        return _shown(put.channel)
    if put.type == CA_CHAR and channel.dbr_field_type == DBF_CHAR and channel.no_elements > 1:
        return repr(_text(values.tobytes()))
    return _some(values, channel.no_elements > 1)


def _shown(address: int) -> str:
    """Return the value of a channel; of an array, its first elements."""
    channel = DbChannel.from_address(address)
    kind, is_array = channel.dbr_field_type, channel.no_elements > 1
    if is_array and kind == DBF_CHAR:
        count = min(channel.no_elements, _TEXT)
        return repr(_text(dbcore.read_channel(address, DBR_CHAR, count).tobytes()))
    is_text = kind == DBR_STRING if is_array else kind not in _NUMBERS
    dbr = DBR_STRING if is_text else DBR_DOUBLE
    return _some(dbcore.read_channel(address, dbr, SHOWN + 1 if is_array else 1), is_array)


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode(errors="replace")


def _some(array: NDArray[Any], is_array: bool) -> str:
    is_text = array.dtype.kind == "S"
    values = [_text(value) for value in array] if is_text else array.tolist()
    if not is_array and len(values) == 1:
        return _plain(values[0])
    more = ", ..." if len(values) > SHOWN else ""
    return f"[{', '.join(map(_plain, values[:SHOWN]))}{more}]"


def _plain(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else repr(value)
