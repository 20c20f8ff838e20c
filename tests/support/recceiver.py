"""A RecCeiver for tests: it says what RecCeiver 1.9.5 was seen to say, and keeps what it is told.

These are its bytes, seen on the wire: an announcement `52430000 ffffffff b2cd 0000 f0be703a` (255.
255.255.255 stands for the sender's address, then port and key); the greeting `5243 8001 00000001
00`; a ping `5243 8002 00000004` and a number, at once after the upload and then every so often.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"
GREETING = bytes.fromhex("524380010000000100")
HEADER = struct.Struct("!HHI")
KEY = 0xF0BE703A
NUMBER = 0x01020304
TIMEOUT = 30.0

CLIENT_GREETING, PONG, ADD_RECORD, UPLOAD_DONE, ADD_INFO = 1, 2, 3, 5, 6


@dataclass
class Entry:
    """One record as it was told."""

    rtype: str
    name: str
    aliases: list[str] = field(default_factory=list)
    info: dict[str, str] = field(default_factory=dict)


class Told:
    """What one client has told; a message that breaks the protocol raises `AssertionError`.

    Attributes:
        properties: of the client
        records: by ID
    """

    def __init__(self, connection: socket.socket) -> None:
        self.properties: dict[str, str] = {}
        self.records: dict[int, Entry] = {}
        self._connection = connection
        self._stream = connection.makefile("rb")
        assert self.message() == (CLIENT_GREETING, struct.pack("!BBHI", 0, 0, 0, KEY))

    def names(self) -> set[str]:
        """Names of all records, and aliases."""
        found = self.records.values()
        return {entry.name for entry in found} | {a for entry in found for a in entry.aliases}

    def message(self) -> tuple[int, bytes]:
        """The next message; kind 0 at the end."""
        head = self._stream.read(HEADER.size)
        if not head:
            return 0, b""
        magic, kind, length = HEADER.unpack(head)
        assert magic == 0x5243
        return kind, self._stream.read(length)

    def upload(self) -> None:
        """Greet, and take all that comes until it is done."""
        self.send(GREETING)
        take = {ADD_RECORD: self._record, ADD_INFO: self._info}
        while (message := self.message())[0] != UPLOAD_DONE:
            take[message[0]](message[1])
        assert message[1] == bytes(4)

    def ping(self) -> None:
        """Ping, and hear the pong."""
        number = struct.pack("!I", NUMBER)
        self.send(HEADER.pack(0x5243, 0x8002, 4) + number)
        assert self.message() == (PONG, number)

    def send(self, data: bytes) -> None:
        """Send whatever it is."""
        self._connection.sendall(data)

    def close(self) -> None:
        """Hang up."""
        self._stream.close()
        self._connection.close()

    def _record(self, body: bytes) -> None:
        number, is_alias, type_length, name_length = struct.unpack_from("!IBBH", body)
        assert number > 0
        assert name_length > 0
        assert len(body) == 8 + type_length + name_length
        rtype, name = body[8 : 8 + type_length].decode(), body[8 + type_length :].decode()
        if is_alias:
            assert not rtype
            self.records[number].aliases.append(name)
        else:
            assert rtype
            assert number not in self.records
            self.records[number] = Entry(rtype, name)

    def _info(self, body: bytes) -> None:
        number, key_length, length = struct.unpack_from("!IBxH", body)
        assert key_length > 0
        assert len(body) == 8 + key_length + length
        key, value = body[8 : 8 + key_length].decode(), body[8 + key_length :].decode()
        tags = self.records[number].info if number else self.properties
        assert key not in tags
        tags[key] = value


class RecCeiver:
    """Announces itself on a UDP port until somebody comes; use as a context manager.

    Args:
        port: at which clients listen for announcements
        address: that announcements are sent to; a broadcast reaches all who listen
    """

    def __init__(self, port: int, address: str = LOOPBACK) -> None:
        self._place = (address, port)
        self._server = socket.create_server((LOOPBACK, 0))
        self._server.settimeout(TIMEOUT)
        self._udp = socket.socket(type=socket.SOCK_DGRAM)
        self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self._stop = threading.Event()
        self._clients = contextlib.ExitStack()
        self._announcing = threading.Thread(target=self._announce)
        self._announcing.start()

    def accept(self) -> Told:
        """The next client."""
        connection, _ = self._server.accept()
        connection.settimeout(TIMEOUT)
        self._clients.callback(connection.close)
        told = Told(connection)
        self._clients.callback(told.close)
        return told

    @contextlib.contextmanager
    def joined(self) -> Iterator[Told]:
        """The next client, after its upload."""
        told = self.accept()
        told.upload()
        yield told

    def announce(self, datagram: bytes) -> None:
        """Send whatever it is to where clients listen."""
        self._udp.sendto(datagram, self._place)

    def close(self) -> None:
        """Hang up and be gone."""
        self._stop.set()
        self._announcing.join()
        self._clients.close()
        self._server.close()
        self._udp.close()

    def _announce(self) -> None:
        port = self._server.getsockname()[1]
        datagram = struct.pack("!HH4sHHI", 0x5243, 0, b"\xff" * 4, port, 0, KEY)
        while not self._stop.wait(0.1):
            self.announce(datagram)

    def __enter__(self) -> "RecCeiver":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
