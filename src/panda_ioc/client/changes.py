"""The change feed: polls a PandA for changes, over a connection of its own.

The history of ``*CHANGES?`` belongs to the connection, so the first batch holds everything.
Replies to puts never wait behind it: those have their own connection.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.attention import Attention
from panda_ioc.client.value_commands import words_from_base64
from panda_ioc.errors import CommandError, ProtocolError
from panda_ioc.protocol.commands import ChangeGroup, GetChanges, GetMultiline

log = logging.getLogger(__name__)

T = TypeVar("T")

METADATA = "*METADATA."

SHARE = 3
"""Quick polls take one part in so many of the PandA's time, at most."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Changes, by names on the wire.

    Attributes:
        number: when it was asked for, in ticks of the clock that the feed was given
        time: when the reply came, seconds since 1970
        texts: name -> new text
        errors: names that the PandA could not read; they come with every batch, but for tables,
            which come once
        tables: name -> all words of a table
        lines: name -> lines of multi-line metadata
    """

    number: int
    time: float
    texts: Mapping[str, str]
    errors: frozenset[str]
    tables: Mapping[str, NDArray[np.uint32]]
    lines: Mapping[str, list[str]]


class ChangeFeed:
    """Polls periodically, and at once when poked.

    Attributes:
        period, quick: seconds between polls; may be changed at any time
        last_duration: seconds that the last poll took

    Args:
        client: a connection used for nothing else
        period: seconds between polls
        handle: is given each batch; what it raises ends `run`
        tick: numbers what happens, so that news can be told from older news
        long: names of the tables and multi-line metadata that are fetched; None: all that the PandA
            says have changed
        quick: seconds between polls while things are happening (see `Attention`); None: the period
    """

    def __init__(
        self,
        client: AsyncioClient,
        period: float,
        handle: Callable[[Batch], None],
        tick: Callable[[], int],
        long: Container[str] | None = None,
        quick: float | None = None,
    ) -> None:
        self.period = period
        self.quick = period if quick is None else quick
        self.last_duration = 0.0
        self._client = client
        self._handle = handle
        self._tick = tick
        self._long = long
        self._attention = Attention()
        self._wanted = asyncio.Event()
        self._handled = asyncio.Condition()
        self._sent = 0
        self._done = 0

    def poke(self) -> None:
        """Poll without waiting for the period to end: something has happened."""
        self._attention.call()
        self._wanted.set()

    async def settled(self) -> None:
        """Wait until a poll that is sent from now on has been handled."""
        number = self._sent + 1
        self.poke()
        async with self._handled:
            await self._handled.wait_for(lambda: self._done >= number)

    async def run(self) -> None:
        """Poll until the connection fails; raises the error that ended it."""
        self._attention.forget()
        while True:
            await self.poll()
            polled = time.monotonic()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._period_now() - self.last_duration)):
                    await self._wanted.wait()
            # However often it is poked, half of the time is left to others.
            pause = min(self.period, self.last_duration)
            await asyncio.sleep(max(0.0, polled + pause - time.monotonic()))

    def _period_now(self) -> float:
        if not self._attention.is_paid:
            return self.period
        return min(self.period, max(self.quick, SHARE * self.last_duration))

    async def poll(self) -> None:
        """Poll once."""
        self._wanted.clear()
        self._sent += 1
        poll, number, start = self._sent, self._tick(), time.monotonic()
        changes = await self._client.send(GetChanges(ChangeGroup.ALL))
        wanted = [n for n in changes.no_value if self._long is None or n in self._long]
        tables, lines, refused = await self._fetch(wanted)
        self.last_duration = time.monotonic() - start
        self._attention.see(changes.values)
        errors = frozenset([*changes.in_error, *refused])
        self._handle(Batch(number, time.time(), changes.values, errors, tables, lines))
        async with self._handled:
            self._done = poll
            self._handled.notify_all()

    async def _fetch(
        self, names: list[str]
    ) -> tuple[dict[str, NDArray[np.uint32]], dict[str, list[str]], set[str]]:
        """The values of what is too long to come with the changes; names that were refused."""
        metadata = [name for name in names if name.startswith(METADATA)]
        tables = [name for name in names if not name.startswith(METADATA)]
        lines = await _answers({name: self._client.send(GetMultiline(name)) for name in metadata})
        words = await _answers({name: fetch_table(self._client, name) for name in tables})
        return words, lines, set(names) - words.keys() - lines.keys()


async def fetch_table(client: AsyncioClient, name: str) -> NDArray[np.uint32]:
    """Read the words of a table, as base64, which is a third of the bytes.

    Raises:
        CommandError: the PandA refuses, or answers what is no table; others can still be read
    """
    lines = await client.send(GetMultiline(f"{name}.B"))
    try:
        return words_from_base64(name, lines)
    except ProtocolError as error:
        raise CommandError(str(error)) from error


async def _answers(questions: Mapping[str, Awaitable[T]]) -> dict[str, T]:
    """The answers, by name, to all questions that are not refused; the log has the refusals."""
    answers = await asyncio.gather(*questions.values(), return_exceptions=True)
    found = {}
    for name, answer in zip(questions, answers, strict=True):
        if isinstance(answer, CommandError):
            log.warning("%s", answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found[name] = answer
    return found
