"""`panda-ioc capture`: an acquisition, or many, to a file without an IOC."""

import contextlib
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import FrameType
from typing import TextIO

from panda_ioc.capture.datasets import BitNames
from panda_ioc.capture.session import FileCapture
from panda_ioc.capture.settings import CaptureSettings, Mode
from panda_ioc.capture.status import CaptureStatus
from panda_ioc.capture.stream import DataStream
from panda_ioc.client.address import Address
from panda_ioc.client.blocking import BlockingClient
from panda_ioc.client.data import DataSocket
from panda_ioc.errors import CommandError, PandAError
from panda_ioc.protocol.commands import Arm, Disarm, GetLine, GetPcapBitsLabels
from panda_ioc.protocol.responses import EndReason

EXITS: Mapping[EndReason | None, int] = {
    EndReason.OK: 0,
    EndReason.DISARMED: 0,
    None: 3,
    EndReason.DATA_OVERRUN: 4,
    EndReason.DRIVER_DATA_OVERRUN: 4,
    EndReason.DMA_DATA_ERROR: 4,
    EndReason.FRAMING_ERROR: 4,
    EndReason.EARLY_DISCONNECT: 4,
    EndReason.DISCONNECTED: 5,
    EndReason.START_DATA_MISMATCH: 6,
    EndReason.MANUALLY_STOPPED: 130,
}
"""Exit status by end reason; None is that the file could not be written."""

TTY_PERIOD, LINE_PERIOD = 0.2, 5.0
"""Seconds between updates on a terminal, and between lines elsewhere."""
CLOSE_TIMEOUT = 600.0  # seconds until all that is queued must be in the file
_BAR = 20  # characters


def run(
    address: Address, settings: CaptureSettings, arm: bool = False, unpack_bits: bool = False
) -> int:
    """Capture until the end, or until interrupted; returns the exit status.

    Args:
        address: of the PandA
        settings: what to capture and where to
        arm: arm it, and disarm it if it is still active when the capture has ended
        unpack_bits: one dataset for each named bit
    """
    if unpack_bits:
        settings = replace(settings, bits=_bits(address))
    connection = DataSocket(address.host, address.data_port, timeout=address.timeout)
    stream = DataStream(connection).open()
    capture = FileCapture(settings)
    try:
        capture.begin(stream)
        with _interrupts():
            now = _armed(address, capture) if arm else _followed(capture)
    finally:
        stream.close()
        capture.wait(CLOSE_TIMEOUT)
    sys.stdout.write(f"{now.message}\n")
    return EXITS.get(now.reason, EXITS[None])


def _armed(address: Address, capture: FileCapture) -> CaptureStatus:
    with _client(address) as client:
        try:
            client.send(Arm())
        except CommandError:
            capture.stop()
            raise
        try:
            return _followed(capture)
        finally:
            with contextlib.suppress(PandAError):
                _disarm(client)


def _disarm(client: BlockingClient) -> None:
    if client.send(GetLine("*PCAP.COMPLETION")) == "Busy":
        client.send(Disarm())


def _followed(capture: FileCapture) -> CaptureStatus:
    """Show the progress until the capture ends or is interrupted."""
    display = ProgressLine(sys.stderr)
    try:
        while (now := capture.wait(TTY_PERIOD)).busy:
            display.show(now, capture.settings)
    except KeyboardInterrupt:
        display.end()
        sys.stderr.write("Closing the file\n")
        now = capture.stop(CLOSE_TIMEOUT)
    display.end()
    return now


def _bits(address: Address) -> BitNames:
    with _client(address) as client:
        return client.send(GetPcapBitsLabels())


def _client(address: Address) -> BlockingClient:
    return BlockingClient(address.host, address.control_port, address.data_port, address.timeout)


@contextlib.contextmanager
def _interrupts() -> Iterator[None]:
    """Make SIGTERM end the capture as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class ProgressLine:
    """Shows progress: on a terminal as one changing line, elsewhere as a line now and then."""

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._is_tty = output.isatty()
        self._said: tuple[str, float] = ("", -LINE_PERIOD)
        self._measured = (time.monotonic(), 0)
        self._width = 0

    def show(self, now: CaptureStatus, settings: CaptureSettings) -> None:
        """Show the status."""
        if self._is_tty:
            line = self._line(now, settings)
            self._output.write(f"\r{line:<{self._width}}")
            self._width = len(line)
        elif now.message != self._said[0] or time.monotonic() - self._said[1] >= LINE_PERIOD:
            self._said = (now.message, time.monotonic())
            self._output.write(f"{self._line(now, settings)}\n")
        self._output.flush()

    def end(self) -> None:
        """End the line."""
        if self._is_tty and self._width:
            self._output.write("\n")
            self._width = 0

    def _line(self, now: CaptureStatus, settings: CaptureSettings) -> str:
        queued = 100 * now.queued // (now.queue_limit or 1)
        parts = [now.message, f"{now.received} samples", f"{self._rate(now):.1f} MB/s"]
        return "  ".join([*parts, f"queue {queued} %", *_bar(now, settings)])

    def _rate(self, now: CaptureStatus) -> float:
        size = now.start.sample_bytes if now.start else 0
        moment, octets = time.monotonic(), now.received * size
        seconds, more = moment - self._measured[0], octets - self._measured[1]
        self._measured = (moment, octets)
        return more / seconds / 1e6 if seconds else 0.0


def _bar(now: CaptureStatus, settings: CaptureSettings) -> list[str]:
    """Return a progress bar."""
    if settings.mode is not Mode.FIRST_N or not settings.num:
        return []
    part = min(1.0, now.received / settings.num)
    full = int(part * _BAR)
    return [f"[{'#' * full}{'.' * (_BAR - full)}] {100 * part:.0f} %"]
