"""How puts end: the client, the log, ERROR and ERROR:PV all get the same message.

ERROR has the reason in full: alarm messages hold 39 characters only.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from panda_ioc.errors import PandAError
from panda_ioc.ioc.epics.alarms import MINOR, NO_ALARM, STATE, Alarm, refusal
from panda_ioc.ioc.epics.database import FAULT
from panda_ioc.ioc.epics.late import Answer
from panda_ioc.ioc.epics.memory import Value
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.news import Board
from panda_ioc.ioc.parts.base import Part
from panda_ioc.records import own
from panda_ioc.threads import ThreadOwner

log = logging.getLogger(__name__)


class Puts(Part):
    """Ends each put when its work ends; remembers the last refused put."""

    def __init__(self) -> None:
        self.refusals = 0
        self._about: Record | None = None
        self._loop = asyncio.get_running_loop()
        self._owner = ThreadOwner("the end of puts")

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        self._error, self._error_pv = records[own.ERROR], records[own.ERROR_PV]
        self._show(None, "")

    async def end(
        self,
        record: Record,
        put: Value,
        work: Awaitable[Value | None],
        back_to: Callable[[], Value | None],
    ) -> bool:
        """Do the work of a put that the record is processing; return whether it succeeded.

        Args:
            record: was put to
            put: what a client has put
            work: its result is what the record is to show, None for what was put; a `PandAError`
                refuses the put
            back_to: what the record shows after a refused put; None for what was put
        """
        self._owner.check()
        try:
            shown = await work
        except PandAError as error:
            record.refuse(put, back_to(), refusal(error))
            self._refused(record, error)
            return False
        record.settle(put, shown)
        self._good(record)
        return True

    def end_late(self, record: Record, answer: Answer, work: Coroutine[Any, Any, None]) -> None:
        """The same for a PVA put that is held, from any thread: answer it once the work is done.

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
