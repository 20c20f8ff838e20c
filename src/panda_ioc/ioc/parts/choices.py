"""The index records of NTEnums, and puts of NTEnums."""

from collections.abc import Iterable, Mapping
from typing import Any

from panda_ioc.device.codecs import ChoiceCodec
from panda_ioc.errors import PandAError
from panda_ioc.ioc.epics.alarms import refusal
from panda_ioc.ioc.epics.database import Validate
from panda_ioc.ioc.epics.late import Late
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.connection import Connection
from panda_ioc.ioc.panda.news import Board
from panda_ioc.ioc.parts.base import Part, PutHandler
from panda_ioc.ioc.parts.links import Link
from panda_ioc.ioc.parts.puts import Puts
from panda_ioc.records.specs import RecordSpec


class Choices(Part):
    """All fields and attributes whose choices are served as an NTEnum.

    Args:
        specs: of all records
        connection: to the PandA
        puts: ends puts that are answered late
        late: holds PVA puts
    """

    def __init__(
        self, specs: Iterable[RecordSpec], connection: Connection, puts: Puts, late: Late
    ) -> None:
        self._choices = {
            spec.name: _Choice(spec, connection, puts, late) for spec in specs if is_index(spec)
        }

    def on_put(self) -> Mapping[str, PutHandler]:
        """What to do about puts, by record."""
        return {name: choice.handler() for name, choice in self._writable().items()}

    def validate(self) -> Mapping[str, Validate]:
        """What takes puts of NTEnums, by record."""
        return {name: choice.validate for name, choice in self._writable().items()}

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        """Bind to the records and follow the choices."""
        for name, choice in self._choices.items():
            choice.record = records[name]
            board.add(choice, choice.wires)

    def _writable(self) -> Mapping[str, "_Choice"]:
        return {name: choice for name, choice in self._choices.items() if choice.spec.writable}


def is_index(spec: RecordSpec) -> bool:
    """Whether the record holds the number of a choice, not the choice."""
    return spec.rtype in ("longin", "longout") and isinstance(spec.codec, ChoiceCodec)


class _Choice(Link):
    def __init__(self, spec: RecordSpec, connection: Connection, puts: Puts, late: Late) -> None:
        super().__init__(spec, connection)
        self._puts = puts
        self._late = late

    def _show(self, text: str, stamp: float) -> None:
        with self.record:  # so that `validate`, in another thread, knows what the record shows
            super()._show(text, stamp)

    def validate(self, device: Any, index: int) -> bool:
        """Called by EPICS, with the record locked; False if a PVA put is answered late."""
        answer = self._late.hold()
        if answer is None:
            return True
        if self._value is not None:
            device.set(self._value, process=False)  # to which softioc goes back now
        self.record.keep_alarm()
        self._puts.end_late(self.record, answer, self._put_late(index))
        return False

    async def _put_late(self, index: int) -> None:
        try:
            shown = await self.put(index)
        except PandAError as error:
            # Clients show what they have put.
            self.record.post(self._value, refusal(error), is_news=True)
            raise
        self.record.post(index if shown is None else shown)
