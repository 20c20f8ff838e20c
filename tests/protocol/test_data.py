"""The data port decoder: streams made by hand, all limits, all ways to end."""

import gc
import tracemalloc

import numpy as np
import pytest

from panda_ioc.errors import CommandError, ConnectionLost, PandAError, ProtocolError
from panda_ioc.protocol._data import DataConnection
from panda_ioc.protocol._data_state import DataState
from panda_ioc.protocol.responses import (
    EndData,
    EndReason,
    FrameData,
    ReadyData,
    StartData,
)
from support.controlstream import pieces
from support.datastream import (
    Column,
    acquisition,
    decode,
    end,
    frame,
    header,
    merged,
    random_rows,
    random_sizes,
    rows_of,
)

COLUMNS: list[Column] = [
    ("PCAP.BITS0", "uint32", "Value"),
    ("COUNTER1.OUT", "int32", "Value"),
    ("COUNTER1.OUT", "int32", "Max"),
    ("INENC1.VAL", "int64", "Mean"),
]
OK = b"OK\n"
START = header([("A.B", "int32", "Value")], 4)


def test_connect_asks_for_raw_or_scaled_frames_with_xml_headers() -> None:
    assert DataConnection().connect(scaled=False) == b"XML FRAMED RAW\n"
    assert DataConnection().connect(scaled=True) == b"XML FRAMED SCALED\n"


def test_events_of_one_acquisition() -> None:
    rows = random_rows(COLUMNS, 10)
    stream = OK + acquisition(COLUMNS, rows, [4, 0, 6], data='hw_time_offset_ns="-12" ')
    (ready, start, first, second, last), error = decode([stream])
    assert error is None
    assert ready == ReadyData()
    assert isinstance(start, StartData)
    assert (start.process, start.format, start.sample_bytes) == ("Raw", "Framed", 20)
    assert (start.missed, start.arm_time, start.start_time) == (0, "2026-11-22T08:13:27.1Z", None)
    assert start.hw_time_offset_ns == -12
    assert [field.name for field in start.fields] == [name for name, _, _ in COLUMNS]
    assert start.fields[0].scale is None
    assert (start.fields[1].scale, start.fields[1].units) == (1.0, "")
    assert isinstance(first, FrameData)
    assert first.column_names[1:3] == ("COUNTER1.OUT.Value", "COUNTER1.OUT.Max")
    np.testing.assert_array_equal(first.data, rows[:4])
    assert isinstance(second, FrameData)
    np.testing.assert_array_equal(second.data, rows[4:])
    assert last == EndData(10, EndReason.OK)


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize(
    "frames", [[1] * 300, [50] * 40, [3, 900, 1, 1, 7], [20000], [7] * 30 + [8] * 30, [0, 5, 0]]
)
@pytest.mark.parametrize("largest", [1, 37, 4096, 1 << 20])
def test_split_and_size_of_frames_change_nothing(
    frames: list[int], every: bool, direct: bool, largest: int
) -> None:
    rows = random_rows(COLUMNS, sum(frames))
    if largest == 1 and len(rows) > 2000:
        pytest.skip("one byte at a time is tried with shorter streams")
    stream = OK + 2 * acquisition(COLUMNS, rows, frames)
    split = pieces(stream, random_sizes(1, largest, len(stream)))
    events, error = decode(split, every, direct, slab_bytes=1 << 14)
    assert error is None
    if every:
        sizes = [len(event.data) for event in events if isinstance(event, FrameData)]
        assert sizes == 2 * [size for size in frames if size]
    again = merged(events)
    assert [type(event).__name__ for event in again] == [
        "ReadyData",
        *2 * ["StartData", "FrameData", "EndData"],
    ]
    np.testing.assert_array_equal(again[2].data, rows)
    np.testing.assert_array_equal(again[5].data, rows)


def test_frames_are_merged_until_flush() -> None:
    rows = random_rows(COLUMNS, 100)
    whole = OK + acquisition(COLUMNS, rows, [10] * 10)
    cut = whole.rindex(b"BIN ") + 20  # in the last frame
    connection = DataConnection()
    assert len(list(connection.receive_bytes(whole[:cut], flush_every_frame=False))) == 2
    (held,) = connection.flush()
    np.testing.assert_array_equal(held.data, rows[:90])
    assert list(connection.flush()) == []
    last, over = connection.receive_bytes(whole[cut:], flush_every_frame=False)
    assert isinstance(last, FrameData)
    np.testing.assert_array_equal(last.data, rows[90:])
    assert over == EndData(100, EndReason.OK)


def test_what_waits_for_flush_is_bounded() -> None:
    rows = random_rows(COLUMNS, 10_000)
    stream = OK + acquisition(COLUMNS, rows, [100] * 100)
    events, _ = decode([stream], every=False, slab_bytes=8000)
    sizes = [len(event.data) for event in events if isinstance(event, FrameData)]
    assert max(sizes) <= 400
    np.testing.assert_array_equal(rows_of(events), rows)


def test_data_stays_what_it_was_while_more_comes() -> None:
    rows = random_rows(COLUMNS, 3000)
    stream = bytearray(OK + acquisition(COLUMNS, rows, [300] * 10))
    connection = DataConnection(slab_bytes=10_000)
    kept = []
    for first in range(0, len(stream), 1000):
        piece = stream[first : first + 1000]
        kept += connection.receive_bytes(piece)
        piece[:] = bytes(len(piece))
    np.testing.assert_array_equal(rows_of(kept), rows)


def test_large_frames_are_received_in_place() -> None:
    rows = random_rows(COLUMNS, 50_000)
    stream = OK + acquisition(COLUMNS, rows, [50_000])
    connection = DataConnection()
    first = stream.index(b"BIN ") + 8
    list(connection.receive_bytes(stream[:first]))
    buffer = connection.get_buffer()
    assert len(buffer) == rows.nbytes + 8
    buffer[:] = stream[first : first + len(buffer)]
    event, *_ = connection.bytes_received(len(buffer))
    assert isinstance(event, FrameData)
    assert np.shares_memory(event.data.view(np.uint8), np.frombuffer(buffer, np.uint8))
    np.testing.assert_array_equal(event.data, rows)
    assert list(connection.receive_bytes(stream[first + len(buffer) :])) == [
        EndData(50_000, EndReason.OK)
    ]


def test_memory_is_given_back() -> None:
    rows = random_rows(COLUMNS, 50_000)
    stream = frame(rows.tobytes())
    connection = DataConnection()
    list(connection.receive_bytes(OK + header(COLUMNS, rows.dtype.itemsize)))
    tracemalloc.start()
    for _ in range(50):
        list(connection.receive_bytes(stream))
    gc.collect()
    now, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert now < 20e6  # of 50 MB received


@pytest.mark.parametrize(("frames", "last"), [([2, 3], 3), ([2, 3, 0], 0), ([], 0), ([9] * 50, 9)])
def test_samples_of_the_last_frame_are_known(frames: list[int], last: int) -> None:
    stream = b"".join(frame(bytes(4 * size)) for size in frames) + end(sum(frames))
    connection = DataConnection()
    *_, over = connection.receive_bytes(OK + START + stream)
    assert isinstance(over, EndData)
    assert over.last_frame_samples == last
    assert connection.samples == sum(frames)


def test_count_of_ticks_from_servers_before_2_1() -> None:
    rows = random_rows([("PCAP.SAMPLES", "uint32", "Value"), ("A.B", "int32", "Value")], 5)
    stream = OK + header([("A.B", "int32", "Value")], 8) + frame(rows.tobytes()) + end(5)
    events, error = decode([stream])
    assert error is None
    assert isinstance(events[1], StartData)
    name, field = events[1].fields[0].name, events[1].fields[0]
    assert (name, field.capture, field.type, field.scale) == (
        "PCAP.SAMPLES",
        "Value",
        np.dtype("uint32"),
        None,
    )
    np.testing.assert_array_equal(rows_of(events), rows)


def test_sum_of_squares_keeps_its_96_bits() -> None:
    value = (0x01234567 << 64) + 0x89ABCDEF_FEDCBA98
    stream = OK + header([("A.B", "int96", "StdDev")], 12) + frame(value.to_bytes(12, "little"))
    events, _ = decode([stream])
    (got,) = rows_of(events)["A.B.StdDev"]
    assert (int(got["high"]) << 64) + int(got["low"]) == value


def test_units_that_are_no_units_and_units_that_are_no_utf8() -> None:
    text = (
        header([("A.B", "int32", "Value"), ("A.C", "int32", "Value")], 8)
        .replace(b'units=""', b'units="(null)"', 1)
        .replace(b'units=""', b'units="\xb5m"')
    )
    events, error = decode([OK + text + end(0)])
    assert error is None
    assert isinstance(events[1], StartData)
    assert [field.units for field in events[1].fields] == ["", "\N{REPLACEMENT CHARACTER}m"]


@pytest.mark.parametrize("reason", list(EndReason)[:7])
def test_end_reasons_of_the_box(reason: EndReason) -> None:
    events, error = decode([OK + START + frame(bytes(8)) + end(2, reason.value)])
    assert (events[-1], error) == (EndData(2, reason), None)


def test_an_end_reason_of_tomorrow_is_logged_in_its_own_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    events, error = decode([OK + START + end(0, "Cable eaten")])
    assert (events[-1], error) == (EndData(0, EndReason.UNKNOWN_EXCEPTION), None)
    assert "Cable eaten" in caplog.text


def test_refused_options_raise_the_words_of_the_box() -> None:
    connection = DataConnection()
    connection.connect(scaled=False)
    for call in (
        lambda: list(connection.receive_bytes(b"ERR Invalid data capture option\n")),
        connection.flush,
    ):
        with pytest.raises(CommandError, match="'XML FRAMED RAW' refused: Invalid data") as raised:
            call()
        assert raised.value.reason == "Invalid data capture option"


BAD = {
    "neither OK nor ERR": b"!no\n",
    "no end of the answer": b"O" * 5000,
    "where an XML header was due": OK + b"BIN \x10\x00\x00\x00",
    "no end of the header": OK + b"<header>\n" + b" " * 1100000,
    "not XML": OK + START.replace(b"/>", b">"),
    "is not XML: not well-formed": OK + START.replace(b"<data", b"<!DOCTYPE header []><data"),
    "frame of 7 bytes": OK + START + b"BIN \x07\x00\x00\x00",
    "frame of 4294967295 bytes": OK + START + b"BIN \xff\xff\xff\xff",
    "not whole samples of 4": OK + START + frame(b"123456"),
    "where BIN or END was due": OK + START + b"BANG\x08\x00\x00\x00",
    "no end of the rest of the END line": OK + START + b"END 1" + b"0" * 2000,
    "is not END, samples and a reason": OK + START + b"END many Ok\n",
    "unknown type 'int33'": OK + START.replace(b"int32", b"int33"),
    "sample_bytes is 11": OK + START.replace(b'sample_bytes="4"', b'sample_bytes="11"'),
    "sample_bytes is -4": OK + START.replace(b'sample_bytes="4"', b'sample_bytes="-4"'),
    "sample_bytes is ''": OK + START.replace(b'sample_bytes="4"', b""),
    "missed is '--1'": OK + START.replace(b'missed="0"', b'missed="--1"'),
    "missed is '0x1'": OK + START.replace(b'missed="0"', b'missed="0x1"'),
    "scale is 'big'": OK + START.replace(b'scale="1"', b'scale="big"'),
    "without name": OK + START.replace(b"name=", b"nome="),
    "give all of them or none": OK + START.replace(b'scale="1"', b""),
    "0 fields take 0": OK + header([], 0),
    "no <data .../>": OK + START.replace(b"<data ", b"<date "),
    "format 'ASCII'": OK + START.replace(b"Framed", b"ASCII"),
    "A.B.Value": OK + header([("A.B", "int32", "Value"), ("A.B", "int64", "Value")], 12),
}


@pytest.mark.parametrize("word", ["int32", "Framed", "1", "4"])
def test_what_is_said_of_a_long_header_is_short(word: str) -> None:
    stream = OK + START.replace(b'"%s"' % word.encode(), b'"%s"' % (b"x" * 100_000))
    _, error = decode([stream])
    assert isinstance(error, ProtocolError)
    assert len(str(error)) < 300


def receive_in_pieces(connection: DataConnection, stream: bytes, size: int) -> None:
    for first in range(0, len(stream), size):
        list(connection.receive_bytes(stream[first : first + size]))


@pytest.mark.parametrize("split", [1 << 30, 1000, 1])
@pytest.mark.parametrize(("words", "stream"), BAD.items(), ids=BAD)
def test_a_fault_is_named_and_ends_the_connection(words: str, stream: bytes, split: int) -> None:
    connection = DataConnection()
    with pytest.raises(ProtocolError, match=words):
        receive_in_pieces(connection, stream, split)
    assert connection.state is DataState.ERROR
    for again in (
        lambda: connection.receive_bytes(OK),
        connection.flush,
        connection.get_buffer,
        connection.receive_eof,
        lambda: connection.bytes_received(1),
    ):
        with pytest.raises(ProtocolError, match=words):
            again()


@pytest.mark.parametrize("every", [False, True])
def test_events_before_a_fault_come_out_first(every: bool) -> None:
    events, error = decode([OK + START + frame(b"1234") + b"junkjunk"], every)
    assert isinstance(error, ProtocolError)
    assert len(rows_of(events)) == 1


@pytest.mark.parametrize(
    ("stream", "waiting"),
    [
        (b"", "the answer to the options"),
        (OK + b"<hea", "the header of the next acquisition"),
        (OK + START, "the head of a frame, or the end"),
        (OK + START + frame(b"1234") + b"BIN ", "the head of a frame"),
        (OK + START + frame(b"1234") + frame(b"1234")[:-1], "samples of a frame"),
        (OK + START + frame(b"1234") + b"END 1 Ok", "END line"),
    ],
)
def test_end_of_file_in_the_middle(stream: bytes, waiting: str) -> None:
    events, error = decode([stream], every=False)
    assert isinstance(error, ConnectionLost)
    assert waiting in str(error)
    samples = [len(event.data) for event in events if isinstance(event, FrameData)]
    assert samples == ([1] if frame(b"1234") in stream else [])


@pytest.mark.parametrize("stream", [OK, OK + START + end(0)])
def test_end_of_file_between_acquisitions_is_no_fault(stream: bytes) -> None:
    connection = DataConnection()
    list(connection.receive_bytes(stream))
    assert list(connection.bytes_received(0)) == []
    assert connection.state is DataState.CLOSED
    with pytest.raises(ConnectionLost):
        connection.receive_bytes(OK)


def test_an_empty_piece_says_nothing() -> None:
    connection = DataConnection()
    assert list(connection.receive_bytes(b"")) == []
    assert list(connection.receive_bytes(OK)) == [ReadyData()]


def test_limits_can_be_set() -> None:
    for stream, limits in (
        (OK + START, {"max_header": 100}),
        (OK + START + frame(bytes(1000)), {"max_frame": 1000}),
    ):
        _, error = decode([stream], **limits)
        assert isinstance(error, ProtocolError)
        assert isinstance(error, PandAError)
