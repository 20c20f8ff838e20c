"""Columns of 16 bits, to which CA clients may put more than fits: EPICS would cut it silently."""

from panda_ioc.ioc.epics.memory import Value
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.epics.trap import Wide


class Narrow(Record):
    """A waveform of 16 bits that remembers what was put to it, as it was put.

    Args:
        name: with the prefix
        wide: what was put and does not fit, by the address of the record
    """

    def __init__(self, name: str, wide: Wide) -> None:
        super().__init__(name, "waveform", "USHORT")
        self._wide = wide

    def read_put(self) -> Value:
        wide = self._wide.get(self._address)
        return self.read() if wide is None else wide

    def write(self, value: Value) -> None:
        self._wide.pop(self._address, None)
        super().write(value)
