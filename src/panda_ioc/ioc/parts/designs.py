"""`DESIGN:*`: saves and loads all settings of the PandA, in one directory only."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from panda_ioc import statefile
from panda_ioc.client.address import Address
from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.device.model import Device
from panda_ioc.errors import BadValue, ConfigurationError, PandAError
from panda_ioc.files import check_printable, is_special
from panda_ioc.ioc.epics.alarms import MAJOR, STATE, Alarm, reason
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.connection import Connection
from panda_ioc.ioc.panda.identity import client_of
from panda_ioc.ioc.panda.news import Board
from panda_ioc.ioc.parts.base import Part, PutHandler
from panda_ioc.ioc.parts.settings import Apply
from panda_ioc.protocol.responses import Refused
from panda_ioc.records import own
from panda_ioc.statefile import Loaded
from panda_ioc.statefile.lines import Setting

log = logging.getLogger(__name__)

SHOWN = 5
"""Refused settings that STATUS names."""


class Design(Part):
    """The records of designs.

    Args:
        directory: the only one that designs are kept in; None: nothing can be saved
        device: the PandA
        address: of the PandA; saving has a connection of its own, as it takes long
        connection: the one that records follow
    """

    def __init__(
        self,
        directory: Path | None,
        device: Device,
        address: Address,
        connection: Connection,
    ) -> None:
        self._directory = directory.resolve() if directory else None
        self._device = device
        self._address = address
        self._connection = connection
        self._name = ""
        self._busy = asyncio.Lock()
        self._records: Mapping[str, Record] = {}

    def settings(self) -> Mapping[str, Apply]:
        """What a put to each setting does, by record."""
        return {own.DESIGN_FILE_NAME: self._set_name}

    def on_put(self) -> Mapping[str, PutHandler]:
        """What to do about the other puts, by record."""
        return {
            own.DESIGN_SAVE: PutHandler(partial(self._act, self._save), lambda: 0),
            own.DESIGN_LOAD: PutHandler(partial(self._act, self._load), lambda: 0),
        }

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        self._records = records
        records[own.DESIGN_DIRECTORY].post(str(self._directory or ""))
        for name in self.on_put():
            records[name].post(0)

    def _set_name(self, name: str) -> str:
        if name:
            self._path(name)
        self._name = name
        return name

    def _path(self, name: str) -> Path:
        if self._directory is None:
            raise ConfigurationError("start the bridge with --design-dir DIR to use designs")
        if not name:
            raise BadValue("put the name of a file to DESIGN:FILE_NAME first")
        check_printable("design name", name)
        try:
            path = (self._directory / name).resolve()
        except (OSError, RuntimeError) as error:  # links in a circle
            raise BadValue(f"{name!r}: {error}") from error
        if path == self._directory:
            raise BadValue(f"{name!r} is {self._directory} itself: give the name of a file in it")
        if not path.is_relative_to(self._directory):
            raise BadValue(f"{name!r} is not in {self._directory}: give a name without ../")
        if not path.parent.is_dir():
            raise BadValue(f"{name!r}: there is no directory {path.parent}")
        if is_special(path):
            raise BadValue(f"{name!r} is a directory, FIFO, socket or device: give another name")
        return path

    async def _act(self, act: Callable[[], Awaitable[str]], _: Any) -> int:
        """Do one action at a time; STATUS shows how it ended."""
        status = self._records[own.DESIGN_STATUS]
        try:
            async with self._busy:
                status.post(await act())
        except PandAError as error:
            status.post(str(error), Alarm(MAJOR, STATE, reason(error)))
            raise
        return 0

    async def _save(self) -> str:
        path = self._path(self._name)
        async with client_of(self._address) as client:
            lines = await statefile.get_state(client, self._device)
        await asyncio.to_thread(statefile.write, path, lines)
        return f"Saved {self._name}: {len(lines)} lines"

    async def _load(self) -> str:
        path = self._path(self._name)
        settings = await asyncio.to_thread(statefile.read, path)
        self._records[own.DESIGN_REFUSED].post(0)
        loaded = await self._send(settings)
        with contextlib.suppress(TimeoutError):
            await self._connection.settled()
        if loaded.left_out:
            log.info("%s: %s", self._name, loaded.told())
        if refused := loaded.refused:
            self._records[own.DESIGN_REFUSED].post(len(refused), Alarm(MAJOR, STATE))
            raise BadValue(f"{self._name}: {len(refused)} settings refused: {_some(refused)}")
        return "; ".join(filter(None, (f"Loaded {self._name}", loaded.told())))

    async def _send(self, settings: Sequence[Setting]) -> Loaded:
        client: AsyncioClient = client_of(self._address)
        async with client:
            return await statefile.set_state(client, self._device, settings)


def _some(refused: tuple[Refused, ...]) -> str:
    more = ["..."] if len(refused) > SHOWN else []
    return "; ".join([f"{each.line}: {each.reason}" for each in refused[:SHOWN]] + more)
