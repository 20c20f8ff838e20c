"""The RecSync protocol, version 0, without I/O: bytes of a RecCeiver in, bytes for it out."""

import ipaddress
import struct
from dataclasses import dataclass
from enum import IntEnum

from panda_ioc.errors import ProtocolError

CLIENT = 0
"""The record ID of properties that belong to the whole client."""

LONGEST_KEY, LONGEST_TEXT = 255, 65535
"""Bytes that a key, and that a name or value, may have."""

_MAGIC = 0x5243  # "RC"
_HEADER = struct.Struct("!HHI")
_ANNOUNCEMENT = struct.Struct("!HBx4sHxxI")
_GREETING = struct.Struct("!BBxxI")
_RECORD = struct.Struct("!IBBH")
_INFO = struct.Struct("!IBxH")
_NUMBER = struct.Struct("!I")
_VERSION = 0
_OF_THE_SENDER = b"\xff\xff\xff\xff"
_KEPT = 16  # bytes of a body, more than we read of any


class MessageKind(IntEnum):
    """What a message is."""

    CLIENT_GREETING = 0x0001
    PONG = 0x0002
    ADD_RECORD = 0x0003
    UPLOAD_DONE = 0x0005
    ADD_INFO = 0x0006
    SERVER_GREETING = 0x8001
    PING = 0x8002


class _Entry(IntEnum):
    """What a name is."""

    RECORD = 0
    ALIAS = 1


# -- from the RecCeiver ---------------------------------------------------------------------------


@dataclass(frozen=True)
class RecCeiver:
    """Where a RecCeiver takes connections, and the key that it wants to hear again."""

    host: str
    port: int
    key: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def read_announcement(datagram: bytes, sender: str) -> RecCeiver | None:
    """The RecCeiver that announces itself; None if the datagram is anything else.

    Args:
        datagram: what came
        sender: the address that it came from
    """
    if len(datagram) < _ANNOUNCEMENT.size:
        return None
    magic, version, address, port, key = _ANNOUNCEMENT.unpack_from(datagram)
    host = sender if address == _OF_THE_SENDER else str(ipaddress.IPv4Address(address))
    is_good = (magic, version) == (_MAGIC, _VERSION) and port != 0 and any(address)
    return RecCeiver(host, port, key) if is_good else None


@dataclass(frozen=True)
class Message:
    """One message: its kind, which may be unknown, and the head of its body."""

    kind: int
    body: bytes

    @property
    def number(self) -> int:
        """The number that a ping brings.

        Raises:
            ProtocolError: the body is too short for one
        """
        if len(self.body) < _NUMBER.size:
            raise ProtocolError(f"RecCeiver sent a ping of {len(self.body)} bytes, not 4")
        number: int = _NUMBER.unpack_from(self.body)[0]
        return number


class MessageReader:
    """Takes a stream of bytes apart; however long a body is, only its head is kept."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._to_drop = 0

    def receive(self, received: bytes) -> list[Message]:
        """The messages that are complete with these bytes.

        Raises:
            ProtocolError: this is no RecCeiver
        """
        self._waiting += received
        messages: list[Message] = []
        while message := self._next():
            messages.append(message)
        return messages

    def _next(self) -> Message | None:
        self._drop()
        if len(self._waiting) < _HEADER.size:
            return None
        magic, kind, length = _HEADER.unpack_from(self._waiting)
        if magic != _MAGIC:
            begin = bytes(self._waiting[: _HEADER.size])
            raise ProtocolError(f"RecCeiver sent {begin!r}, which begins no message")
        end = _HEADER.size + min(length, _KEPT)
        if len(self._waiting) < end:
            return None
        message = Message(kind, bytes(self._waiting[_HEADER.size : end]))
        self._to_drop = _HEADER.size + length
        return message

    def _drop(self) -> None:
        """Drop what was read, and the rest of a body as far as it has come."""
        dropped = min(self._to_drop, len(self._waiting))
        del self._waiting[:dropped]
        self._to_drop -= dropped


# -- to the RecCeiver -----------------------------------------------------------------------------


def greeting(key: int) -> bytes:
    """The first message, with the key of the announcement."""
    return _frame(MessageKind.CLIENT_GREETING, _GREETING.pack(_VERSION, 0, key))


def pong(number: int) -> bytes:
    """The answer to a ping."""
    return _frame(MessageKind.PONG, _NUMBER.pack(number))


def add_record(record: int, rtype: str, name: str) -> bytes:
    """A record: its ID, which is not 0, its type and name."""
    return _add(_Entry.RECORD, record, _text(rtype), _text(name))


def add_alias(record: int, name: str) -> bytes:
    """A further name of a record that was added before."""
    return _add(_Entry.ALIAS, record, b"", _text(name))


def add_info(record: int, key: str, value: str) -> bytes:
    """An info tag of a record or a property of the client; nothing if there is no room for it."""
    k, v = _text(key), _text(value)
    if not 0 < len(k) <= LONGEST_KEY or not 0 < len(v) <= LONGEST_TEXT:
        return b""
    return _frame(MessageKind.ADD_INFO, _INFO.pack(record, len(k), len(v)) + k + v)


def upload_done() -> bytes:
    """The end of what there is to add."""
    return _frame(MessageKind.UPLOAD_DONE, bytes(_NUMBER.size))


def _add(entry: _Entry, record: int, rtype: bytes, name: bytes) -> bytes:
    head = _RECORD.pack(record, entry, len(rtype), len(name))
    return _frame(MessageKind.ADD_RECORD, head + rtype + name)


def _text(text: str) -> bytes:
    """UTF-8 without zeros: a RecCeiver hangs up on anything else."""
    return text.replace("\0", "").encode(errors="replace")


def _frame(kind: MessageKind, body: bytes) -> bytes:
    return _HEADER.pack(_MAGIC, kind, len(body)) + body
