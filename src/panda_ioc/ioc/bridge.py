"""The bridge: joins one PandA to its records.

Links are made from the record specifications, each followed by the board under its name on the
wire. The connection brings changes to the board and carries puts to the device.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from panda_ioc import __version__
from panda_ioc.capture.stream import DataStream
from panda_ioc.client.changes import Batch
from panda_ioc.device.codecs import ChoiceCodec
from panda_ioc.device.model import Device
from panda_ioc.ioc.arm import ACTIVE, ArmLink
from panda_ioc.ioc.choices import Choice
from panda_ioc.ioc.connection import Address, Connection, Listener, State
from panda_ioc.ioc.data_port import DataPort
from panda_ioc.ioc.database import OnPut, Validate
from panda_ioc.ioc.design import Design
from panda_ioc.ioc.file_capture import Files
from panda_ioc.ioc.health import Health
from panda_ioc.ioc.links import Board, Link, PulseLink, ScaledLink, UnitsFollower
from panda_ioc.ioc.live import Live
from panda_ioc.ioc.memory import MAJOR, STATE, Record
from panda_ioc.ioc.progress import Progress
from panda_ioc.ioc.reports import Reports
from panda_ioc.ioc.settings import Setting
from panda_ioc.ioc.sources import Sources
from panda_ioc.ioc.streaming import StatePoll
from panda_ioc.ioc.tables import Table
from panda_ioc.records.build import RecordSet
from panda_ioc.records.device_records import dataset_name
from panda_ioc.records.specs import RecordSpec

log = logging.getLogger(__name__)


class Bridge:
    """Everything between one PandA and its records.

    Arguments:
        address: of the PandA
        device: what it is
        is_fresh: it has just been introspected
        records: what is served for it
        poll_period: seconds between polls of changes
        data_roots: directories that files may be written in, () for all
        design_dir: directory that designs are saved in, or None
    """

    def __init__(
        self,
        address: Address,
        device: Device,
        is_fresh: bool,
        records: RecordSet,
        poll_period: float,
        data_roots: Sequence[Path] = (),
        design_dir: Path | None = None,
    ) -> None:
        self.connection = Connection(
            address,
            device,
            is_fresh,
            poll_period,
            Listener(
                changed=self._changed,
                answered=lambda wire, text, batch: self._board.tell(wire, text, batch),
                table_read=lambda wire, batch: self._show_tables(batch),
                state=self._state,
            ),
        )
        self._shown_state: tuple[State, str] | None = None
        self._device = device
        self._specs = {spec.name: spec for spec in records.specs}
        self._prefix = records.prefix
        self._board = Board(self.connection.recheck)
        self._worker = ThreadPoolExecutor(1, "tables")
        self._reports = Reports()
        self._arm = ArmLink(self.connection, self._reports)
        self._sources = Sources(device)
        self._choices = {
            spec.name: Choice(spec, spec.codec, self.connection, self._reports, self._worker)
            for spec in records.specs
            if isinstance(spec.codec, ChoiceCodec) and spec.rtype in ("longin", "longout")
        }
        self._links = {
            spec.name: self._link(spec)
            for spec in records.specs
            if spec.wire and spec.name not in self._choices
        }
        self._tables = {
            wire: Table(wire, layout, self.connection, self._reports, self._worker)
            for wire, layout in records.tables.items()
        }
        self._table_states = StatePoll(
            self.connection,
            [f"{wire}.MODE" for wire, layout in records.tables.items() if layout.streams],
        )
        self._data_port = DataPort(address, self._data_opened, self._data_closed)
        self._live = Live(self._data_port)
        self._files = Files(
            self._data_port,
            self.connection,
            device,
            {name: wire for wire in device.fields if (name := dataset_name(wire)) in self._specs},
            self._reports,
            data_roots,
            {"prefix": self._prefix, "panda": str(address), "panda_idn": device.idn}
            | {"panda_ioc_version": __version__},
        )
        self._progress = Progress(self.connection)
        self._health = Health(self.connection, self._reports, lambda: self._files.status.queued)
        self._design = Design(design_dir, address, self.connection, self._reports)
        applies = {
            **self._live.settings(),
            **self._files.settings.handlers(),
            **self._design.settings(),
        }
        self._settings = {
            name: Setting(apply, self._reports, self._files.after(name))
            for name, apply in applies.items()
        }

    # -- records --------------------------------------------------------------------------------

    def on_put(self) -> Mapping[str, OnPut]:
        """The handlers of puts, by record."""
        handlers: dict[str, OnPut] = {
            name: link.put
            for name, link in self._links.items()
            if isinstance(link, Link) and link.spec.writable
        }
        for table in self._tables.values():
            handlers |= table.handlers()
        handlers |= {name: setting.put for name, setting in self._settings.items()}
        handlers |= self._files.handlers() | self._design.handlers()
        return handlers | {"PCAP:ARM": self._arm.put}

    def validate(self) -> Mapping[str, Validate]:
        """Those that refuse at once, by record."""
        tables = {f"{table.name}:PUT": table.validate_put for table in self._tables.values()}
        return tables | {
            name: choice.validate for name, choice in self._choices.items() if choice.spec.writable
        }

    def attach(self, records: Mapping[str, Record]) -> None:
        """Take the records, once EPICS runs."""
        self._records = records
        for name, link in self._links.items():
            link.record = records[name]
            self._board.add(link, _wires(link))
        for units, followers in _by_units(self._specs.values()).items():
            recheck = partial(self._recheck, [self._specs[name] for name in followers])
            self._board.add(UnitsFollower([records[name] for name in followers], recheck), [units])
        for name, choice in self._choices.items():
            choice.record = records[name]
            self._board.add(choice, [choice.spec.wire])
        self._sources.attach(records)
        self._board.add(self._sources, self._sources.wires)
        self._arm.record = records["PCAP:ARM"]
        self._board.add(self._arm, [ACTIVE])
        self._board.add(self._progress, [ACTIVE])
        self._board.add(self._files.datasets, [f"{wire}.CAPTURE" for wire in self._device.fields])
        for table in self._tables.values():
            table.attach(records)
        self._reports.attach(records)
        self._live.attach(records)
        self._files.attach(records)
        self._progress.attach(records)
        self._design.attach(records)
        self._health.panel.attach(records)
        for name, setting in self._settings.items():
            setting.attach(records[name], self._specs[name].value)
        self._show_versions()

    async def run(self) -> None:
        """Serve the PandA; for ever."""
        async with asyncio.TaskGroup() as group:
            for task in (
                self.connection,
                self._data_port,
                self._live,
                self._files,
                self._progress,
                self._health,
                self._table_states,
            ):
                group.create_task(task.run())

    def _show_versions(self) -> None:
        found = self._device.identification
        versions = {"IOC": __version__} | (
            {"PANDA_SW": found.software, "FPGA": found.fpga, "ROOTFS": found.rootfs}
            if found
            else {}
        )
        for part, text in versions.items():
            name = f"SYSTEM:{part}_VERSION"
            if name not in self._links:  # a field of the box may have this name
                self._records[name].post(text)
        self._records["SYSTEM:IDN"].post(self._device.idn)

    # -- the connection's news ------------------------------------------------------------------

    def _changed(self, batch: Batch) -> None:
        self._board.show(batch)
        self._show_tables(batch)

    def _show_tables(self, batch: Batch) -> None:
        for wire, words in batch.tables.items():
            if wire in self._tables:
                self._tables[wire].from_device(words, batch)

    def _state(self, state: State, why: str) -> None:
        if state is State.DISCONNECTED:
            self._board.stale()
            for table in self._tables.values():
                table.stale()
        elif state is State.CONNECTED:
            for link in self._links.values():
                if isinstance(link, Link):
                    link.connected()
        if (state, why) == self._shown_state:
            return
        self._shown_state = (state, why)
        severity = {State.CONNECTED: 0, State.CONNECTING: 1, State.DISCONNECTED: MAJOR}[state]
        self._records["STATUS"].post(state, severity, STATE if severity else 0, why)

    def _data_opened(self, stream: DataStream) -> None:
        self._live.opened(stream)
        stream.add(self._health.counter)

    def _data_closed(self, why: str) -> None:
        self._live.closed(why)

    # -- details --------------------------------------------------------------------------------

    def _recheck(self, specs: Iterable[RecordSpec]) -> None:
        """Ask for values that have changed with their units."""
        for spec in specs:
            if spec.wire and not spec.scaled_by:
                self.connection.recheck(spec.wire)

    def _link(self, spec: RecordSpec) -> Link | ScaledLink:
        if spec.scaled_by:
            return ScaledLink(spec)
        if spec.rtype == "bi":
            return PulseLink(spec, self.connection, self._reports)
        return Link(spec, self.connection, self._reports)


def _wires(link: Link | ScaledLink) -> tuple[str, ...]:
    return link.wires if isinstance(link, ScaledLink) else (link.wire,)


def _by_units(specs: Iterable[RecordSpec]) -> Mapping[str, list[str]]:
    """Wire name of units -> records whose EGU follows it."""
    found: dict[str, list[str]] = {}
    for spec in specs:
        if spec.units_from:
            found.setdefault(spec.units_from, []).append(spec.name)
    return found
