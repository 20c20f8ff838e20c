"""Records whose names are too long for EPICS, so that what fills them need not know."""

from typing import Self

from panda_ioc.ioc.epics.alarms import Alarm
from panda_ioc.ioc.epics.memory import Value
from panda_ioc.ioc.epics.record import Record
from panda_ioc.records.limits import STRING


class Unserved(Record):
    """A record that no client can see or put to: it only remembers its value.

    Args:
        name: without the prefix
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.rtype = ""
        self._address = 0
        self._value: Value = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    @property
    def is_processing(self) -> bool:
        return False

    @property
    def text_size(self) -> int:
        return STRING

    def read(self) -> Value:
        return self._value

    def write(self, value: Value) -> None:
        self._value = value

    def show(
        self, value: Value | None, alarm: Alarm, stamp: float, *, is_news: bool = False
    ) -> bool:
        self._value = self._value if value is None else value
        return False

    def set_alarm(self, alarm: Alarm) -> None: ...

    def publish(self, stamp: float, mask: int = 0) -> None: ...

    def set_fields(self, **fields: str | float) -> None: ...
