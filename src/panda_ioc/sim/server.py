"""The sockets of the simulated PandA: control port on asyncio, data port on threads."""

import asyncio
import math
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from panda_ioc.errors import ConfigurationError
from panda_ioc.sim.application import PACKAGED, load
from panda_ioc.sim.control_port import ControlServer
from panda_ioc.sim.hardware import Make
from panda_ioc.sim.life import Life
from panda_ioc.sim.machine import Machine
from panda_ioc.sim.persistence import Persistence, put_layout, put_settings
from panda_ioc.sim.reader import DataServer
from panda_ioc.sim.settings import SimSettings
from panda_ioc.sim.twin_hardware import TwinHardware


class SimulatedPandA:
    """A simulated PandA inside the running event loop.

        async with SimulatedPandA() as panda:
            ...connect to panda.host, panda.control_port, panda.data_port

    Args:
        config_dir: a PandA application; None for the packaged one, which is alive from the start
        host: address to listen on
        port: control port, 0 for any that is free
        data_port: 0 for any that is free, None for the one after the control port if that is free
        settings: how it captures
        alive: whether values move; None for from the first `*PCAP.ARM=` on, always with a twin
        twin: blocks do what the FPGA does, tick by tick; samples are those of PCAP
        unknown_types: admit field types that no server has yet
        layout: file of settings to begin with, as `panda-ioc save` writes it; lines such as
            `*SIM.TRAJECTORY=INENC1=sine:0,500,2s` may be in it, too
        state: file in which settings outlive the simulator; None for none

    Raises:
        ConfigurationError: the application or the layout is bad, or the ports cannot be had
    """

    def __init__(
        self,
        config_dir: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        data_port: int | None = None,
        *,
        settings: SimSettings | None = None,
        alive: bool | None = None,
        twin: bool = False,
        unknown_types: bool = False,
        layout: Path | None = None,
        state: Path | None = None,
    ) -> None:
        application = load(config_dir or PACKAGED, unknown_types)
        if alive is None and (twin or config_dir is None):
            alive = True
        self.name = (config_dir or PACKAGED).resolve().name
        hardware: Make = TwinHardware if twin else Life
        self.machine = Machine(application, settings or SimSettings(), alive, hardware)
        self.machine.drop_others = self._drop_others
        put_settings(self.machine, application.state)
        if layout:
            put_layout(self.machine, layout)
        self._persistence = Persistence(self.machine, state) if state else None
        if self._persistence:
            self._persistence.load()
            self.machine.save = self._persistence.save
        self.host = host
        self.control_port = port
        self.data_port = 0
        self._asked_data_port = data_port
        self._connections: set[ControlServer] = set()
        self._server: asyncio.Server | None = None
        self._data: DataServer | None = None
        self._worker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen on both ports, whose numbers are known then."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: ControlServer(self.machine, self._connections),
                self.host,
                self.control_port,
            )
            self._data = self._open_data_port()
        except OSError as error:
            await self.stop()
            raise ConfigurationError(
                f"cannot listen on {self.host}, control port {self.control_port}, data port"
                f" {self._asked_data_port}: {error}; choose others, 0 for any that are free"
            ) from error
        self.control_port = self._server.sockets[0].getsockname()[1]
        self.data_port = self._data.port
        self.machine.drop_readers = self._data.drop
        self._worker = loop.create_task(self._work())

    async def _work(self) -> None:
        """Let hardware run that moves by itself; commands get their turn in between."""
        for pause in iter(self.machine.work, math.inf):
            await asyncio.sleep(pause)

    async def check(self) -> None:
        """Wait for as long as the hardware works by itself; raise what went wrong."""
        if self._worker:
            await self._worker

    def _open_data_port(self) -> DataServer:
        """Open the data port asked for; else the one after the control port, or any free one."""
        capture, visitors = self.machine.capture, self.machine.visitors
        if self._asked_data_port is not None:
            return DataServer(capture, visitors, self.host, self._asked_data_port)
        if not self.control_port:
            return DataServer(capture, visitors, self.host, 0)
        try:
            return DataServer(capture, visitors, self.host, self.control_port + 1)
        except OSError:
            return DataServer(capture, visitors, self.host, 0)

    async def stop(self) -> None:
        """Close everything, as a PandA that is switched off."""
        worker, self._worker = self._worker, None
        if worker:
            worker.cancel()
        if self._server:
            self._server.close()
            for connection in list(self._connections):
                connection.drop()
            await self._server.wait_closed()
        if self._data:
            await asyncio.to_thread(self._data.close)
        if self._persistence and self._server:
            self._persistence.save()
        self._server = self._data = None
        if worker:
            with suppress(asyncio.CancelledError):
                await worker

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    def _drop_others(self, session: object) -> None:
        for connection in list(self._connections):
            if connection.session is not session:
                connection.drop()


def run(panda: SimulatedPandA) -> int:
    """Run a simulated PandA until SIGTERM or SIGINT; one line on stdout says that it is ready.

    Returns:
        0
    """
    asyncio.run(_serve(panda))
    return 0


async def _serve(panda: SimulatedPandA) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with panda:
        sys.stdout.write(
            f"panda-ioc sim: {panda.name} ready, control {panda.host}:{panda.control_port}"
            f" data {panda.host}:{panda.data_port}\n"
        )
        sys.stdout.flush()
        async with asyncio.TaskGroup() as group:
            work = group.create_task(panda.check())
            await stop.wait()
            work.cancel()
