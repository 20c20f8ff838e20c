"""One bridge, its PandA behind a proxy, and what EPICS clients see of them."""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

from proxy import Do, Proxy

from support.servers import Ioc, Sim
from support.truth import COMM, INVALID, Truth

log = logging.getLogger(__name__)

RECOVERY = 15.0
"""Seconds in which everything must be well again; pauses between attempts are 3 s at most."""
CANARY = "PULSE1:DELAY"
CANARY_WIRE = "PULSE1.DELAY"
_PROBLEM = re.compile(r" (WARNING|ERROR|CRITICAL) |Traceback|^Unhandled", re.MULTILINE)


class Seen:
    """All updates of one PV that a client was given."""

    def __init__(self, ca: Any, name: str, **keywords: Any) -> None:
        self.updates: list[Any] = []
        self.name = name
        keywords = {"format": ca.FORMAT_TIME, "all_updates": True, **keywords}
        self._subscription = ca.camonitor(name, self.updates.append, **keywords)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._subscription.close()

    def values(self) -> list[Any]:
        """Of all updates while the value was known."""
        return [update for update in self.updates if update.ok and update.severity != INVALID]

    async def until(self, good: Callable[[Any], bool], since: int = 0) -> Any:
        """The first good update from number `since` on, waiting for it."""
        async with asyncio.timeout(RECOVERY):
            while True:
                found = [u for u in self.updates[since:] if good(u)]
                if found:
                    return found[0]
                await asyncio.sleep(0.01)

    async def lost(self, since: int = 0) -> Any:
        """The update that says that the value is not known."""
        return await self.until(lambda u: u.ok and (u.severity, u.status) == (INVALID, COMM), since)


class Scene:
    """What a test of faults deals with."""

    def __init__(self, sim: Sim, proxy: Proxy, ioc: Ioc, ca: Any) -> None:
        self.sim, self.proxy, self.ioc, self.ca = sim, proxy, ioc, ca
        self.begin_log()

    # -- EPICS ----------------------------------------------------------------------------------

    async def get(self, name: str, **keywords: Any) -> Any:
        """One value."""
        return await self.ca.caget(self.ioc.pv(name), **keywords)

    async def put(self, name: str, value: Any, **keywords: Any) -> bool:
        """A put with callback; whether it succeeded."""
        keywords = {"wait": True, "timeout": RECOVERY, "throw": False, **keywords}
        result = await self.ca.caput(self.ioc.pv(name), value, **keywords)
        assert result.ok or result.errorcode != self.ca.caput.__module__  # a verdict, either way
        return bool(result.ok)

    def see(self, name: str, **keywords: Any) -> Seen:
        """A monitor."""
        return Seen(self.ca, self.ioc.pv(name), **keywords)

    async def until(self, good: Callable[[], Any], what: str, seconds: float = RECOVERY) -> None:
        """Wait for something, awaiting `good()` again and again."""
        deadline = time.monotonic() + seconds
        while True:
            result = good()
            if asyncio.iscoroutine(result):
                result = await result
            if result:
                return
            assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
            await asyncio.sleep(0.02)

    async def is_connected(self) -> bool:
        """What STATUS says."""
        return bool(await self.get("STATUS", datatype=str) == "CONNECTED")

    # -- PandA ----------------------------------------------------------------------------------

    async def recover(self, seed: int | None = None) -> None:
        """No more faults; wait until the bridge is connected and follows the device."""
        self.proxy.heal(seed)
        await self.until(self.is_connected, "STATUS is CONNECTED")
        value = 1 + time.monotonic() % 1
        await asyncio.to_thread(
            self.sim.put, f"{CANARY_WIRE}.UNITS=s", f"{CANARY_WIRE}={value:.6f}"
        )
        text = (await asyncio.to_thread(self.sim.ask, f"{CANARY_WIRE}?"))[0]
        expected = float(text.removeprefix("OK ="))
        await self.until(
            lambda: self._shows(CANARY, expected), f"{CANARY} shows the device's {expected}"
        )

    async def _shows(self, name: str, expected: float) -> bool:
        value = await self.get(name, format=self.ca.FORMAT_TIME)
        return bool(value == expected and value.severity == 0)

    async def disconnect(self) -> None:
        """Have all connections of the control port end, for a fresh view of everything."""
        with self.see("STATUS", datatype=str) as status:
            await status.until(lambda state: state == "CONNECTED")
            since = len(status.updates)
            self.proxy.control.end(Do.RESET)
            await status.until(lambda state: state == "CONNECTED", since)

    async def frozen_truth(self) -> list[str]:
        """What the bridge shows wrongly while the device stands still."""
        await asyncio.to_thread(self.sim.put, "*SIM.ALIVE=0")
        try:
            truth = await Truth.of(self.sim, self.ioc)
            differences: list[str] = []
            for _ in range(10):
                await asyncio.sleep(0.3)
                differences = await truth.differences(self.ca)
                if not differences:
                    break
            return differences
        finally:
            await asyncio.to_thread(self.sim.put, "*SIM.ALIVE=1")

    # -- the process ----------------------------------------------------------------------------

    def begin_log(self) -> None:
        """Count lines of the log from here on."""
        self._begin = len(self.ioc.text())

    def log(self) -> str:
        """What the bridge logged meanwhile."""
        return self.ioc.text()[self._begin :]

    def problems(self) -> list[str]:
        """Its lines that warn."""
        return [line for line in self.log().splitlines() if _PROBLEM.search(line)]

    def peak_memory(self) -> int:
        """The most memory that it ever had resident, in bytes."""
        return _status(self.ioc.process.pid, "VmHWM")

    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self.ioc.process.poll() is None


def _status(pid: int, key: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{key}:\s+(\d+) kB", text, re.MULTILINE)
    if found is None:
        raise AssertionError(f"no {key} in {text}")
    return int(found[1]) * 1024


def quiet(lines: Iterable[str], most: int = 12) -> bool:
    """Whether this is no flood of lines."""
    return len(list(lines)) <= most
