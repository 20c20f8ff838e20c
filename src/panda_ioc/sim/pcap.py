"""Position capture: the one acquisition that may run, and the data clients that take it.

The end of an acquisition has three moments. The hardware stops: PCAP.ACTIVE falls. Some
milliseconds later the capture thread has read the rest: COMPLETION says how it ended. And every
data client has been sent the end: PCAP is idle, and can be armed again. A client that is slow holds
this up for as long as it likes.

The control port and the threads of the data port share a Capture under one lock.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from panda_ioc.errors import CommandError
from panda_ioc.sim.acquisition import Acquisition
from panda_ioc.sim.hardware import Samples
from panda_ioc.sim.settings import OK, Setup, SimSettings


@dataclass(eq=False)
class Client:
    """One data client; `done` counts the acquisitions that it has had or that came before it."""

    done: int


@dataclass(frozen=True)
class ReaderProgress:
    """What a reader at some position can have.

    Attributes:
        end: it can have the samples up to here
        reason: why no more come after these, empty if more may come
        lost: how many samples, counted from its position, are not in the buffer any more
    """

    end: int
    reason: str
    lost: int


class SimCapture:
    """The one acquisition that may run, and its readers. Safe to use from any thread.

    Args:
        settings: how acquisitions begin
        begin: arms the hardware
    """

    def __init__(
        self, settings: SimSettings, begin: Callable[[Setup, SimSettings], Samples]
    ) -> None:
        self.settings: SimSettings = settings
        self._begin = begin
        self._changed = threading.Condition()
        self._last: Acquisition | None = None
        self._serial = 0
        self._clients: set[Client] = set()
        self._closed = False

    def arm(self, setup: Setup) -> None:
        """Begin an acquisition.

        Raises:
            CommandError: the one before has not ended for everybody, or nothing would be captured,
                or more than the hardware takes
        """
        with self._changed:
            if self._last and not self._last.drained():
                raise CommandError("Data capture already in progress")
            if self._taking():
                raise CommandError("Data clients still taking data")
            if not setup.columns:
                raise CommandError("Nothing configured for capture")
            now = time.time_ns()
            samples = self._begin(setup, self.settings)
            self._serial += 1
            self._last = Acquisition(setup, self.settings, samples, now)
            self._changed.notify_all()

    def end(self, reason: str) -> None:
        """End the acquisition that runs, if one does, for this reason."""
        with self._changed:
            if self._last:
                self._last.samples.stop(reason)
            self._changed.notify_all()

    def configure(self, **changes: float | int | bool) -> None:
        """Change settings; an acquisition that runs keeps those it began with."""
        self.settings = replace(self.settings, **changes)  # type: ignore[arg-type]

    def release(self) -> None:
        """End the hold of an acquisition that runs, and let later ones begin at once."""
        self.configure(hold=False)
        with self._changed:
            if self._last:
                self._last.samples.release()
            self._changed.notify_all()

    def _taking(self) -> int:
        return sum(client.done < self._serial for client in self._clients)

    def _busy(self) -> bool:
        return self._last is not None and (not self._last.drained() or self._taking() > 0)

    # Texts of *PCAP queries

    def status(self) -> str:
        """Return the state, data clients connected, data clients that are taking samples."""
        with self._changed:
            state = "Busy" if self._busy() else "Idle"
            return f"{state} {len(self._clients)} {self._taking()}"

    def captured(self) -> str:
        """Return the samples of the last acquisition that have been read so far."""
        with self._changed:
            return str(self._last.read() if self._last else 0)

    def completion(self) -> str:
        """Return why the last acquisition ended."""
        with self._changed:
            if self._last and not self._last.drained():
                return "Busy"
            return self._last.reason if self._last else OK

    # Data clients

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Count a data client while it is connected; it takes part if PCAP is busy now."""
        with self._changed:
            client = Client(self._serial - 1 if self._busy() else self._serial)
            self._clients.add(client)
        try:
            yield client
        finally:
            with self._changed:
                self._clients.remove(client)

    def next_for(self, client: Client, timeout: float) -> Acquisition | None:
        """Return the acquisition that the client has not had yet, waiting at most `timeout` s."""
        with self._changed:
            if not self._has_news(client) and not self._closed:
                waits = client.done < self._serial
                self._changed.wait(min(timeout, self.settings.period) if waits else timeout)
            return self._last if self._has_news(client) else None

    def _has_news(self, client: Client) -> bool:
        return self._last is not None and client.done < self._serial and self._last.begun

    def finish(self, client: Client) -> None:
        """Note that the client has taken all of the acquisition that it will."""
        with self._changed:
            client.done = self._serial

    def progress(self, acquisition: Acquisition, position: int, want: int) -> ReaderProgress:
        """Return how far a reader at `position` that can take `want` samples may go."""
        with self._changed:
            acquisition.samples.claim(position + want)
            drained = acquisition.drained()
            read = acquisition.read()
            end = min(read, position + want)
            reason = acquisition.reason if drained and end == read else ""
            return ReaderProgress(end, reason, max(0, read - acquisition.kept() - position))

    def wait(self, acquisition: Acquisition, seconds: float) -> None:
        """Wait at most so long for more samples; less if the acquisition ends before."""
        with self._changed:
            if not self._closed:
                left = acquisition.drained_at() - time.monotonic()
                self._changed.wait(max(0.0, min(seconds, left)))

    @property
    def closed(self) -> bool:
        """Whether no reader shall wait any more."""
        return self._closed

    def close(self) -> None:
        """Let no reader wait any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
