"""The blocking data socket, over real sockets."""

import threading

import pytest

from panda_ioc.client.data import DataSocket
from panda_ioc.errors import CommandError, CommandTimeout, ConnectionLost, ProtocolError
from panda_ioc.protocol._data import DataConnection
from panda_ioc.protocol.responses import Data, EndData, FrameData
from support.databox import data_box
from support.datastream import acquisition, merged, random_rows, same

COLUMNS = [("A.B", "int32", "Value"), ("C.D", "int64", "Value")]
ROWS = random_rows(COLUMNS, 400_000)
STREAM = acquisition(COLUMNS, ROWS, [1] * 300 + [175_000, 3, 0] + [30] * 5000)


def receive_to_end(socket: DataSocket) -> list[Data]:
    events: list[Data] = []
    while not (events and isinstance(events[-1], EndData)):
        events += socket.receive()
    return events


@pytest.mark.parametrize("early", [0, 1, 5000, len(STREAM)])
def test_everything_arrives(early: int) -> None:
    """Whatever part of an acquisition comes together with the answer to the options."""
    whole = list(DataConnection().receive_bytes(b"OK\n" + STREAM))[1:]
    with data_box(b"OK\n" + STREAM[: min(early, 60_000)]) as box:
        socket = DataSocket("127.0.0.1", box.port)
        sender = threading.Thread(target=box.send, args=[STREAM[min(early, 60_000) :]])
        sender.start()
        assert same(receive_to_end(socket), whole)
        assert len(merged(whole)) == 3
        sender.join()
        socket.close()


@pytest.mark.parametrize(("scaled", "options"), [(False, b"RAW"), (True, b"SCALED")])
def test_options(scaled: bool, options: bytes) -> None:
    with data_box() as box:
        DataSocket("127.0.0.1", box.port, scaled).close()
    assert box.options == b"XML FRAMED " + options + b"\n"


@pytest.mark.parametrize(
    ("answer", "error"),
    [(b"ERR Go away\n", CommandError), (b"SSH-2.0\n", ProtocolError), (b"", CommandTimeout)],
)
def test_boxes_that_do_not_answer_as_they_should(answer: bytes, error: type[Exception]) -> None:
    with data_box(answer) as box, pytest.raises(error):
        DataSocket("127.0.0.1", box.port, timeout=0.2)


def test_nobody_there() -> None:
    with data_box() as box:
        port = box.port
    with pytest.raises(ConnectionLost, match=f"127.0.0.1:{port}"):
        DataSocket("127.0.0.1", port)


def test_cut() -> None:
    with data_box() as box:
        socket = DataSocket("127.0.0.1", box.port)
        box.send(STREAM[:1000])
        socket.receive()
        box.cut()
        with pytest.raises(ConnectionLost):
            receive_to_end(socket)
        socket.close()


def test_what_came_before_a_fault_is_not_lost_and_every_later_call_raises() -> None:
    with data_box() as box:
        socket = DataSocket("127.0.0.1", box.port)
        box.send(acquisition(COLUMNS, ROWS[:10], [10]) + b"junk")
        events = receive_to_end(socket)
        assert merged(events)[1] == FrameData(ROWS[:10])
        for _ in range(2):
            with pytest.raises(ProtocolError, match="where an XML header was due"):
                socket.receive()
        socket.close()


def test_close_wakes_a_waiting_thread() -> None:
    raised: list[Exception] = []

    def wait(socket: DataSocket) -> None:
        try:
            receive_to_end(socket)
        except ConnectionLost as error:
            raised.append(error)

    with data_box() as box:
        socket = DataSocket("127.0.0.1", box.port)
        thread = threading.Thread(target=wait, args=[socket])
        thread.start()
        socket.close()
        thread.join(5)
    assert len(raised) == 1
