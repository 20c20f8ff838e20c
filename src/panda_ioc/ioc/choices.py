"""The index record of an NTEnum: follows the device, and refuses puts at once.

PVA puts to a structure do not wait for asynchronous records. So `validate` sends the choice and
waits for the device, with the record locked; whatever else touches the record does so in a thread
of its own, because the event loop must never wait for that lock.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from panda_ioc.client.changes import Batch
from panda_ioc.device.codecs import ChoiceCodec
from panda_ioc.errors import BadValue, PandAError
from panda_ioc.ioc.links import Box, reason, status
from panda_ioc.ioc.memory import COMM, INVALID, MAJOR, READ, STATE, Record
from panda_ioc.ioc.reports import Reports
from panda_ioc.ioc.waiting import wait
from panda_ioc.protocol.commands import Put
from panda_ioc.records import limits
from panda_ioc.records.specs import RecordSpec

PUT_TIMEOUT = 1.0
"""Seconds that a put may take, in which the PVA server serves nobody else."""

NO_CHOICE = -1
"""Index of a text that is none of the choices."""


class Choice:
    """One field or attribute whose choices are served as an NTEnum.

    Arguments:
        spec: of its index record
        codec: of its choices
        box: the connection
        reports: is told how puts ended
        worker: one thread, in which its record is touched
    """

    def __init__(
        self, spec: RecordSpec, codec: ChoiceCodec, box: Box, reports: Reports, worker: Executor
    ) -> None:
        self.spec = spec
        self.record: Record
        self._codec = codec
        self._box = box
        self._reports = reports
        self._worker = worker
        self._loop = asyncio.get_running_loop()
        self._last: str | None = None
        self._index = 0
        self._trusted_from = 0

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """Show a text of the device."""
        if text == self._last:
            return
        if batch.number < self._trusted_from:
            self._box.recheck(wire)
            return
        self._last = text
        try:
            self._index = self._codec.decode(text)
        except BadValue:
            self._index = NO_CHOICE
            message = limits.cut(text, limits.STRING)
            self._post(NO_CHOICE, MAJOR, STATE, message, batch.time)
        else:
            is_good = self.spec.good in ("", text)
            alarm = (0, 0, "") if is_good else (MAJOR, STATE, limits.cut(text, limits.STRING))
            self._post(self._index, *alarm, batch.time)

    def in_error(self, wire: str) -> None:
        """Mark the choice as not readable."""
        self._invalid(READ, "PandA can not read it")

    def stale(self) -> None:
        """Mark the choice as not known."""
        self._trusted_from = 0
        self._invalid(COMM, "no connection to PandA")

    def _invalid(self, alarm: int, message: str) -> None:
        self._last = None
        self._post(None, INVALID, alarm, message)

    def _post(self, *arguments: Any) -> None:
        self._worker.submit(self.record.post, *arguments)

    def validate(self, device: Any, index: int) -> bool:
        """Called by EPICS, with the record locked: whether the device took the choice."""
        try:
            wait(self._loop, self._send(index), self.record.name, PUT_TIMEOUT)
        except PandAError as error:
            # softioc goes back to what it knows of, and what the device says passes it by.
            device.set(self._index, process=False)
            self.record.fail_in_validate(reason(error), status=status(error))
            self._call(self._reports.refused, error)
            return False
        self.record.set_alarm(0, 0)
        self._call(self._reports.accepted)
        return True

    def _call(self, report: Callable[..., None], *arguments: Any) -> None:
        self._loop.call_soon_threadsafe(report, self.record, *arguments)

    async def _send(self, index: int) -> None:
        text = self._codec.encode(index)
        await self._box.put(Put(self.spec.wire, text))
        self._last, self._index = text, index
        self._trusted_from = self._box.tick()
