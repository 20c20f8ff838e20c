"""Capture to files: `DATA:*`.

A put of 1 to DATA:CAPTURE is done when the data port is connected and the file is made, so whatever
is armed from then on is captured; if either fails the put fails, and says why. An acquisition that
is active is joined; one that is over on the PandA is not, even if its last samples are still to
come. A put of 0 is done when the file is closed.

When a capture ends by itself, DATA:CAPTURE goes to 0 after all the other records tell of its end. A
put to DATA:WAIT is done then, or if its acquisition is over, once the PandA can be armed again. It
fails if the capture did.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from panda_ioc.capture.session import FileCapture
from panda_ioc.capture.settings import CaptureSettings
from panda_ioc.capture.status import CaptureState, CaptureStatus
from panda_ioc.capture.stream import DataStream
from panda_ioc.device.model import Device
from panda_ioc.errors import BadValue, CaptureError, CommandTimeout, PandAError
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.connection import Connection
from panda_ioc.ioc.panda.data_port import DataPort
from panda_ioc.ioc.panda.news import Board
from panda_ioc.ioc.parts.base import Part, PutHandler, forever
from panda_ioc.ioc.parts.files.datasets import Datasets
from panda_ioc.ioc.parts.files.settings import FileSettings
from panda_ioc.ioc.parts.files.status import FileStatus
from panda_ioc.ioc.parts.pcap import AcquisitionPart
from panda_ioc.ioc.parts.settings import After, Apply
from panda_ioc.protocol.responses import ExtOutBitsFieldInfo
from panda_ioc.records import own

log = logging.getLogger(__name__)

USER = "file"
READY_TIMEOUT = 5.0  # seconds until the data port is connected
RELEASE_TIMEOUT = 1.0  # seconds that an acquisition that is over may hold a new capture up
END_TIMEOUT = 0.5  # ... and until the capture of one that is over has closed its file
SETTLE_TIMEOUT = 0.05  # seconds until what has come on the data port is taken in
CLOSE_TIMEOUT = 60.0  # seconds until what is queued has been written
PERIOD = 0.1  # seconds between updates while a file is open


class Files(Part):
    """Captures to one file after the other.

    Args:
        port: brings the data
        connection: to the PandA
        pcap: tells how the acquisition stands
        device: what it is
        fields: `FIELD:DATASET` record -> PandA field
        roots: directories that files may be in, () for all
        attributes: of each file
    """

    def __init__(
        self,
        port: DataPort,
        connection: Connection,
        pcap: AcquisitionPart,
        device: Device,
        fields: Mapping[str, str],
        roots: Sequence[Path],
        attributes: Mapping[str, str],
    ) -> None:
        bits = {
            field.wire: field.info.bits
            for field in device.bit_words
            if isinstance(field.info, ExtOutBitsFieldInfo)
        }
        self._settings = FileSettings(fields, bits, roots, attributes)
        self._datasets = Datasets(
            connection, self._settings, device.fields, tuple(bits), self._may_foretell
        )
        self._port = port
        self._pcap = pcap
        self._display = FileStatus()
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._session: FileCapture | None = None
        self._refusal = ""
        self._shown = 0

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        self._capture = records[own.DATA_CAPTURE]
        self._display.attach(records, board)
        self._settings.attach(records, board)
        self._datasets.attach(records, board)

    def settings(self) -> Mapping[str, Apply]:
        """What a put to each setting does, by record."""
        return self._settings.applies()

    def after(self) -> Mapping[str, After]:
        """What to do before a good put to a setting ends, by record."""
        names = [name for name in self.settings() if name.endswith(":DATASET")]
        return dict.fromkeys(names, self._datasets.renamed) | {
            own.DATA_HDF_DIRECTORY: self._settings.directory_changed,
            own.DATA_HDF_FILE_NAME: self._settings.name_changed,
            own.DATA_FLUSH_PERIOD: self._apply_flush_period,
            own.DATA_UNPACK_BITS: self._datasets.renamed,
        }

    def on_put(self) -> Mapping[str, PutHandler]:
        """What to do about puts to records that are no settings, by record."""
        return {
            own.DATA_CAPTURE: PutHandler(self._put_capture, lambda: int(self.is_busy)),
            own.DATA_WAIT: PutHandler(self._ended, lambda: 0),
        }

    @property
    def status(self) -> CaptureStatus:
        """The status of the running or last capture."""
        return self._session.status if self._session else CaptureStatus()

    @property
    def is_busy(self) -> bool:
        """Whether clients have been told that a capture runs."""
        return not self._idle.is_set()

    # -- puts -----------------------------------------------------------------------------------

    async def _put_capture(self, value: int) -> int:
        """Start or stop; return what CAPTURE then shows."""
        try:
            if value == 1:
                await self._begin()
            elif value == 0:
                await self._stop()
            else:
                raise BadValue(f"{value} is neither 0 nor 1")
        finally:
            self._shown = int(self.is_busy)
            self._news.set()
        return self._shown

    async def _ended(self, value: int) -> int:
        """Wait for the end of the capture and its acquisition; return what WAIT then shows."""
        await self._idle.wait()
        if value and self.status.state is CaptureState.FAILED:
            raise CaptureError(self.status.message)
        await self._pcap.released()
        return 0

    async def _begin(self) -> None:
        if self.is_busy and not await self._ends():
            raise CaptureError(f"capturing to {self.status.path} already: put 0 first")
        settings = self._settings.of_next_file
        self._port.want(USER)
        try:
            session = await self._begun(settings)
        except BaseException as error:
            self._port.release(USER)
            if isinstance(error, PandAError):
                self._refusal = f"Not begun: {error}"
                self._show(self.status)
            raise
        self._session, self._refusal = session, ""
        self._settings.open_file = session.status.path
        self._idle.clear()
        self._show(session.status)

    async def _ends(self) -> bool:
        """Whether the running capture ends by itself now because its acquisition is over."""
        if (await self._pcap.released(patience=RELEASE_TIMEOUT)).active:
            return False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_TIMEOUT):
                await self._idle.wait()
        return not self.is_busy

    async def _begun(self, settings: CaptureSettings) -> FileCapture:
        await asyncio.to_thread(settings.check)
        await self._datasets.foretell()
        stream = await self._port.ready(READY_TIMEOUT)
        over = await self._over(stream)
        session = FileCapture(settings, self._changed)
        await asyncio.to_thread(session.begin, stream, over)
        return session

    async def _over(self, stream: DataStream) -> int:
        """Return the number of the acquisition that is over but still being received, or 0."""
        try:
            await self._pcap.released(patience=RELEASE_TIMEOUT)
        except CaptureError:
            return stream.current
        # Whatever is under way now is active: the end of all others was sent before.
        await asyncio.to_thread(stream.settle, SETTLE_TIMEOUT)
        return 0

    async def _stop(self) -> None:
        session = self._session
        if session is None or not self.is_busy:
            return
        now = await asyncio.to_thread(session.stop, CLOSE_TIMEOUT)
        if now.busy:
            raise CommandTimeout(
                f"{now.path} is still being written after {CLOSE_TIMEOUT:g} s: {now.queued} bytes"
                " to go; it is closed after them"
            )
        self._end(now)

    def _may_foretell(self) -> bool:
        return not (self.is_busy and self.status.start)

    # -- showing --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Show the status forever."""
        async with asyncio.TaskGroup() as group:
            for run in (self._follow, self._settings.run, self._datasets.run):
                group.create_task(forever(run))

    async def _follow(self) -> None:
        """Show the status of the capture and notice its end, forever."""
        try:
            while True:
                self._news.clear()
                self._update()
                is_quiet = not self.is_busy and self._shown == 0
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(None if is_quiet else PERIOD):
                        await self._news.wait()
        finally:
            if self._session is not None:
                await asyncio.to_thread(self._session.stop, CLOSE_TIMEOUT)

    async def _apply_flush_period(self) -> None:
        """Apply the flush period to the open file."""
        if self._session is not None:
            self._session.flush_period = self._settings.of_next_file.flush_period

    def _changed(self, _: CaptureStatus) -> None:
        """Pass a change on to the event loop; called in the writer thread."""
        self._loop.call_soon_threadsafe(self._news.set)

    def _update(self) -> None:
        now = self.status
        if self.is_busy and not now.busy:
            self._end(now)
        elif self.is_busy:
            self._show(now)
        # While a put of DATA:CAPTURE is under way this has to be tried again.
        if self._shown and not self.is_busy and self._capture.post(0):
            self._shown = 0

    def _end(self, now: CaptureStatus) -> None:
        if self.is_busy:
            self._display.count(now)
            self._port.release(USER)
            self._settings.open_file = None
            self._idle.set()
        self._show(now)

    def _show(self, now: CaptureStatus) -> None:
        if now.start is not None:
            self._datasets.show(now.datasets)
        self._display.show(now, self._refusal, self.is_busy)
