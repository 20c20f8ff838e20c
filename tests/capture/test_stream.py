"""Acquisitions reach every sink, whole, and end exactly once."""

import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from panda_ioc.capture.live import LiveWindow
from panda_ioc.capture.stream import DataStream
from panda_ioc.client.data import DataSocket
from panda_ioc.errors import CaptureError, ConnectionLost, ProtocolError
from panda_ioc.protocol.responses import Data, EndReason, StartData
from support.databox import DataBox
from support.datastream import acquisition, end, frame, header, random_rows

COLUMNS = [("A.B", "int32", "Value"), ("C.D", "int64", "Value")]
ROWS = random_rows(COLUMNS, 5000)


@dataclass
class Notes:
    """A sink that writes down what it is told."""

    told: list[Any] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)
    fail: bool = False

    def _note(self, *what: Any) -> None:
        with self.news:
            self.told.append(what)
            self.news.notify_all()

    def start(self, start: StartData) -> None:
        self._note("start", start.missed)

    def samples(self, rows: Any) -> None:
        if self.fail:
            raise ValueError("a sink's own fault")
        with self.news:
            self.rows.append(rows)
            self.news.notify_all()

    def end(self, reason: EndReason, untrusted: int) -> None:
        self._note("end", reason, untrusted)

    def closed(self, error: Exception | None) -> None:
        self._note("closed", type(error))

    def wait(self, *what: Any, times: int = 1) -> None:
        with self.news:
            assert self.news.wait_for(lambda: self.told.count(what) == times, 10), self.told

    def wait_rows(self, count: int) -> None:
        with self.news:
            assert self.news.wait_for(lambda: sum(map(len, self.rows)) == count, 10)


def test_three_acquisitions_to_two_sinks(box: DataBox, stream: DataStream) -> None:
    sinks = [Notes(), Notes()]
    for sink in sinks:
        stream.add(sink)
    box.send(acquisition(COLUMNS, ROWS, [100] * 50) * 3)
    for sink in sinks:
        sink.wait("end", EndReason.OK, 0, times=3)
        assert sink.told == [("start", 0), ("end", EndReason.OK, 0)] * 3
        np.testing.assert_array_equal(np.concatenate(sink.rows), np.concatenate([ROWS] * 3))


@pytest.mark.parametrize("process", ["Raw", "Scaled"])
@pytest.mark.parametrize("reason", list(EndReason)[:7])
def test_only_the_last_raw_frame_before_an_overrun_is_not_trusted(
    box: DataBox, stream: DataStream, reason: EndReason, process: str
) -> None:
    sink = Notes()
    stream.add(sink)
    box.send(acquisition(COLUMNS, ROWS[:20], [8], reason.value, process=process))
    overrun = reason in (
        EndReason.DATA_OVERRUN,
        EndReason.DRIVER_DATA_OVERRUN,
        EndReason.DMA_DATA_ERROR,
    )
    sink.wait("end", reason, 12 if overrun and process == "Raw" else 0)


def test_cut_in_the_middle(box: DataBox) -> None:
    ended: list[Exception | None] = []
    stream = DataStream(DataSocket("127.0.0.1", box.port), ended.append).open()
    sink = Notes()
    stream.add(sink)
    box.send(header(COLUMNS, 12) + frame(ROWS[:10].tobytes()) + frame(ROWS.tobytes())[:99])
    sink.wait_rows(10)
    box.cut()
    sink.wait("closed", ConnectionLost)
    assert sink.told[1:] == [("end", EndReason.DISCONNECTED, 0), ("closed", ConnectionLost)]
    stream.close()
    assert not stream.alive
    assert [type(error) for error in ended] == [ConnectionLost]


def test_nonsense(box: DataBox, stream: DataStream) -> None:
    sink = Notes()
    stream.add(sink)
    box.send(header(COLUMNS, 12) + b"nonsense")
    sink.wait("closed", ProtocolError)
    assert sink.told[1] == ("end", EndReason.DISCONNECTED, 0)


def test_close_ends_the_acquisition(box: DataBox) -> None:
    ended: list[Exception | None] = []
    stream = DataStream(DataSocket("127.0.0.1", box.port), ended.append).open()
    sink = Notes()
    stream.add(sink)
    box.send(header(COLUMNS, 12))
    sink.wait("start", 0)
    stream.close()
    assert sink.told[1:] == [("end", EndReason.MANUALLY_STOPPED, 0), ("closed", type(None))]
    assert ended == [None]


def test_a_sink_that_comes_late_is_told_what_it_missed(box: DataBox, stream: DataStream) -> None:
    first, late = Notes(), Notes()
    stream.add(first)
    box.send(header(COLUMNS, 12) + frame(ROWS[:10].tobytes()))
    first.wait_rows(10)
    stream.add(late)
    box.send(frame(ROWS[10:30].tobytes()) + end(30))
    late.wait("end", EndReason.OK, 0)
    assert late.told[0] == ("start", 10)
    np.testing.assert_array_equal(np.concatenate(late.rows), ROWS[10:30])


def test_a_sink_that_comes_too_late_is_told_so(box: DataBox) -> None:
    """Even while the thread of the stream is not over yet."""
    told = threading.Event()
    stream = DataStream(DataSocket("127.0.0.1", box.port), lambda _: told.wait(10)).open()
    first, late = Notes(), Notes()
    stream.add(first)
    box.cut()
    first.wait("closed", ConnectionLost)
    stream.add(late)
    assert late.told == [("closed", ConnectionLost)]
    assert not stream.alive
    told.set()
    stream.close()


class ShortOfMemory(DataSocket):
    """A connection for whose data there is no memory, from some moment on."""

    short = False

    def receive(self) -> list[Data]:
        events = super().receive()
        if self.short:
            raise MemoryError
        return events


def test_an_error_of_any_kind_is_told_to_all(
    box: DataBox, caplog: pytest.LogCaptureFixture
) -> None:
    ended: list[Exception | None] = []
    connection = ShortOfMemory("127.0.0.1", box.port)
    stream = DataStream(connection, ended.append).open()
    sink = Notes()
    stream.add(sink)
    box.send(header(COLUMNS, 12) + frame(ROWS[:10].tobytes()))
    sink.wait_rows(10)
    connection.short = True
    box.send(frame(ROWS[:10].tobytes()))
    sink.wait("closed", CaptureError)
    assert sink.told[1:] == [("end", EndReason.DISCONNECTED, 0), ("closed", CaptureError)]
    stream.close()
    assert [str(error) for error in ended] == ["data port: MemoryError"]
    assert "Traceback" in caplog.text


def test_the_rest_of_an_acquisition_that_is_over_is_not_joined(
    box: DataBox, stream: DataStream
) -> None:
    first, late = Notes(), Notes()
    stream.add(first)
    assert stream.current == 0
    box.send(header(COLUMNS, 12) + frame(ROWS[:10].tobytes()))
    first.wait_rows(10)
    stream.add(late, over=stream.current)
    box.send(frame(ROWS[10:30].tobytes()) + end(30))
    first.wait("end", EndReason.OK, 0)
    assert late.told == []
    box.send(acquisition(COLUMNS, ROWS, [10]))
    late.wait("end", EndReason.OK, 0)
    assert late.told[0] == ("start", 0)
    np.testing.assert_array_equal(np.concatenate(late.rows), ROWS)
    assert stream.current == 0


def test_a_sink_that_waits_for_the_next_acquisition_hears_of_the_end_of_the_stream(
    box: DataBox, stream: DataStream
) -> None:
    first, late, gone = Notes(), Notes(), Notes()
    stream.add(first)
    box.send(header(COLUMNS, 12))
    first.wait("start", 0)
    for sink in (late, gone):
        stream.add(sink, over=stream.current)
    stream.remove(gone)
    box.cut()
    late.wait("closed", ConnectionLost)
    assert (late.told, gone.told) == ([("closed", ConnectionLost)], [])


def test_what_has_come_is_handed_on_once_it_has_settled(box: DataBox, stream: DataStream) -> None:
    sink = Notes()
    stream.add(sink)
    for count in range(1, 20):
        box.send(acquisition(COLUMNS, ROWS, [1000]))
        stream.settle(10)
        assert sink.told.count(("end", EndReason.OK, 0)) == count


def test_removed_sinks_hear_no_more(box: DataBox, stream: DataStream) -> None:
    stays, goes = Notes(), Notes()
    stream.add(stays)
    stream.add(goes)
    box.send(header(COLUMNS, 12))
    stays.wait("start", 0)
    stream.remove(goes)
    box.send(end(0))
    stays.wait("end", EndReason.OK, 0)
    assert goes.told == [("start", 0)]


def test_a_sink_that_fails_harms_only_itself(box: DataBox, stream: DataStream) -> None:
    bad, good = Notes(fail=True), Notes()
    stream.add(bad)
    stream.add(good)
    box.send(acquisition(COLUMNS, ROWS, [100]))
    good.wait("end", EndReason.OK, 0)
    assert bad.told == [("start", 0), ("closed", ValueError)]


def test_a_count_that_does_not_agree_is_told(
    box: DataBox, stream: DataStream, caplog: pytest.LogCaptureFixture
) -> None:
    sink = Notes()
    stream.add(sink)
    box.send(header(COLUMNS, 12) + frame(ROWS[:10].tobytes()) + end(11))
    sink.wait("end", EndReason.OK, 0)
    assert "END tells of 11 samples, 10 came" in caplog.text


def test_live_window_is_a_sink(box: DataBox, stream: DataStream) -> None:
    window, sink = LiveWindow(100), Notes()
    stream.add(window)
    stream.add(sink)
    box.send(acquisition(COLUMNS, ROWS, [7] * 700))
    sink.wait("end", EndReason.OK, 0)
    values = window.snapshot().columns["C.D.Value"]
    np.testing.assert_array_equal(values, ROWS["C.D.Value"][-100:].astype(float))


def test_a_live_window_says_that_it_can_not_go_on(box: DataBox, stream: DataStream) -> None:
    window, sink = LiveWindow(100), Notes()
    stream.add(window)
    stream.add(sink)
    box.send(acquisition(COLUMNS, ROWS, []))
    sink.wait("end", EndReason.OK, 0)
    assert window.snapshot().reason is EndReason.OK
    means = [("A.B", "int64", "Mean")]  # without the duration to divide by
    box.send(acquisition(means, random_rows(means, 10), []))
    sink.wait("end", EndReason.OK, 0, times=2)
    snapshot = window.snapshot()
    assert (snapshot.running, snapshot.reason) == (False, EndReason.UNKNOWN_EXCEPTION)
    assert len(snapshot.columns["C.D.Value"]) == 100
