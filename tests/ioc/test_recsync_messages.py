"""The RecSync protocol: what is read is right however it is cut, and nothing else is taken."""

import struct
from argparse import ArgumentTypeError
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panda_ioc.errors import ProtocolError
from panda_ioc.ioc.recsync import messages
from panda_ioc.ioc.recsync.messages import (
    Message,
    MessageKind,
    MessageReader,
    RecCeiver,
    read_announcement,
)
from panda_ioc.ioc.recsync.place import Place

# Seen on the wire, of RecCeiver 1.9.5.
ANNOUNCED = bytes.fromhex("52430000ffffffffb2cd0000f0be703a")
PING = bytes.fromhex("52438002000000045e3b9a01")
GREETING = bytes.fromhex("524380010000000100")


def frame(kind: int, body: bytes) -> bytes:
    return struct.pack("!HHI", 0x5243, kind, len(body)) + body


def test_an_announcement_names_its_sender_or_another() -> None:
    assert read_announcement(ANNOUNCED, "10.0.0.7") == RecCeiver("10.0.0.7", 45773, 0xF0BE703A)
    other = ANNOUNCED[:4] + bytes([192, 168, 1, 2]) + ANNOUNCED[8:] + b"more"
    assert read_announcement(other, "10.0.0.7") == RecCeiver("192.168.1.2", 45773, 0xF0BE703A)


@given(st.binary(max_size=40) | st.binary(max_size=30).map(lambda more: b"RC\0" + more))
def test_any_datagram_is_an_announcement_or_nothing(datagram: bytes) -> None:
    found = read_announcement(datagram, "10.0.0.7")
    if found is not None:
        assert datagram.startswith(b"RC\0")
        assert 0 < found.port < 65536


def test_what_a_recceiver_says() -> None:
    greeting, ping = MessageReader().receive(GREETING + PING)
    assert greeting == Message(MessageKind.SERVER_GREETING, b"\0")
    assert (ping.kind, ping.number) == (MessageKind.PING, 0x5E3B9A01)
    assert messages.pong(ping.number) == bytes.fromhex("52430002000000045e3b9a01")


FRAMES = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=60)), max_size=8)


@given(FRAMES, st.lists(st.integers(0, 600)))
def test_messages_are_the_same_however_they_are_cut(
    sent: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    stream = b"".join(frame(kind, body) for kind, body in sent)
    reader = MessageReader()
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    read = [message for a, b in pairwise(edges) for message in reader.receive(stream[a:b])]
    assert read == [Message(kind, body[:16]) for kind, body in sent]


@given(st.lists(st.binary(max_size=50)))
def test_any_bytes_are_messages_or_an_error(pieces: list[bytes]) -> None:
    reader, is_good = MessageReader(), b"".join(pieces)[:2] in (b"", b"R", b"RC")
    try:
        for piece in pieces:
            reader.receive(piece)
    except ProtocolError:
        return
    assert is_good or sum(map(len, pieces)) < 8


def test_a_body_without_end_takes_no_memory() -> None:
    reader = MessageReader()
    reader.receive(struct.pack("!HHI", 0x5243, 0x8777, 0xFFFFFFFF))
    for _ in range(100):
        reader.receive(bytes(1 << 16))
    assert len(reader._waiting) == 0


def test_a_short_ping_is_an_error() -> None:
    (ping,) = MessageReader().receive(frame(MessageKind.PING, b"abc"))
    with pytest.raises(ProtocolError, match="3 bytes, not 4"):
        _ = ping.number


@given(st.integers(0, 0xFFFFFFFF), st.text(), st.text())
def test_info_is_utf8_without_zeros_or_left_out(record: int, key: str, value: str) -> None:
    sent = messages.add_info(record, key, value)
    if not sent:
        assert (
            not key.strip("\0") or not value.strip("\0") or len(key.encode(errors="replace")) > 255
        )
        return
    number, keys, values = struct.unpack_from("!IBxH", sent, 8)
    text = sent[16:].decode()
    assert (number, keys + values) == (record, len(sent) - 16)
    assert "\0" not in text


def test_what_there_is_no_room_for_is_left_out() -> None:
    assert messages.add_info(1, "k", "v" * 65535)
    assert messages.add_info(1, "k", "v" * 65536) == b""
    assert messages.add_info(1, "k" * 256, "v") == b""


def test_records_and_aliases_on_the_wire() -> None:
    assert messages.greeting(0xF0BE703A) == bytes.fromhex("524300010000000800000000f0be703a")
    assert (
        messages.add_record(7, "ai", "P:A")
        == bytes.fromhex("52430003 0000000d 00000007 00 02 0003".replace(" ", "")) + b"aiP:A"
    )
    assert (
        messages.add_alias(7, "P:B")
        == bytes.fromhex("52430003 0000000b 00000007 01 00 0003".replace(" ", "")) + b"P:B"
    )
    assert messages.upload_done() == bytes.fromhex("524300050000000400000000")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("0.0.0.0", Place()),  # noqa: S104
        ("127.0.0.1:6000", Place("127.0.0.1", 6000)),
    ],
)
def test_a_place_to_listen(text: str, place: Place) -> None:
    assert Place.parse(text) == place
    assert Place.parse(str(place)) == place


@pytest.mark.parametrize("text", ["", ":5049", "host", "1.2.3.4:0", "1.2.3.4:65536", "::1", "1.2"])
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="not an IPv4 address"):
        Place.parse(text)
