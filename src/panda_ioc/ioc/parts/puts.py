"""How puts end: the client, the log, ERROR and ERROR:PV all get the same message.

ERROR has the reason in full: alarm messages hold 39 characters only.
"""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

from panda_ioc.errors import PandAError
from panda_ioc.ioc.epics.alarms import INVALID, MINOR, NO_ALARM, STATE, WRITE, Alarm, refusal
from panda_ioc.ioc.epics.database import OnPut
from panda_ioc.ioc.epics.late import Answer
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.news import Board
from panda_ioc.ioc.parts.base import Part, PutHandler
from panda_ioc.records import own
from panda_ioc.threads import ThreadOwner

log = logging.getLogger(__name__)

FAULT = Alarm(INVALID, WRITE, "fault of the bridge, see its log")


class Puts(Part):
    """Ends each put when its work ends; remembers the last refused put."""

    def __init__(self) -> None:
        self.refusals = 0
        self._about: Record | None = None
        self._loop = asyncio.get_running_loop()
        self._owner = ThreadOwner("the end of puts")

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        self._records = records
        self._error, self._error_pv = records[own.ERROR], records[own.ERROR_PV]
        self._show(None, "")

    def handler(self, name: str, handler: PutHandler) -> OnPut:
        """Return the coroutine function that softioc calls for each put to a record.

        The record processes until it returns. softioc would report success after an exception, so a
        fault of ours fails the put here.
        """

        async def put(value: Any) -> None:
            self._owner.check()
            record = self._records[name]
            try:
                await self._end(record, value, handler)
            except Exception:
                log.exception("put to %s failed: this is a fault of the bridge", name)
                record.refuse(value, None, FAULT)

        return put

    async def _end(self, record: Record, value: Any, handler: PutHandler) -> None:
        try:
            shown = await handler.work(value)
        except PandAError as error:
            record.refuse(value, handler.back_to(), refusal(error))
            self._refused(record, error)
            return
        if not handler.settles:
            record.settle(value, shown)
            self._good(record)

    def end_late(self, record: Record, answer: Answer, work: Coroutine[Any, Any, None]) -> None:
        """End a PVA put that is held: answer it once the work is done; from any thread.

        Args:
            record: was put to; it does not process
            answer: to the client
            work: has to show how the put ended; a `PandAError` refuses it
        """
        asyncio.run_coroutine_threadsafe(self._end_late(record, answer, work), self._loop)

    async def _end_late(
        self, record: Record, answer: Answer, work: Coroutine[Any, Any, None]
    ) -> None:
        self._owner.check()
        try:
            await work
        except PandAError as error:
            self._refused(record, error)
            answer.refuse(str(error))
        except BaseException:
            log.exception("put to %s failed: this is a fault of the bridge", record.name)
            answer.refuse(FAULT.message)
            raise
        else:
            self._good(record)
            answer.accept()

    def _refused(self, record: Record, error: PandAError) -> None:
        self.refusals += 1
        log.warning("put to %s refused: %s", record.name, error)
        self._show(record, str(error))

    def _good(self, record: Record) -> None:
        """Clear the error if the last refused put was to this record."""
        if record is self._about:
            self._show(None, "")

    def _show(self, record: Record | None, text: str) -> None:
        self._about = record
        self._error.post(text, Alarm(MINOR, STATE) if record else NO_ALARM)
        self._error_pv.post(record.name if record else "")
