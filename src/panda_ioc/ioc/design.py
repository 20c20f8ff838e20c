"""`DESIGN:*`: saves and loads all settings of the PandA, in one directory only."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from panda_ioc import statefile
from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.errors import BadValue, ConfigurationError, PandAError
from panda_ioc.ioc.connection import Address
from panda_ioc.ioc.database import OnPut
from panda_ioc.ioc.links import Box, reason, status
from panda_ioc.ioc.memory import MAJOR, STATE, Record
from panda_ioc.ioc.reports import Reports
from panda_ioc.protocol.responses import Refused

SHOWN = 5
"""Refused settings that STATUS names."""


class Design:
    """The records of designs.

    Arguments:
        directory: the only one that designs are kept in; None: nothing can be saved
        address: of the PandA; saving has a connection of its own, as it takes long
        box: the connection that records follow
        reports: is told how puts ended
    """

    def __init__(
        self, directory: Path | None, address: Address, box: Box, reports: Reports
    ) -> None:
        self._directory = directory.resolve() if directory else None
        self._address = address
        self._box = box
        self._reports = reports
        self._name = ""
        self._busy = asyncio.Lock()
        self._records: Mapping[str, Record] = {}

    def settings(self) -> Mapping[str, Callable[[Any], Any]]:
        """What puts to settings do, by record."""
        return {"DESIGN:FILE_NAME": self._set_name}

    def handlers(self) -> dict[str, OnPut]:
        """The handlers of the other puts."""
        return {
            "DESIGN:SAVE": self._action("DESIGN:SAVE", self._save),
            "DESIGN:LOAD": self._action("DESIGN:LOAD", self._load),
        }

    def attach(self, records: Mapping[str, Record]) -> None:
        """Take the records."""
        self._records = records
        records["DESIGN:DIRECTORY"].post(str(self._directory or ""))
        for name in self.handlers():
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
        path = (self._directory / name).resolve()
        if path == self._directory or not path.is_relative_to(self._directory):
            raise BadValue(f"{name!r} is not in {self._directory}: give a name without ../")
        if not path.parent.is_dir():
            raise BadValue(f"{name!r}: there is no directory {path.parent}")
        return path

    def _action(self, name: str, act: Callable[[], Awaitable[str]]) -> OnPut:
        async def put(value: Any) -> None:
            record = self._records[name]
            try:
                async with self._busy:
                    done = await act()
            except PandAError as error:
                record.refuse(value, 0, reason(error), status=status(error))
                self._reports.refused(record, error)
                self._records["DESIGN:STATUS"].post(str(error), MAJOR, STATE, reason(error))
            else:
                record.settle(value, 0)
                self._reports.accepted(record)
                self._records["DESIGN:STATUS"].post(done)

        return put

    async def _save(self) -> str:
        path = self._path(self._name)
        async with self._address.client() as client:
            lines = await statefile.get_state(client)
        await asyncio.to_thread(statefile.write, path, lines)
        return f"Saved {self._name}: {len(lines)} lines"

    async def _load(self) -> str:
        path = self._path(self._name)
        lines = await asyncio.to_thread(statefile.read, path)
        self._records["DESIGN:REFUSED"].post(0)
        refused = await self._send(lines)
        with contextlib.suppress(TimeoutError):
            await self._box.settled()
        if refused:
            self._records["DESIGN:REFUSED"].post(len(refused), MAJOR, STATE)
            raise BadValue(f"{self._name}: {len(refused)} settings refused: {_some(refused)}")
        return f"Loaded {self._name}"

    async def _send(self, lines: list[str]) -> tuple[Refused, ...]:
        client: AsyncioClient = self._address.client()
        async with client:
            return await statefile.set_state(client, lines)


def _some(refused: tuple[Refused, ...]) -> str:
    more = ["..."] if len(refused) > SHOWN else []
    return "; ".join([f"{each.line}: {each.reason}" for each in refused[:SHOWN]] + more)
