"""What all workers of a soak share: the bridge, the PandA, what was counted, and what was wrong."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import aioca
from panda import PandA
from usage import Stopwatch

from support.servers import Ioc

RECOVERY = 30.0
SETTLED = 5.0  # seconds without a fault after which a put has no excuse


class Calm:
    """Whether there was no fault from its making until it is asked."""

    def __init__(self, soaked: "Soaked") -> None:
        self._soaked = soaked
        self._is_good = soaked.is_calm

    def __bool__(self) -> bool:
        return self._is_good and self._soaked.is_calm


class Soaked:
    """The bridge and its PandA.

    Attributes:
        counts: what was done, and how it went
        wrong: what must not be
        puts, recoveries: how long they took
    """

    def __init__(self, panda: PandA, ioc: Ioc) -> None:
        self.panda, self.ioc = panda, ioc
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.puts, self.recoveries = Stopwatch(), Stopwatch()
        self._fault_at = -SETTLED
        self._is_at_fault = False

    # -- faults ---------------------------------------------------------------------------------

    def fault_begins(self) -> None:
        """From now on nothing is certain."""
        self._is_at_fault = True

    async def fault_ends(self) -> None:
        """The bridge has to find back now."""
        with self.recoveries:
            await self.connected()
        self._is_at_fault, self._fault_at = False, time.monotonic()

    @property
    def is_calm(self) -> bool:
        """Whether there is no excuse for anything."""
        return not self._is_at_fault and time.monotonic() - self._fault_at > SETTLED

    # -- the bridge -----------------------------------------------------------------------------

    async def put(self, name: str, value: Any, is_good: bool = True, **keywords: Any) -> bool:
        """A waited put whose verdict has to be the right one; whether it succeeded."""
        calm = Calm(self)
        keywords = {"wait": True, "timeout": 20, "throw": False, **keywords}
        with self.puts:
            result = await aioca.caput(self.ioc.pv(name), value, **keywords)
        ok = bool(result.ok)
        verdict = "accepted" if ok else "refused"
        self.counts[f"{'good' if is_good else 'bad'} puts {verdict}"] += 1
        if self.ioc.process.poll() is not None:
            raise RuntimeError("the bridge has ended")
        if ok and not is_good:
            self.wrong.append(f"{name}={value!r} was accepted")
        if is_good and not ok and calm:
            self.wrong.append(f"{name}={value!r} was refused: {result}: {await self.text('ERROR')}")
        return ok

    async def put_text(self, name: str, text: str) -> bool:
        """The same for a long string."""
        return await self.put(name, text, datatype=aioca.DBR_CHAR_STR)

    async def get(self, name: str) -> Any:
        """A value."""
        return await aioca.caget(self.ioc.pv(name), timeout=20)

    async def text(self, name: str) -> str:
        """A long string."""
        pv = self.ioc.pv(name)
        return str(await aioca.caget(pv, datatype=aioca.DBR_CHAR_STR, timeout=20, throw=False))

    async def connected(self) -> None:
        """Wait until the bridge says that it is."""
        await self.until(self._is_connected, "STATUS is CONNECTED")

    async def until(self, good: Callable[[], Awaitable[bool]], what: str) -> None:
        """Wait for something that has to come."""
        deadline = time.monotonic() + RECOVERY
        while not await good():
            if time.monotonic() > deadline:
                self.wrong.append(f"not in {RECOVERY} s: {what}")
                return
            await asyncio.sleep(0.05)

    async def _is_connected(self) -> bool:
        status = await aioca.caget(self.ioc.pv("STATUS"), datatype=str, timeout=20, throw=False)
        return bool(status.ok and status == "CONNECTED")
