"""The interface of the parts of a bridge."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from panda_ioc.ioc.epics.database import Validate
from panda_ioc.ioc.epics.memory import Value
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.news import Board


@dataclass(frozen=True)
class PutHandler:
    """What to do about puts to a record.

    Attributes:
        work: does what was put; its result is what the record is to show, None for what was put. A
            `PandAError` refuses the put
        back_to: what the record shows after a refused put; None for what was put
        settles: the work shows in the record how the put ended
    """

    work: Callable[[Any], Awaitable[Value | None]]
    back_to: Callable[[], Value | None] = lambda: None
    settles: bool = False


class Part:
    """Some records and the work behind them; a part overrides what it has.

    A part is made before the records, so that it can say what handles their puts; it takes them
    once EPICS runs, and then runs itself.
    """

    def on_put(self) -> Mapping[str, PutHandler]:
        """What to do about puts, by record."""
        return {}

    def validate(self) -> Mapping[str, Validate]:
        """Handlers that answer a put at once, in the thread of the client, by record."""
        return {}

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        """Bind to the records and follow the names on the wire that concern them."""

    async def run(self) -> None:
        """Work forever; only parts with work of their own override it."""

    @property
    def has_own_work(self) -> bool:
        """Whether this part has a `run` of its own."""
        return type(self).run is not Part.run


class PartEnded(Exception):
    """A part that must work forever has ended, which would leave the bridge half alive."""


async def forever(run: Callable[[], Awaitable[None]]) -> NoReturn:
    """Run a part and raise however it ends, because a task group overlooks a silent end.

    Raises:
        PartEnded: the work returned, or was cancelled by something within it
    """
    name = f"run of {type(getattr(run, '__self__', None)).__name__}"
    try:
        await run()
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise PartEnded(f"{name} was cancelled") from error
    raise PartEnded(f"{name} has returned")
