"""The window of live samples."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panda_ioc.capture.live import MAX_SAMPLES, Keep, LiveWindow, Snapshot
from panda_ioc.errors import BadValue, CaptureError
from panda_ioc.protocol.responses import EndReason, StartData
from support.datastream import decode, header

COUNT = [("A.B", "int32", "Value"), ("PCAP.BITS0", "uint32", "Value")]
OTHER = [("C.D", "int64", "Sum")]
NAME = "A.B.Value"


def start_data(columns: list[tuple[str, str, str]], size: int) -> StartData:
    start = decode([b"OK\n" + header(columns, size, scaling='scale="2" offset="1" units=""')])[0][1]
    assert isinstance(start, StartData)
    return start


START, OTHER_START = start_data(COUNT, 8), start_data(OTHER, 8)


def counting(first: int, count: int) -> np.ndarray:
    rows = np.empty(count, [(NAME, "<i4"), ("PCAP.BITS0.Value", "<u4")])
    rows[NAME] = rows["PCAP.BITS0.Value"] = np.arange(first, first + count)
    return rows


def window_with(*pieces: int, size: int = 10, keep: Keep = Keep.LATEST) -> LiveWindow:
    window = LiveWindow(size, keep)
    window.start(START)
    done = 0
    for count in pieces:
        window.samples(counting(done, count))
        done += count
    return window


def held(snapshot: Snapshot) -> list[int]:
    assert (snapshot.columns[NAME] == 2.0 * snapshot.columns["PCAP.BITS0.Value"] + 1).all()
    return [int(value) for value in snapshot.columns["PCAP.BITS0.Value"]]


def test_nothing_before_the_first_acquisition() -> None:
    assert LiveWindow().snapshot() == Snapshot()


@given(st.integers(1, 12), st.lists(st.integers(0, 30), max_size=12), st.sampled_from(Keep))
def test_the_latest_and_the_first(size: int, pieces: list[int], keep: Keep) -> None:
    snapshot = window_with(*pieces, size=size, keep=keep).snapshot()
    everything = list(range(sum(pieces)))
    expected = everything[:size] if keep is Keep.FIRST else everything[-size:]
    assert held(snapshot) == expected
    assert (snapshot.received, snapshot.dropped) == (
        len(everything),
        len(everything) - len(expected),
    )
    assert snapshot.columns[NAME].dtype == np.float64
    assert snapshot.columns["PCAP.BITS0.Value"].dtype == np.uint32


def test_dropped_counts_what_no_snapshot_has_shown() -> None:
    window = window_with(10)
    assert window.snapshot().dropped == 0
    window.samples(counting(10, 10))
    assert window.snapshot().dropped == 0
    window.samples(counting(20, 15))
    assert window.snapshot().dropped == 5


def test_only_the_columns_asked_for() -> None:
    assert list(window_with(3).snapshot({NAME}).columns) == [NAME]


def test_version_changes_when_there_is_news() -> None:
    window = window_with(3)
    first = window.snapshot()
    assert window.snapshot().version == first.version
    window.samples(counting(3, 1))
    assert window.snapshot().version != first.version


def test_a_new_acquisition_with_other_columns() -> None:
    window = window_with(15)
    window.end(EndReason.OK, 0)
    ended = window.snapshot()
    assert (held(ended), ended.running, ended.reason) == (list(range(5, 15)), False, EndReason.OK)
    window.start(OTHER_START)
    window.samples(np.array([(7,)], [("C.D.Sum", "<i8")]))
    snapshot = window.snapshot()
    assert (snapshot.acquisition, snapshot.running, snapshot.reason) == (2, True, None)
    assert {name: values.tolist() for name, values in snapshot.columns.items()} == {
        "C.D.Sum": [15.0]
    }


@pytest.mark.parametrize("keep", Keep)
def test_samples_that_are_not_trusted_are_removed(keep: Keep) -> None:
    window = window_with(4, 4, size=6, keep=keep)
    window.end(EndReason.DATA_OVERRUN, untrusted=4)
    assert held(window.snapshot()) == ([0, 1, 2, 3] if keep is Keep.FIRST else [2, 3])


def test_size_and_mode_can_change_while_samples_come() -> None:
    window = window_with(8)
    window.configure(size=3)
    assert held(window.snapshot()) == [5, 6, 7]
    window.configure(size=5)
    window.samples(counting(8, 1))
    assert held(window.snapshot()) == [5, 6, 7, 8]
    window.configure(keep=Keep.FIRST)  # the first ones are gone: with the next acquisition
    window.samples(counting(9, 1))
    assert held(window.snapshot()) == []
    window.start(START)
    window.samples(counting(0, 9))
    assert held(window.snapshot()) == [0, 1, 2, 3, 4]
    window.configure(size=7)
    window.samples(counting(9, 1))
    assert held(window.snapshot()) == [0, 1, 2, 3, 4]
    window.configure(keep=Keep.LATEST)
    window.samples(counting(10, 2))
    assert held(window.snapshot()) == [10, 11]


@pytest.mark.parametrize("size", [0, -1, MAX_SAMPLES + 1])
def test_sizes_that_can_not_be(size: int) -> None:
    with pytest.raises(BadValue, match=f"window of {size} samples"):
        LiveWindow(size)
    with pytest.raises(BadValue, match=f"window of {size} samples"):
        LiveWindow().configure(size=size)


def test_columns_that_can_not_be_scaled_leave_the_window_as_it_was() -> None:
    window = window_with(2)
    with pytest.raises(CaptureError):
        window.start(start_data([("A.B", "int64", "Mean")], 8))
    assert held(window.snapshot()) == [0, 1]


def test_a_reader_beside_a_receiver_never_sees_a_torn_window() -> None:
    window = window_with(size=500)
    done = threading.Event()

    def receive() -> None:
        for number in range(500):
            window.samples(counting(number * 37, 37))
        done.set()

    thread = threading.Thread(target=receive)
    thread.start()
    while not done.is_set():
        numbers = held(window.snapshot())
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True
    thread.join()
    assert held(window.snapshot()) == list(range(18_000, 18_500))
