"""The data port: a thread for each client, so that streaming never holds up the control port."""

import contextlib
import logging
import socket
import threading

from panda_ioc.errors import CommandError
from panda_ioc.sim.acquisition import Acquisition
from panda_ioc.sim.formats import Bytes, DataEncoder, DataOptions, parse_options
from panda_ioc.sim.pcap import Client, SimCapture
from panda_ioc.sim.scan import MAX_LINE
from panda_ioc.sim.settings import OVERRUN
from panda_ioc.sim.visitors import Visitors

_log = logging.getLogger(__name__)
_CHUNK = 4096
# How long it takes at most to see that a client has gone, as with the real server.
_POLL_SECONDS = 0.2
_TAINTED_SAMPLES = 1024
_JOIN_SECONDS = 5.0


class DataServer:
    """Listens for data clients until closed."""

    def __init__(self, capture: SimCapture, visitors: Visitors, host: str, port: int) -> None:
        self._capture = capture
        self._visitors = visitors
        self._listener = socket.create_server((host, port), backlog=16)
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._readers: dict[socket.socket, threading.Thread] = {}
        self._accepting = threading.Thread(target=self._accept, name="sim data port", daemon=True)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                client, address = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(
                target=self._serve, args=(client, address), name="sim data client", daemon=True
            )
            with self._lock:
                self._readers[client] = thread
            thread.start()

    def _serve(self, client: socket.socket, address: object) -> None:
        try:
            with self._visitors.visit("data", address):
                _Reader(client, self._capture).run()
        except OSError as error:
            _log.debug("data client went away: %s", error)
        finally:
            with self._lock:
                del self._readers[client]
            client.close()

    def drop(self) -> None:
        """Close all data connections."""
        with self._lock:
            for client in self._readers:
                _shut(client)

    def close(self) -> None:
        """Close the listener and all connections, and wait for their threads."""
        self._capture.close()
        _shut(self._listener)
        self._listener.close()
        self._accepting.join(_JOIN_SECONDS)
        self.drop()
        with self._lock:
            threads = list(self._readers.values())
        for thread in threads:
            thread.join(_JOIN_SECONDS)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Reader:
    """One data client: options, then acquisition after acquisition."""

    def __init__(self, client: socket.socket, capture: SimCapture) -> None:
        self._client = client
        self._capture = capture

    def run(self) -> None:
        line = self._options_line()
        if line is None:
            return
        try:
            options = parse_options(line)
        except CommandError as error:
            self._send([f"ERR {error}\n".encode()])
            return
        with self._capture.client() as client:
            if options.status:
                self._send([b"OK\n"])
            self._stream_all(client, options)

    def _options_line(self) -> str | None:
        """Return the first line, unless it is too long or the client goes away."""
        data = b""
        while b"\n" not in data and len(data) <= MAX_LINE:
            more = self._client.recv(MAX_LINE)
            if not more:
                return None
            data += more
        line = data.split(b"\n")[0]
        return None if len(line) > MAX_LINE else line.split(b"\0")[0].decode(errors="replace")

    def _stream_all(self, client: Client, options: DataOptions) -> None:
        while not self._capture.closed:
            acquisition = self._capture.next_for(client, _POLL_SECONDS)
            if acquisition is not None:
                self._stream(acquisition, client, options)
                if options.one_shot:
                    return
            elif self._gone():
                return

    def _gone(self) -> bool:
        """Tell whether the client has closed its end; what it sends is thrown away."""
        try:
            return not self._client.recv(_CHUNK, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False

    def _stream(self, acquisition: Acquisition, client: Client, options: DataOptions) -> None:
        stream = DataEncoder(acquisition, options)
        lost = self._capture.progress(acquisition, 0, 0).lost
        # The oldest samples are about to be overwritten: begin in the middle of the buffer.
        position = missed = lost + acquisition.window // 2 if lost else 0
        self._send([stream.header(missed)])
        position, reason = self._send_samples(acquisition, stream, position, options)
        # A client that has seen the end may arm again.
        self._capture.finish(client)
        if options.status:
            self._send([f"END {position - missed} {reason}\n".encode()])

    def _send_samples(
        self, acquisition: Acquisition, stream: DataEncoder, position: int, options: DataOptions
    ) -> tuple[int, str]:
        """Send until the acquisition ends; return the position reached and the reason."""
        most = stream.most_samples()
        pause = _POLL_SECONDS if acquisition.samples.on_demand else acquisition.settings.period
        while not self._capture.closed:
            progress = self._capture.progress(acquisition, position, most)
            if progress.lost:
                return self._overrun(stream, position, options)
            if progress.end > position:
                self._send(stream.samples(position, progress.end))
            full = progress.end - position == most
            position = progress.end
            if progress.reason:
                return position, progress.reason
            if not full:
                self._capture.wait(acquisition, min(pause, _POLL_SECONDS))
                if self._gone():
                    break
        return position, "Early disconnect"

    def _overrun(self, stream: DataEncoder, position: int, options: DataOptions) -> tuple[int, str]:
        """End with what was overwritten: in raw mode it has been sent by the time that is seen."""
        if options.scaled:
            return position, OVERRUN
        end = position + min(_TAINTED_SAMPLES, stream.most_samples())
        self._send(stream.tainted(position, end))
        return end, OVERRUN

    def _send(self, buffers: list[Bytes]) -> None:
        """Send all of the buffers with as few calls as possible."""
        pending = [memoryview(buffer) for buffer in buffers if len(buffer)]
        while pending:
            sent = self._client.sendmsg(pending)
            while pending and sent >= len(pending[0]):
                sent -= len(pending.pop(0))
            if pending:
                pending[0] = pending[0][sent:]
