"""Questions to the PandA that are under way, one at a time for each name."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn


class Rechecks:
    """Holds the tasks that ask; `fault` raises what goes wrong in one of them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._unanswered: dict[str, asyncio.Task[None]] = {}
        self._fault: asyncio.Future[NoReturn] = asyncio.get_running_loop().create_future()

    def begin(self, wire: str, ask: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        """Ask about a name, unless an answer about it is on its way."""
        if wire in self._unanswered:
            return
        task = self._unanswered[wire] = asyncio.create_task(ask(wire))
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._done(wire, task))

    def answered(self, wire: str) -> None:
        """Note that the answer is there: whoever asks from now on wants a newer one."""
        self._unanswered.pop(wire, None)

    def cancel(self) -> None:
        """Drop all questions."""
        self._unanswered.clear()
        for task in self._tasks:
            task.cancel()

    async def fault(self) -> NoReturn:
        """Wait until a task fails, and raise what it raised."""
        await asyncio.shield(self._fault)

    def _done(self, wire: str, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if self._unanswered.get(wire) is task:  # else a newer question is under way
            del self._unanswered[wire]
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._fault.done():
            self._fault.set_exception(error)
