"""What EPICS clients see, collected: monitors over CA and PVA, and waiting for things to come."""

import asyncio
import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

from support.servers import Ioc, Sim

MARKED = "PGEN2:TABLE"  # by `caught_up`
_MARKS = itertools.count(1)
TIMEOUT = 10.0  # seconds until something that has to come is missed


class Seen:
    """The updates of one monitor, the first one included.

    Attributes:
        updates: what the client was given, in order
    """

    def __init__(self, name: str) -> None:
        self.updates: list[Any] = []
        self._name = name
        self._news = threading.Condition()

    def __call__(self, update: Any) -> None:
        if isinstance(update, Exception):
            return
        with self._news:
            self.updates.append(update)
            self._news.notify_all()

    async def until(self, good: Callable[[Any], bool], what: str = "the wanted update") -> Any:
        """The first update, of those seen and those to come, that is good."""
        return await asyncio.to_thread(self._until, good, what)

    async def first(self) -> Any:
        """The first update."""
        return await self.until(lambda _: True, "any update")

    def _until(self, good: Callable[[Any], bool], what: str) -> Any:
        deadline = time.monotonic() + TIMEOUT
        looked_at = 0
        with self._news:
            while True:
                for update in self.updates[looked_at:]:
                    if good(update):
                        return update
                looked_at = len(self.updates)
                if not self._news.wait(deadline - time.monotonic()):
                    raise AssertionError(f"{self._name}: no {what} among {self.updates}")


class CaSeen(Seen):
    """Updates of a CA monitor: augmented values of aioca, with time and alarm."""

    def __init__(self, ca: Any, name: str, **keywords: Any) -> None:
        super().__init__(name)
        keywords = {"format": ca.FORMAT_TIME, "all_updates": True, **keywords}
        self._subscription = ca.camonitor(name, self, **keywords)

    def __enter__(self) -> "CaSeen":
        return self

    def __exit__(self, *exc: object) -> None:
        self._subscription.close()


class PvaSeen(Seen):
    """Updates of a PVA monitor: structures as they are on the wire."""

    def __init__(self, pva: Any, name: str, request: str | None = None) -> None:
        super().__init__(name)
        self._subscription = pva.monitor(name, self, request=request, notify_disconnect=False)

    def __enter__(self) -> "PvaSeen":
        return self

    def __exit__(self, *exc: object) -> None:
        self._subscription.close()


async def caught_up(sim: Sim, ioc: Ioc, ca: Any) -> None:
    """Wait until what the PandA has changed by now is shown, so that what is not will not come.

    Of a reply to `*CHANGES?` tables are shown last, and what comes with a second reply is shown
    after what came with the first.
    """
    for _ in range(2):
        mark = next(_MARKS)
        with CaSeen(ca, ioc.pv(f"{MARKED}:POSITION")) as seen:
            sim.ask(f"{MARKED.replace(':', '.')}<", str(mark), "")
            await seen.until(lambda update, mark=mark: list(update) == [mark], "last change")


async def until(good: Callable[[], bool], what: str) -> None:
    """Wait until good() is true; it may block for a moment."""
    deadline = time.monotonic() + TIMEOUT
    while not await asyncio.to_thread(good):
        assert time.monotonic() < deadline, f"not in {TIMEOUT} s: {what}"
        await asyncio.sleep(0.01)
