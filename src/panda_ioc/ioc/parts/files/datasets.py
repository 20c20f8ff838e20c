"""DATA:DATASETS: what the file holds or, before there is one, what it would hold."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from panda_ioc.capture.datasets import Dataset
from panda_ioc.capture.forecast import forecast
from panda_ioc.client.changes import Batch
from panda_ioc.errors import CaptureError, PandAError
from panda_ioc.ioc.epics.alarms import MINOR, NO_ALARM, STATE, Alarm
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.connection import Connection
from panda_ioc.ioc.panda.news import Board, Follower
from panda_ioc.ioc.parts.base import Part
from panda_ioc.ioc.parts.files.settings import FileSettings
from panda_ioc.protocol.commands import GetMultiline
from panda_ioc.records.bridge import DATASET_COLUMNS, MAX_DATASETS

log = logging.getLogger(__name__)


class Datasets(Part, Follower):
    """Shows names and types, one row for each dataset; follows what is captured.

    Arguments:
        connection: to the PandA
        settings: tell the names
        fields: of the PandA
        words: fields that are words of bits
        may_foretell: whether no file says by now what it holds
    """

    def __init__(
        self,
        connection: Connection,
        settings: FileSettings,
        fields: Iterable[str],
        words: Collection[str],
        may_foretell: Callable[[], bool],
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._wires = [f"{field}.CAPTURE" for field in fields]
        self._words = words
        self._may_foretell = may_foretell
        self._shown: object = None
        self._changed = asyncio.Event()

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        """Take the records, and follow what is captured."""
        self._records = [records[f"DATA:DATASETS:{name}"] for name in DATASET_COLUMNS]
        board.add(self, self._wires)

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """What is captured of a field has changed."""
        self._changed.set()

    async def run(self) -> None:
        """Foretell whenever something changes while no file is open; for ever."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._may_foretell():
                try:
                    await self.foretell()
                except CaptureError as error:
                    self._show([], str(error))
                except PandAError as error:
                    log.info("datasets are not known: %s", error)

    async def renamed(self) -> None:
        """Names have changed."""
        self._changed.set()

    async def foretell(self) -> None:
        """Show what would be captured now.

        Raises:
            CaptureError: two datasets of one name
            ConnectionLost, CommandTimeout, CommandError: the PandA does not say what it captures
        """
        lines = await self._connection.send(GetMultiline("*CAPTURE"))
        order = await self._connection.send(GetMultiline("*CAPTURE.*"))
        settings = self._settings
        self.show(forecast(lines, order, self._words, settings.names, settings.bits))

    def show(self, datasets: Sequence[Dataset]) -> None:
        """Show these."""
        rows = [(dataset.name, dataset.dtype.name) for dataset in datasets]
        cut = len(rows) > MAX_DATASETS
        self._show(rows[:MAX_DATASETS], f"{len(rows)} datasets" if cut else "")

    def _show(self, rows: Sequence[tuple[str, str]], fault: str) -> None:
        names, types = [name for name, _ in rows], [dtype for _, dtype in rows]
        if (names, types, fault) == self._shown:
            return
        alarm = Alarm(MINOR, STATE, fault) if fault else NO_ALARM
        for record, values in zip(self._records, (names, types), strict=True):
            record.post(values, alarm)
        self._shown = (names, types, fault)
