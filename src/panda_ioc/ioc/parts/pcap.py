"""The progress of the acquisition: `PCAP:COMPLETION`, `PCAP:CAPTURED`, and waiting for its end.

An acquisition ends in three steps. `PCAP.ACTIVE` falls; the PandA reads the rest from its hardware,
and says Busy until it has; every data client has been sent the end. The PandA can be armed only
after the last step. It reports none of this but `PCAP.ACTIVE`, so it is asked until it is final.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

from panda_ioc.client.changes import Batch
from panda_ioc.errors import CaptureError, CommandError, PandAError
from panda_ioc.ioc.epics.alarms import DISCONNECTED, INVALID, READ, Alarm
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.connection import Connection
from panda_ioc.ioc.panda.data_port import DataPort
from panda_ioc.ioc.panda.news import Board, Follower
from panda_ioc.ioc.parts.base import Part
from panda_ioc.ioc.parts.panel import Panel
from panda_ioc.protocol.commands import GetLine
from panda_ioc.records import own

ACTIVE = "PCAP.ACTIVE"
BUSY = "Busy"
IDLE_PERIOD = 1.0  # seconds between questions while none runs, as far as is known
PERIOD = 0.2  # ... while an acquisition runs
FIRST_PAUSE = 0.002  # ... and once it is over, doubled each time
WAIT_PERIOD = 0.05  # ... and while a client waits for its end
PATIENCE = 5.0  # seconds without progress in which the PandA must be free after the end
LONGEST = 10.0  # ... and with progress
_DOES_NOT_TELL = Alarm(INVALID, READ, "this PandA does not tell")


@dataclass(frozen=True)
class Standing:
    """The progress of the running or last acquisition.

    Attributes:
        active: `PCAP.ACTIVE` is high
        completion: Busy, or how it ended; None from a server that does not tell
        captured: samples so far; None from a server that does not tell
        is_busy: first word of the status is Busy
        taking: data clients that have not been sent the end
    """

    active: bool
    completion: str | None
    captured: int | None
    is_busy: bool
    taking: int

    @property
    def is_reading(self) -> bool:
        """Whether the PandA still reads from its hardware."""
        if self.completion is None:
            return self.is_busy and not self.taking
        return self.completion == BUSY

    @property
    def is_final(self) -> bool:
        """Whether completion and number of samples stay as they are."""
        return not (self.active or self.is_reading)

    @property
    def is_idle(self) -> bool:
        """Whether the PandA can be armed."""
        return self.is_final and not self.taking


class AcquisitionPart(Part, Follower):
    """Asks for the progress of the acquisition and shows each answer.

    Args:
        connection: to the PandA
        port: tells whether this bridge is one of the data clients that hold the PandA up
    """

    def __init__(self, connection: Connection, port: DataPort) -> None:
        self._connection = connection
        self._port = port
        self._panel = Panel()
        self._changed = asyncio.Event()
        self._losses = 0

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        """Bind to the records and follow PCAP.ACTIVE."""
        self._panel.attach(records)
        board.add(self, [ACTIVE])

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """Ask for the progress: PCAP.ACTIVE has changed or pulsed."""
        self._changed.set()

    def connected(self) -> None:
        """Ask for the progress after a reconnection."""
        self._changed.set()

    def stale(self) -> None:
        """Show that the value is unknown."""
        self._losses += 1
        self._panel.show(own.PCAP_COMPLETION, "", DISCONNECTED)
        self._panel.show(own.PCAP_CAPTURED, 0, DISCONNECTED)

    async def run(self) -> None:
        """Follow each acquisition to its end, forever."""
        while True:
            await self._pause(IDLE_PERIOD)
            with contextlib.suppress(PandAError):  # all records say that the connection is lost
                await self._follow()

    async def _follow(self) -> None:
        tail = FIRST_PAUSE
        while not (now := await self.ask()).is_final:
            await self._pause(PERIOD if now.active else tail)
            tail = FIRST_PAUSE if now.active else min(2 * tail, PERIOD)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than until PCAP.ACTIVE is reported."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        self._changed.clear()

    # -- questions ------------------------------------------------------------------------------

    async def ask(self) -> Standing:
        """Ask for the progress now.

        Raises:
            ConnectionLost, CommandTimeout: the PandA does not answer
        """
        losses = self._losses
        # In this order: once it is complete, the number of samples is final.
        status, completion, captured, active = await asyncio.gather(
            *map(self._answer, ("*PCAP.STATUS", "*PCAP.COMPLETION", "*PCAP.CAPTURED", ACTIVE))
        )
        state, _, taking = (*(status or "").split(), "", "", "")[:3]
        now = Standing(
            active == "1", completion, _number(captured), state == BUSY, _number(taking) or 0
        )
        if losses == self._losses:
            self._show(now)
        return now

    async def released(self, grace: float = 0.0, patience: float = PATIENCE) -> Standing:
        """Wait until the PandA can be armed again, or is found active.

        Args:
            grace: seconds for which it may be active, to become inactive
            patience: seconds without any progress in which it must be free once it is inactive

        Raises:
            CaptureError: it is not free in time; the message says what holds it
            ConnectionLost, CommandTimeout: the PandA does not answer
        """
        begun = time.monotonic()
        pause, limit = FIRST_PAUSE, _Limit(patience)
        while not (now := await self.ask()).is_idle:
            if now.active:
                limit = _Limit(patience)
                if time.monotonic() >= begun + grace:
                    return now
            elif limit.is_over((now, self._received)):
                raise CaptureError(
                    f"{self._holder(now)} {limit.waited:.0f} s after the acquisition"
                )
            await asyncio.sleep(pause)
            pause = min(2 * pause, WAIT_PERIOD)
        await self._connection.settled()  # PCAP:ACTIVE shows it, too
        return now

    async def ended(self) -> Standing:
        """Wait until no acquisition runs and the PandA can be armed; at once if that is so.

        Raises:
            CaptureError: the acquisition is over, but the PandA is not free in time
            ConnectionLost, CommandTimeout: the PandA does not answer
        """
        while (now := await self.released()).active:  # noqa: ASYNC110 - not an event
            await asyncio.sleep(WAIT_PERIOD)
        return now

    async def _answer(self, name: str) -> str | None:
        """Return the answer to a question, or None from a server that does not know it."""
        try:
            return await self._connection.send(GetLine(name))
        except CommandError:
            return None

    # -- what is said ---------------------------------------------------------------------------

    @property
    def _received(self) -> int:
        """Return the samples that this bridge has received of the current acquisition."""
        stream = self._port.stream
        return stream.received if stream else 0

    def _holder(self, now: Standing) -> str:
        if now.is_reading:
            return "still reading"
        who = "1 data client" if now.taking == 1 else f"{now.taking} data clients"
        stream = self._port.stream
        ours = " (this bridge is one)" if stream and stream.running else ""
        return f"{who} still taking data{ours}"

    def _show(self, now: Standing) -> None:
        for name, value, empty in (
            (own.PCAP_COMPLETION, now.completion, ""),
            (own.PCAP_CAPTURED, now.captured, 0),
        ):
            if value is None:
                self._panel.show(name, empty, _DOES_NOT_TELL)
            else:
                self._panel.show(name, value)


class _Limit:
    """A time limit that starts anew whenever there is progress."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._begun = self._since = time.monotonic()
        self._sign: object = None

    @property
    def waited(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._begun

    def is_over(self, sign: object) -> bool:
        """Whether it takes too long; `sign` changes whenever there is progress."""
        now = time.monotonic()
        if sign != self._sign:
            self._sign, self._since = sign, now
        return now >= self._since + self._patience or now >= self._begun + LONGEST


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
