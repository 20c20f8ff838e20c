"""Single parts of a client library, measured: `python parts.py PACKAGE PART [HOST CONTROL DATA]`.

Runs by itself with the Python of either environment, on public names that both packages have:
PACKAGE is `panda_ioc` or `pandablocks`. Prints one number, for units see `PARTS`.
"""

import asyncio
import importlib
import re
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

ROUNDS = 5
PUTS = 20_000
FRAMES = 50_000
SAMPLE = 40  # bytes: ten columns of int32
FRAME = 400
PIECE = 1 << 16
RECEIVED_END = re.compile(rb"END \d+ [\w ]+\n$")
MODULES = {
    "panda_ioc": ("panda_ioc.protocol", "panda_ioc.client"),
    "pandablocks": ("pandablocks", "pandablocks"),
}


class Library:
    """The modules of one package by their common names."""

    def __init__(self, package: str) -> None:
        protocol, client = MODULES[package]
        self.commands = importlib.import_module(f"{protocol}.commands")
        self.connections = importlib.import_module(f"{protocol}.connections")
        self.responses = importlib.import_module(f"{protocol}.responses")
        self.asyncio = importlib.import_module(f"{client}.asyncio")
        self.blocking = importlib.import_module(f"{client}.blocking")
        self.is_peer = package == "pandablocks"


def best(measure: Callable[[], float], rounds: int = ROUNDS) -> float:
    """The largest of some measurements: the least disturbed rate."""
    return max(measure() for _ in range(rounds))


def timed(work: Callable[[], None]) -> float:
    """Seconds that it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


# -- without sockets --


def put(library: Library) -> float:
    """Puts a second through the control connection, no sockets."""
    return best(lambda: PUTS / timed(lambda: put_many(library, PUTS)))


def put_many(library: Library, count: int) -> None:
    """So many puts, one after the other, each answered."""
    connection = library.connections.ControlConnection()
    make = library.commands.Put
    for _ in range(count):
        connection.send(make("PULSE1.DELAY", "2.5"))
        connection.receive_bytes(b"OK\n")
        for _answer in connection.responses():
            pass


def decode(library: Library) -> float:
    """Frames of 400 bytes a second through the data connection, no sockets, samples merged."""
    pieces = pieces_of(acquisition(FRAMES))
    return best(lambda: FRAMES / timed(lambda: decode_all(library, pieces, FRAMES)))


def pieces_of(stream: bytes) -> list[bytes]:
    """A stream as it is received."""
    return [stream[at : at + PIECE] for at in range(0, len(stream), PIECE)]


def decode_all(library: Library, pieces: list[bytes], frames: int) -> None:
    """So many frames of 400 bytes."""
    connection = library.connections.DataConnection()
    connection.connect(scaled=False)
    rows = 0
    for piece in pieces:
        for event in connection.receive_bytes(piece, flush_every_frame=False):
            rows += len(getattr(event, "data", ()))
    rows += sum(len(event.data) for event in connection.flush())
    if rows != frames * FRAME // SAMPLE:
        raise ValueError(f"{rows} samples came out")


def acquisition(frames: int) -> bytes:
    """What a data port sends: header and frames of `FRAME` bytes of samples."""
    fields = "".join(
        f'<field name="COUNTER{n}.OUT" type="int32" capture="Value" '
        'scale="1" offset="0" units="" />\n'
        for n in range(SAMPLE // 4)
    )
    header = (
        f'OK\n<header>\n<data arm_time="2024-01-01T00:00:00.000000000Z" missed="0" process="Raw"'
        f' format="Framed" sample_bytes="{SAMPLE}" />\n<fields>\n{fields}</fields>\n</header>\n\n'
    )
    return header.encode() + frames * (b"BIN " + struct.pack("<I", FRAME + 8) + bytes(FRAME))


# -- with a simulator, which sends as fast as it is read --


def receive_plain(library: Library, host: str, control: int, data: int) -> float:
    """MB/s of `recv_into` and nothing else: what the machine can do."""
    buffer = memoryview(bytearray(4 << 20))
    with socket.create_connection((host, data)) as stream:
        stream.sendall(b"XML FRAMED RAW\n")
        if stream.recv(3) != b"OK\n":
            raise ConnectionError("the simulator refused the options")
        arm(host, control)
        received = stream.recv_into(buffer)
        start = time.perf_counter()
        end = b""
        while not RECEIVED_END.search(end):
            count = stream.recv_into(buffer)
            received += count
            end = (end + bytes(buffer[max(0, count - 64) : count]))[-64:]
        return received / (time.perf_counter() - start) / 1e6


def receive_asyncio(library: Library, host: str, control: int, data: int) -> float:
    """MB/s of samples through the asyncio client."""
    client = (
        library.asyncio.AsyncioClient(host)
        if library.is_peer
        else library.asyncio.AsyncioClient(host, control, data)
    )

    async def measure() -> float:
        meter = Meter()
        async for event in client.data(scaled=False, flush_period=0.1):
            if meter.take(event, host, control):
                return meter.rate()
        raise ConnectionError("the data port closed")

    return asyncio.run(measure())


def receive_blocking(library: Library, host: str, control: int, data: int) -> float:
    """MB/s of samples through the blocking client."""
    client = (
        library.blocking.BlockingClient(host)
        if library.is_peer
        else library.blocking.BlockingClient(host, control, data)
    )
    return metered(client.data(scaled=False), host, control)


def receive_ioc(library: Library, host: str, control: int, data: int) -> float:
    """MB/s of samples as the bridge receives them (there is no such thing in the peer)."""
    stream = importlib.import_module("panda_ioc.client.data").DataSocket(host, data)

    def events() -> Iterator[Any]:
        yield library.responses.ReadyData()
        while True:
            yield from stream.receive()

    return metered(events(), host, control)


def metered(events: Iterator[Any], host: str, control: int) -> float:
    """The rate of samples that these events carry."""
    meter = Meter()
    for event in events:
        if meter.take(event, host, control):
            return meter.rate()
    raise ConnectionError("the data port closed")


class Meter:
    """Arms when the data port is ready; counts bytes from the first frame on."""

    def __init__(self) -> None:
        self._bytes = 0
        self._start = self._end = 0.0

    def take(self, event: Any, host: str, control: int) -> bool:
        """True at the end of the acquisition."""
        kind = type(event).__name__
        if kind == "ReadyData":
            arm(host, control)
        elif kind == "StartData":
            self._start = time.perf_counter()
        elif kind == "FrameData":
            self._bytes += event.data.nbytes
        elif kind == "EndData":
            self._end = time.perf_counter()
        return kind == "EndData"

    def rate(self) -> float:
        return self._bytes / (self._end - self._start) / 1e6


def arm(host: str, control: int) -> None:
    """Start an acquisition."""
    with socket.create_connection((host, control)) as connection:
        connection.sendall(b"*PCAP.ARM=\n")
        reply = connection.recv(100)
        if reply != b"OK\n":
            raise ConnectionError(f"*PCAP.ARM= answered {reply!r}")


PARTS: dict[str, Callable[..., float]] = {
    "put": put,  # 1/s
    "decode": decode,  # frames/s
    "receive_plain": receive_plain,  # MB/s
    "receive_asyncio": receive_asyncio,
    "receive_blocking": receive_blocking,
    "receive_ioc": receive_ioc,
}

if __name__ == "__main__":
    package, part, *where = sys.argv[1:]
    address = (where[0], int(where[1]), int(where[2])) if where else ()
    print(PARTS[part](Library(package), *address))
