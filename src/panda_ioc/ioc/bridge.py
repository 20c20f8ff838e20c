"""The bridge: joins one PandA to its records.

It is made of parts, each with some records and what is behind them. The connection brings news to
the board, which passes them on to the parts that follow them; the parts send puts to the PandA.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from panda_ioc import __version__
from panda_ioc.capture.stream import DataStream
from panda_ioc.device.model import Device
from panda_ioc.ioc.epics.database import OnPut, Validate
from panda_ioc.ioc.epics.late import Late
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.options import Options
from panda_ioc.ioc.panda.connection import Connection, ConnectionState, Listener
from panda_ioc.ioc.panda.data_port import DataPort
from panda_ioc.ioc.panda.news import Board
from panda_ioc.ioc.parts.arm import Arming
from panda_ioc.ioc.parts.autosave import Autosave
from panda_ioc.ioc.parts.base import Part, forever
from panda_ioc.ioc.parts.choices import Choices
from panda_ioc.ioc.parts.designs import Design
from panda_ioc.ioc.parts.fields import Fields
from panda_ioc.ioc.parts.files.capture import Files
from panda_ioc.ioc.parts.health import Health
from panda_ioc.ioc.parts.live import Live
from panda_ioc.ioc.parts.pcap import AcquisitionPart
from panda_ioc.ioc.parts.puts import Puts
from panda_ioc.ioc.parts.settings import BridgeSettings
from panda_ioc.ioc.parts.sources import Sources
from panda_ioc.ioc.parts.status import ConnectionStatus
from panda_ioc.ioc.parts.streaming import StatePoll
from panda_ioc.ioc.parts.tables import TablePart
from panda_ioc.ioc.parts.worker import Worker
from panda_ioc.ioc.recsync.part import RecSync
from panda_ioc.records.build import RecordSet
from panda_ioc.records.fields import dataset_name


class Bridge:
    """The bridge between one PandA and its records.

    Args:
        options: what the command line decides
        device: what the PandA is
        is_fresh: it has just been introspected
        records: what is served for it
    """

    def __init__(
        self, options: Options, device: Device, is_fresh: bool, records: RecordSet
    ) -> None:
        specs, tables, address = records.specs, records.tables, options.address
        self._board = Board()
        news = Listener(self._board.show, self._board.tell, self._state)
        self._connection = connection = Connection(
            address, device, is_fresh, options.poll_period, options.attentive_period, news
        )
        self._board.then(connection.shown)
        self._data_port = DataPort(address, self._data_opened, self._data_closed)
        self._puts = puts = Puts()
        worker, late = Worker("tables"), Late()
        self._status = ConnectionStatus(device, frozenset(spec.name for spec in specs if spec.wire))
        self._live = Live(self._data_port)
        origin = {"prefix": records.prefix, "panda": str(address), "panda_idn": device.idn}
        names = {dataset_name(wire): wire for wire in device.fields}
        pcap = AcquisitionPart(connection, self._data_port)
        files = Files(
            self._data_port,
            connection,
            pcap,
            device,
            {spec.name: names[spec.name] for spec in specs if spec.name in names},
            options.data_roots,
            origin | {"panda_ioc_version": __version__},
        )
        design = Design(options.design_dir, device, address, connection)
        kept = [spec.name for spec in specs if spec.saved]
        autosave = Autosave(options.autosave_dir, records.prefix, kept)
        self._health = Health(connection, puts, lambda: files.status.queued)
        self._parts: Sequence[Part] = (
            puts,
            self._status,
            Fields(specs, connection),
            Choices(specs, connection, puts, late),
            Sources(device),
            Arming(connection, pcap),
            pcap,
            *(TablePart(wire, tables[wire], connection, puts, worker, late) for wire in tables),
            StatePoll(connection, [f"{wire}.MODE" for wire in tables if tables[wire].streams]),
            self._live,
            files,
            design,
            self._health,
            BridgeSettings(
                specs,
                {**self._live.settings(), **files.settings(), **design.settings()},
                files.after(),
                autosave,
            ),
            autosave,
            *_recsync(options, origin),
        )

    def on_put(self) -> Mapping[str, OnPut]:
        """Handlers of puts, by record."""
        handlers = [row for part in self._parts for row in part.on_put().items()]
        return {name: self._puts.handler(name, handler) for name, handler in handlers}

    def validate(self) -> Mapping[str, Validate]:
        """Handlers that answer a put at once, by record."""
        return {name: put for part in self._parts for name, put in part.validate().items()}

    def attach(self, records: Mapping[str, Record]) -> None:
        """Bind all parts to their records; call once EPICS runs."""
        for part in self._parts:
            part.attach(records, self._board)

    async def run(self) -> None:
        """Serve the PandA forever; if one part ends, all end."""
        async with asyncio.TaskGroup() as group:
            group.create_task(forever(self._connection.run))
            group.create_task(forever(self._data_port.run))
            for part in self._parts:
                if part.has_own_work:
                    group.create_task(forever(part.run))

    # -- news -----------------------------------------------------------------------------------

    def _state(self, state: ConnectionState, why: str) -> None:
        if state is ConnectionState.DISCONNECTED:
            self._board.stale()
        elif state is ConnectionState.CONNECTED:
            self._board.connected()
        self._status.show(state, why)

    def _data_opened(self, stream: DataStream) -> None:
        self._live.opened(stream)
        stream.add(self._health.counter)

    def _data_closed(self, why: str) -> None:
        self._live.closed(why)


def _recsync(options: Options, origin: Mapping[str, str]) -> Iterator[RecSync]:
    """The part that tells RecCeivers of all records, if there is to be one."""
    place = options.recsync_place
    if place is not None:
        names = {"prefix": "PANDA_IOC_PREFIX", "panda": "PANDA_ADDRESS", "panda_idn": "PANDA_IDN"}
        properties = {names[key]: value for key, value in origin.items()}
        yield RecSync(place, options.prefix, {**properties, "PANDA_IOC_VERSION": __version__})
