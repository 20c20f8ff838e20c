"""The index record of an NTEnum: follows the device, and refuses puts at once.

PVA puts to a structure do not wait for asynchronous records. So `validate` sends the choice and
waits for the device, with the record locked; whatever else touches the record does so in a thread
of its own, because the event loop must never wait for that lock.
"""

import math
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from typing import Any

from panda_ioc.client.changes import Batch
from panda_ioc.device.codecs import ChoiceCodec
from panda_ioc.errors import BadValue, CommandError, PandAError
from panda_ioc.ioc.epics.alarms import DISCONNECTED, MAJOR, NO_ALARM, STATE, UNREADABLE, Alarm
from panda_ioc.ioc.epics.database import Validate
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.connection import Connection
from panda_ioc.ioc.panda.news import Board, Follower
from panda_ioc.ioc.parts.base import Part
from panda_ioc.ioc.parts.puts import Puts
from panda_ioc.protocol.commands import Put
from panda_ioc.records import limits
from panda_ioc.records.specs import RecordSpec

PUT_TIMEOUT = 1.0
"""Seconds that a put may take, in which the PVA server serves nobody else."""

NO_CHOICE = -1
"""Index of a text that is none of the choices."""


class Choices(Part):
    """All fields and attributes whose choices are served as an NTEnum.

    Args:
        specs: of all records
        connection: to the PandA
        puts: ends puts
        worker: one thread, in which the records are touched
    """

    def __init__(
        self, specs: Iterable[RecordSpec], connection: Connection, puts: Puts, worker: Executor
    ) -> None:
        self._choices = {
            spec.name: _Choice(spec, codec, connection, puts, worker)
            for spec in specs
            if (codec := index_codec(spec))
        }

    def validate(self) -> Mapping[str, Validate]:
        """Handlers of puts, by record."""
        return {n: choice.validate for n, choice in self._choices.items() if choice.spec.writable}

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        """Bind to the records and follow the choices."""
        for name, choice in self._choices.items():
            choice.record = records[name]
            board.add(choice, [choice.spec.wire])


def index_codec(spec: RecordSpec) -> ChoiceCodec | None:
    """Return the codec of the choices if the record holds the index of one, else None."""
    is_number = spec.rtype in ("longin", "longout")
    return spec.codec if is_number and isinstance(spec.codec, ChoiceCodec) else None


class _Choice(Follower):
    def __init__(
        self,
        spec: RecordSpec,
        codec: ChoiceCodec,
        connection: Connection,
        puts: Puts,
        worker: Executor,
    ) -> None:
        self.spec = spec
        self.record: Record
        self._codec = codec
        self._connection = connection
        self._puts = puts
        self._worker = worker
        self._last: str | None = None
        self._index = 0
        self._trusted_from: float = 0

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """Show a text of the PandA."""
        if text == self._last:
            return
        if batch.number < self._trusted_from:
            self._connection.recheck(wire)
            return
        self._last = text
        bad = Alarm(MAJOR, STATE, limits.cut(text, limits.STRING))
        try:
            self._index = self._codec.decode(text)
        except BadValue:
            self._index = NO_CHOICE
            self._post(NO_CHOICE, bad, batch.time)
        else:
            is_good = self.spec.good in ("", text)
            self._post(self._index, NO_ALARM if is_good else bad, batch.time)

    def in_error(self, wire: str) -> None:
        """Mark the choice as not readable."""
        self._invalid(UNREADABLE)

    def stale(self) -> None:
        """Mark the choice as not known."""
        self._trusted_from = 0
        self._invalid(DISCONNECTED)

    def _invalid(self, alarm: Alarm) -> None:
        self._last = None
        self._post(None, alarm)

    def _post(self, *arguments: Any) -> None:
        self._worker.submit(self.record.post, *arguments)

    def validate(self, device: Any, index: int) -> bool:
        """Return whether the PandA took the choice; called by EPICS with the record locked."""

        def undo() -> None:
            # softioc goes back to what it knows of, and what the PandA says passes it by.
            device.set(self._index, process=False)

        return self._puts.end_at_once(self.record, lambda: self._send(index), PUT_TIMEOUT, undo)

    async def _send(self, index: int) -> None:
        text = self._codec.encode(index)
        self._trusted_from = math.inf  # what is told meanwhile may be older or newer
        try:
            await self._connection.put(Put(self.spec.wire, text))
            self._last, self._index = text, index
        except PandAError as error:
            if not isinstance(error, CommandError):
                self._last = None  # the alarm of the put is to end with the outage
            self._connection.recheck(self.spec.wire)  # it may have been applied all the same
            raise
        finally:
            self._trusted_from = self._connection.tick()
