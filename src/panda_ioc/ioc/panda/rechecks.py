"""Questions to the PandA about single names: those in flight and those deferred.

One question at a time is under way for each name. A question waits while there is no connection,
and when its answer could not be shown or was refused: it is asked again with the next changes.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

Ask = Callable[[str], Coroutine[Any, Any, None]]
"""Asks about a name and passes the answer on."""


class Rechecks:
    """Holds the tasks that ask; `fault` raises the error of any of them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._unanswered: dict[str, asyncio.Task[None]] = {}
        self._deferred: dict[str, Ask] = {}
        self._fault: asyncio.Future[NoReturn] = asyncio.get_running_loop().create_future()

    def begin(self, wire: str, ask: Ask) -> None:
        """Ask about a name, unless an answer about it is on its way."""
        if wire in self._unanswered:
            return
        task = self._unanswered[wire] = asyncio.create_task(ask(wire))
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._done(wire, task))

    def defer(self, wire: str, ask: Ask) -> None:
        """Keep a question for `begin_deferred`."""
        self._deferred[wire] = ask

    def begin_deferred(self) -> None:
        """Ask the deferred questions."""
        deferred, self._deferred = self._deferred, {}
        for wire, ask in deferred.items():
            self.begin(wire, ask)

    def answered(self, wire: str) -> None:
        """Note that the answer has come: a later question needs a newer one."""
        self._unanswered.pop(wire, None)

    def cancel(self) -> None:
        """Drop the questions in flight; the deferred ones are for the next connection."""
        self._unanswered.clear()
        for task in self._tasks:
            task.cancel()

    async def fault(self) -> NoReturn:
        """Wait until a task fails, and raise its error."""
        await asyncio.shield(self._fault)

    def _done(self, wire: str, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if self._unanswered.get(wire) is task:  # else a newer question is under way
            del self._unanswered[wire]
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._fault.done():
            self._fault.set_exception(error)
