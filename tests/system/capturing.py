"""Puts and gets of a client that captures to files."""

import asyncio
from typing import Any

import pytest
from watching import CaSeen

from support.servers import Ioc

TEXTS = ("STATUS", "HDF_DIRECTORY", "HDF_FILE_NAME", "HDF_FULL_FILE_PATH")


class Data:
    """Puts and gets under `DATA:`."""

    def __init__(self, ca: Any, ioc: Ioc, pva: Any = None) -> None:
        self._ca, self._ioc, self._pva = ca, ioc, pva

    async def put(self, **values: Any) -> None:
        """Puts that must succeed."""
        for name, value in values.items():
            await self._put(name, value)

    async def refused(self, name: str, value: Any) -> str:
        """A put that must fail; what ERROR says of it."""
        with pytest.raises(self._ca.CANothing):
            await self._put(name, value)
        return await self._text("ERROR")

    async def get(self, name: str) -> Any:
        if name in TEXTS:
            return await self._text(f"DATA:{name}")
        return await self._ca.caget(self.pv(name))

    async def severity(self, name: str = "STATUS") -> int:
        value = await self._ca.caget(self.pv(name), format=self._ca.FORMAT_TIME)
        return int(value.severity)

    async def ended(self) -> None:
        """Wait until DATA:CAPTURE goes to 0."""
        with CaSeen(self._ca, self.pv("CAPTURE")) as seen:
            await seen.until(lambda update: update == 0, "end of the capture")

    async def shown(self, name: str, good: Any) -> None:
        """Wait until a PV has a value, or one that is good."""
        check = good if callable(good) else lambda update: update == good
        with CaSeen(self._ca, self.pv(name)) as seen:
            await seen.until(check)

    async def datasets(self, table: str = "ALL_DATASETS") -> list[tuple[str, str]]:
        """Names and types in one of the tables, by PVA: its columns change as one."""
        rows = (await asyncio.to_thread(self._pva.get, self.pv(table))).value
        return list(zip(rows.name, rows.dtype, strict=True))

    async def arm(self, value: int = 1) -> None:
        await self._ca.caput(self._ioc.pv("PCAP:ARM"), value, wait=True, timeout=10)

    async def field(self, name: str, value: Any) -> None:
        await self._ca.caput(self._ioc.pv(name), value, wait=True, timeout=10)

    async def _text(self, name: str) -> str:
        return str(await self._ca.caget(self._ioc.pv(name), datatype=self._ca.DBR_CHAR_STR))

    async def _put(self, name: str, value: Any) -> None:
        how = {"datatype": self._ca.DBR_CHAR_STR} if name in TEXTS else {}
        await self._ca.caput(self.pv(name), value, wait=True, timeout=30, **how)

    def pv(self, name: str) -> str:
        """The full name of a record, under `DATA:` unless it names its block."""
        is_data = ":" not in name or name.startswith(("DATASETS:", "ALL_DATASETS:", "LIVE:"))
        return self._ioc.pv(f"DATA:{name}" if is_data else name)
