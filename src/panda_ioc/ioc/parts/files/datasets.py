"""DATA:DATASETS and DATA:ALL_DATASETS: the datasets of the open file, or of the next one."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from panda_ioc.capture.datasets import Dataset
from panda_ioc.capture.forecast import forecast
from panda_ioc.client.changes import Batch
from panda_ioc.errors import CaptureError, PandAError
from panda_ioc.ioc.epics.alarms import MINOR, NO_ALARM, STATE, Alarm
from panda_ioc.ioc.epics.record import Locker, Record
from panda_ioc.ioc.panda.connection import Connection
from panda_ioc.ioc.panda.news import Board, Follower
from panda_ioc.ioc.parts.base import Part
from panda_ioc.ioc.parts.files.settings import FileSettings
from panda_ioc.protocol.commands import GetMultiline
from panda_ioc.records.datasets import ALL, DATASET_TABLES, MAX_DATASETS, NAMED

log = logging.getLogger(__name__)

_VALUES: Mapping[str, Callable[[Dataset], str]] = {
    "Name": lambda dataset: dataset.name,
    "DType": lambda dataset: dataset.dtype.name,
    "Field": lambda dataset: dataset.panda_field,
    "Capture": lambda dataset: dataset.capture,
}


class _Table:
    """Shows one of the tables, one row for each dataset."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._shown: object = None

    def attach(self, records: Mapping[str, Record]) -> None:
        """Bind to the records of the columns."""
        self._columns = {
            column: records[f"{self._name}:{column}"] for column in DATASET_TABLES[self._name]
        }
        self._lock = Locker(list(self._columns.values()))

    def show(self, datasets: Sequence[Dataset], fault: str = "") -> None:
        """Show as many datasets as there is room for."""
        if len(datasets) > MAX_DATASETS:
            fault = f"{len(datasets)} datasets"
        rows = datasets[:MAX_DATASETS]
        values = {name: [_VALUES[name](row) for row in rows] for name in self._columns}
        if (values, fault) == self._shown:
            return
        alarm = Alarm(MINOR, STATE, fault) if fault else NO_ALARM
        stamp = time.time()
        with self._lock():  # no client gets names of one file with types of another
            for name, record in self._columns.items():
                # Also if it is the same: the last column posts the structure.
                record.show(values[name], alarm, stamp, is_news=True)
        self._shown = (values, fault)


class Datasets(Part, Follower):
    """Shows all datasets, and apart those with a given name; follows what is captured.

    Args:
        connection: to the PandA
        settings: tell the names
        fields: of the PandA
        words: fields that are words of bits
        may_foretell: whether a forecast may be shown: no open file has defined its datasets yet
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
        self._named, self._all = _Table(NAMED), _Table(ALL)
        self._changed = asyncio.Event()

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        """Bind to the records and follow what is captured."""
        self._named.attach(records)
        self._all.attach(records)
        board.add(self, self._wires)

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """What is captured of a field has changed."""
        self._changed.set()

    async def run(self) -> None:
        """Update the forecast whenever something changes while no file is open, forever."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._may_foretell():
                try:
                    await self.foretell()
                except CaptureError as error:
                    self.show([], str(error))
                except PandAError as error:
                    log.info("datasets are not known: %s", error)

    async def renamed(self) -> None:
        """Note that names of datasets have changed."""
        self._changed.set()

    async def foretell(self) -> None:
        """Show the datasets that would be captured now.

        Raises:
            CaptureError: two datasets of one name
            ConnectionLost, CommandTimeout, CommandError: the PandA does not say what it captures
        """
        lines = await self._connection.send(GetMultiline("*CAPTURE"))
        order = await self._connection.send(GetMultiline("*CAPTURE.*"))
        settings = self._settings
        self.show(forecast(lines, order, self._words, settings.names, settings.bits))

    def show(self, datasets: Sequence[Dataset], fault: str = "") -> None:
        self._named.show([dataset for dataset in datasets if dataset.is_named], fault)
        self._all.show(datasets, fault)
