"""Captures to files: what is in them is what was sent, and the status tells the truth."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from panda_ioc.capture.scaling import columns_of
from panda_ioc.capture.session import FileCapture
from panda_ioc.capture.settings import MAX_LAST_N, CaptureSettings, Mode
from panda_ioc.capture.status import CaptureState, CaptureStatus
from panda_ioc.capture.stream import DataStream
from panda_ioc.errors import CaptureError, ConfigurationError, ConnectionLost
from panda_ioc.protocol.responses import EndReason, StartData
from support.databox import DataBox
from support.datastream import (
    acquisition,
    decode,
    end,
    frame,
    header,
    random_rows,
    random_sizes,
)
from support.disks import small_disk_at

COLUMNS = [
    ("PCAP.BITS0", "uint32", "Value"),
    ("COUNTER1.OUT", "int32", "Min"),
    ("COUNTER1.OUT", "int32", "Max"),
    ("PCAP.GATE_DURATION", "int32", "Value"),
    ("COUNTER1.OUT", "int64", "Mean"),
    ("PCAP.TS_TRIG", "int64", "Value"),
]
SCALING = 'scale="0.5" offset="3" units="mm"'
ROWS = random_rows(COLUMNS, 60_000)
SIZE = ROWS.itemsize


class Watch:
    """Waits for states of a capture."""

    def __init__(self) -> None:
        self.seen: list[CaptureStatus] = []
        self._news = threading.Condition()

    def __call__(self, status: CaptureStatus) -> None:
        with self._news:
            self.seen.append(status)
            self._news.notify_all()

    @contextmanager
    def again(self) -> Iterator[None]:
        """Have what is waited for come once more."""
        with self._news:
            del self.seen[:-1]
        yield

    def wait(self, state: CaptureState | None = None, captured: int | None = None) -> CaptureStatus:
        def found() -> CaptureStatus | None:
            return next(
                (
                    status
                    for status in self.seen
                    if state in (None, status.state) and captured in (None, status.captured)
                ),
                None,
            )

        with self._news:
            assert self._news.wait_for(found, 10), self.seen[-1]
            status = found()
            assert status is not None
            return status


def begin(stream: DataStream, path: Path, **options: Any) -> tuple[FileCapture, Watch]:
    watch = Watch()
    queue = options.pop("queue_bytes", 1 << 20)
    settings = CaptureSettings(path.parent, path.name, **options)
    capture = FileCapture(settings, watch, queue)
    capture.begin(stream)
    return capture, watch


def expected(rows: np.ndarray) -> dict[str, np.ndarray]:
    start = decode([b"OK\n" + header(COLUMNS, SIZE, scaling=SCALING)])[0][1]
    assert isinstance(start, StartData)
    return {column.name: column.values(rows) for column in columns_of(start)}


def check(path: Path, rows: np.ndarray, **how: Any) -> None:
    with h5py.File(path, "r", **how) as file:
        for name, values in expected(rows).items():
            np.testing.assert_array_equal(file[name][:], values, err_msg=name)
            assert file[name].dtype == values.dtype


def sent(rows: np.ndarray, sizes: list[int], reason: str = "Ok") -> bytes:
    return acquisition(COLUMNS, rows, sizes, reason, scaling=SCALING)


@pytest.mark.parametrize("largest", [3, 700, 40_000])
@pytest.mark.parametrize(
    ("mode", "num", "kept"),
    [
        (Mode.FIRST_N, 0, slice(None)),
        (Mode.FIRST_N, 20_001, slice(20_001)),
        (Mode.FIRST_N, 70_000, slice(None)),
        (Mode.LAST_N, 20_001, slice(-20_001, None)),
        (Mode.LAST_N, 70_000, slice(None)),
    ],
)
def test_what_is_captured_is_what_was_sent(
    box: DataBox,
    stream: DataStream,
    tmp_path: Path,
    mode: Mode,
    num: int,
    kept: slice,
    largest: int,
) -> None:
    path = tmp_path / "a.h5"
    capture, _ = begin(stream, path, mode=mode, num=num, flush_period=0.0)
    box.send(sent(ROWS, random_sizes(1, largest, len(ROWS))))
    status = capture.wait(20)
    assert (status.state, status.reason) == (CaptureState.DONE, EndReason.OK)
    assert status.captured == len(ROWS[kept])
    assert not status.busy
    check(path, ROWS[kept])


def test_what_is_in_the_file_beside_the_samples(
    box: DataBox, stream: DataStream, tmp_path: Path
) -> None:
    path = tmp_path / "a.h5"
    names = {"COUNTER1.OUT": "count"}
    capture, _ = begin(stream, path, num=10, dataset_names=names, attributes={"prefix": "P:"})
    box.send(sent(ROWS[:100], []))
    status = capture.wait(10)
    assert [(one.name, str(one.dtype)) for one in status.datasets] == [
        ("PCAP.BITS0.Value", "uint32"),
        ("count-min", "float64"),
        ("count-max", "float64"),
        ("PCAP.GATE_DURATION.Value", "float64"),
        ("count", "float64"),
        ("PCAP.TS_TRIG.Value", "float64"),
    ]
    with h5py.File(path) as file:
        assert set(file) == {one.name for one in status.datasets} | {"entry"}
        assert file["count"].chunks == (status.chunk,)
        assert dict(file["count"].attrs) == {
            "panda_field": "COUNTER1.OUT",
            "capture": "Mean",
            "units": "mm",
            "scale": 0.5,
            "offset": 3.0,
        }
        about = dict(file.attrs)
        assert about.pop("arm_time") == "2026-11-22T08:13:27.1Z"
        assert (about["prefix"], about["missed"], about["end_reason"]) == ("P:", 0, b"Ok")
        assert (about["samples"], about["acquisitions"]) == (10, 1)
        data = file["entry/data"]
        assert (file["entry"].attrs["NX_class"], data.attrs["NX_class"]) == ("NXentry", "NXdata")
        assert data.attrs["signal"] == "PCAP.BITS0.Value"
        assert list(data.attrs["axes"]) == ["PCAP.TS_TRIG.Value"]
        assert data["count"] == file["count"]


@pytest.mark.parametrize(
    ("column", "axes", "signal"),
    [(("PCAP.TS_END", "int64", "Value"), True, False), (("A.B", "int32", "Value"), False, True)],
)
def test_what_viewers_are_told_to_plot(
    box: DataBox,
    stream: DataStream,
    tmp_path: Path,
    column: tuple[str, str, str],
    axes: bool,
    signal: bool,
) -> None:
    capture, _ = begin(stream, tmp_path / "a.h5")
    rows = random_rows([column], 10)
    box.send(acquisition([column], rows, [], data='hw_time_offset_ns="-12" '))
    assert capture.wait(10).state is CaptureState.DONE
    with h5py.File(tmp_path / "a.h5") as file:
        shown = file["entry/data"].attrs
        assert (("axes" in shown), ("signal" in shown)) == (axes, signal)
        assert file.attrs["hw_time_offset_ns"] == -12


def test_forever_goes_on_over_acquisitions_of_one_layout(
    box: DataBox, stream: DataStream, tmp_path: Path
) -> None:
    path = tmp_path / "a.h5"
    capture, watch = begin(stream, path, mode=Mode.FOREVER)
    box.send(sent(ROWS[:1000], [300]))
    watch.wait(CaptureState.READY, captured=1000)
    assert capture.status.busy
    box.send(sent(ROWS[1000:5000], [], "Disarmed"))
    watch.wait(CaptureState.READY, captured=5000)
    status = capture.stop()
    assert (status.state, status.acquisitions, status.captured) == (CaptureState.DONE, 2, 5000)
    check(path, ROWS[:5000])


def test_forever_ends_with_another_layout(box: DataBox, stream: DataStream, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    capture, _ = begin(stream, path, mode=Mode.FOREVER)
    other = [("A.B", "int32", "Value")]
    box.send(sent(ROWS[:1000], []) + acquisition(other, random_rows(other, 3), []))
    status = capture.wait(10)
    assert (status.state, status.reason) == (CaptureState.FAILED, EndReason.START_DATA_MISMATCH)
    check(path, ROWS[:1000])


def test_a_reader_sees_as_much_of_every_column_as_is_told(
    box: DataBox, stream: DataStream, tmp_path: Path
) -> None:
    path = tmp_path / "a.h5"
    capture, watch = begin(stream, path, flush_period=0.0)
    box.send(header(COLUMNS, SIZE, scaling=SCALING))
    total = 0
    for count in (1, 500, 20_000, 7, 30_000):
        box.send(frame(ROWS[total : total + count].tobytes()))
        total += count
        watch.wait(captured=total)
        with h5py.File(path, "r", swmr=True) as file:
            for name, values in expected(ROWS[:total]).items():
                np.testing.assert_array_equal(file[name][:total], values, err_msg=name)
    box.send(end(total))
    assert capture.wait(10).captured == total


@pytest.mark.parametrize("flushed", [False, True])
@pytest.mark.parametrize("last", [10, 20_000])
def test_the_frame_before_an_overrun_is_left_out(
    box: DataBox, stream: DataStream, tmp_path: Path, last: int, flushed: bool
) -> None:
    path = tmp_path / "a.h5"
    capture, watch = begin(stream, path, flush_period=0.0 if flushed else 100.0, mode=Mode.FOREVER)
    total = 20_000 + last
    whole = sent(ROWS[:total], [20_000], "Data overrun")
    cut = whole.index(b"END ")
    box.send(whole[:cut])
    if flushed:
        watch.wait(captured=total)
    box.send(whole[cut:])
    status = capture.wait(10)
    assert (status.state, status.reason) == (CaptureState.FAILED, EndReason.DATA_OVERRUN)
    assert "Data overrun" in status.message
    assert f"{last} left out" in status.message
    assert status.captured == 20_000
    check(path, ROWS[:20_000])


@pytest.mark.parametrize(
    ("num", "captured", "reason"),
    [
        (100, 90, EndReason.DATA_OVERRUN),
        (95, 90, EndReason.DATA_OVERRUN),
        (90, 90, EndReason.OK),
        (40, 40, EndReason.OK),
    ],
)
def test_the_first_n_before_an_overrun(
    box: DataBox, stream: DataStream, tmp_path: Path, num: int, captured: int, reason: EndReason
) -> None:
    """What was asked for is complete, but not to be trusted if it ends in the last frame."""
    capture, _ = begin(stream, tmp_path / "a.h5", num=num)
    box.send(sent(ROWS[:100], [90], "Data overrun"))
    status = capture.wait(10)
    assert (status.captured, status.reason) == (captured, reason)
    assert (f"{num - captured} left out" in status.message) is (num > captured)
    check(tmp_path / "a.h5", ROWS[:captured])


def test_the_first_n_are_complete_though_the_acquisition_goes_on(
    box: DataBox, stream: DataStream, tmp_path: Path
) -> None:
    capture, _ = begin(stream, tmp_path / "a.h5", num=100)
    box.send(header(COLUMNS, SIZE, scaling=SCALING) + frame(ROWS[:100].tobytes()))
    status = capture.wait(10)
    assert (status.state, status.reason, status.captured) == (CaptureState.DONE, EndReason.OK, 100)


@pytest.mark.parametrize("num", [5, 50])
def test_the_last_n_before_an_overrun(
    box: DataBox, stream: DataStream, tmp_path: Path, num: int
) -> None:
    """The last frame is left out; what made place for it is gone too."""
    capture, _ = begin(stream, tmp_path / "a.h5", mode=Mode.LAST_N, num=num)
    box.send(sent(ROWS[:100], [90], "Data overrun"))
    captured = capture.wait(10).captured
    assert captured == max(0, num - 10)
    check(tmp_path / "a.h5", ROWS[90 - captured : 90])


def test_a_file_that_is_removed_meanwhile(box: DataBox, stream: DataStream, tmp_path: Path) -> None:
    directory = tmp_path / "d"
    directory.mkdir()
    capture, watch = begin(stream, directory / "a.h5", flush_period=0.0)
    box.send(header(COLUMNS, SIZE, scaling=SCALING) + frame(ROWS[:77].tobytes()))
    watch.wait(captured=77)
    (directory / "a.h5").unlink()
    directory.rmdir()
    box.send(frame(ROWS[77:99].tobytes()))
    status = capture.wait(10)
    assert status.state is CaptureState.FAILED
    assert "the file is gone" in status.message


def test_cut_in_the_middle(box: DataBox, stream: DataStream, tmp_path: Path) -> None:
    capture, watch = begin(stream, tmp_path / "a.h5")
    box.send(header(COLUMNS, SIZE, scaling=SCALING) + frame(ROWS[:77].tobytes()))
    watch.wait(captured=77)
    box.cut()
    status = capture.wait(10)
    assert (status.state, status.reason) == (CaptureState.FAILED, EndReason.DISCONNECTED)
    assert "Disconnected: 77 samples" in status.message
    check(tmp_path / "a.h5", ROWS[:77])


def test_cut_while_waiting(box: DataBox, stream: DataStream, tmp_path: Path) -> None:
    capture, _ = begin(stream, tmp_path / "a.h5")
    box.cut()
    status = capture.wait(10)
    assert (status.state, status.captured) == (CaptureState.FAILED, 0)
    assert "closed by the PandA" in status.message or "has closed" in status.message
    assert not (tmp_path / "a.h5").exists()
    with pytest.raises(ConnectionLost):
        begin(stream, tmp_path / "b.h5")
    assert not (tmp_path / "b.h5").exists()


def test_stop_before_anything_leaves_no_file(stream: DataStream, tmp_path: Path) -> None:
    capture, _ = begin(stream, tmp_path / "a.h5")
    assert (tmp_path / "a.h5").exists()
    status = capture.stop()
    assert (status.state, status.captured, status.busy) == (CaptureState.DONE, 0, False)
    assert not (tmp_path / "a.h5").exists()


def test_begun_in_the_middle(box: DataBox, stream: DataStream, tmp_path: Path) -> None:
    _, watch = begin(stream, tmp_path / "first.h5", flush_period=0.0)
    box.send(header(COLUMNS, SIZE, scaling=SCALING) + frame(ROWS[:10].tobytes()))
    watch.wait(captured=10)
    capture, _ = begin(stream, tmp_path / "a.h5")
    box.send(frame(ROWS[10:30].tobytes()) + end(30))
    status = capture.wait(10)
    assert (status.missed, status.captured) == (10, 20)
    assert "10 missed before" in status.message
    check(tmp_path / "a.h5", ROWS[10:30])


@pytest.mark.parametrize("reason", ["Ok", "Disarmed"])
def test_an_acquisition_that_was_joined_too_late_is_not_the_one_that_is_captured(
    box: DataBox, stream: DataStream, tmp_path: Path, reason: str
) -> None:
    """Even where the next one has other columns; there is no good end with nothing captured."""
    _, first = begin(stream, tmp_path / "first.h5", flush_period=0.0)
    other = random_rows(COLUMNS[1:3], 10)
    box.send(header(COLUMNS[1:3], other.itemsize) + frame(other.tobytes()))
    first.wait(captured=10)
    capture, watch = begin(stream, tmp_path / "a.h5")
    watch.wait(CaptureState.CAPTURING)
    assert capture.status.missed == 10
    box.send(frame(b"") + end(10, reason))
    with watch.again():
        watch.wait(CaptureState.READY)
    assert (capture.status.missed, capture.status.acquisitions) == (0, 0)
    box.send(sent(ROWS[:100], [100]))
    status = capture.wait(10)
    assert (status.state, status.captured, status.missed) == (CaptureState.DONE, 100, 0)
    check(tmp_path / "a.h5", ROWS[:100])


def test_a_bad_end_of_an_acquisition_that_was_joined_too_late_is_told(
    box: DataBox, stream: DataStream, tmp_path: Path
) -> None:
    _, first = begin(stream, tmp_path / "first.h5", flush_period=0.0)
    box.send(header(COLUMNS, SIZE, scaling=SCALING) + frame(ROWS[:10].tobytes()))
    first.wait(captured=10)
    capture, _ = begin(stream, tmp_path / "a.h5")
    box.send(end(10, "Driver data overrun"))
    status = capture.wait(10)
    assert status.state is CaptureState.FAILED
    assert "Driver data overrun: 0 samples" in status.message
    assert "10 missed before" in status.message


def test_an_error_of_any_kind_in_the_writing_thread_is_told(
    box: DataBox, stream: DataStream, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    troubles = [MemoryError()]

    def short_of_memory(status: CaptureStatus) -> None:
        if status.state is CaptureState.CAPTURING and troubles:
            raise troubles.pop()

    capture = FileCapture(CaptureSettings(tmp_path, "a.h5"), short_of_memory)
    capture.begin(stream)
    box.send(sent(ROWS[:100], [100]))
    status = capture.wait(10)
    assert status.state is CaptureState.FAILED
    assert status.message.startswith("MemoryError: 0 samples")
    assert "Traceback" in caplog.text
    assert stream.alive


def test_samples_wait_for_the_disk_and_none_is_lost(
    box: DataBox, stream: DataStream, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    capture, _ = begin(stream, tmp_path / "a.h5", queue_bytes=10_000)
    box.send(sent(ROWS, [100] * 500))
    status = capture.wait(20)
    assert status.captured == status.received == len(ROWS)
    assert status.queue_limit <= status.queue_peak < 10_000 + ROWS.nbytes
    assert status.queued == 0
    assert caplog.text.count("queue half full") == 1
    check(tmp_path / "a.h5", ROWS)


def test_bits_unpacked(box: DataBox, stream: DataStream, tmp_path: Path) -> None:
    labels = ["", "B.ONE", *[""] * 30]
    capture, _ = begin(stream, tmp_path / "a.h5", bits={"PCAP.BITS0": labels})
    box.send(sent(ROWS[:20_000], [900]))
    assert capture.wait(10).state is CaptureState.DONE
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["B.ONE"].dtype == bool
        np.testing.assert_array_equal(
            file["B.ONE"][:], (ROWS["PCAP.BITS0.Value"][:20_000] & 2).astype(bool)
        )


def test_existing_files_are_kept(stream: DataStream, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    path.write_text("precious")
    with pytest.raises(CaptureError, match=r"a\.h5: exists already"):
        begin(stream, path)
    assert path.read_text() == "precious"


def test_a_file_that_can_not_be_made_leaves_nothing(stream: DataStream, tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"a\.h5: .*NULL"):
        begin(stream, tmp_path / "a.h5", attributes={"prefix": "P", "version": "1\0"})
    assert list(tmp_path.iterdir()) == []
    begin(stream, tmp_path / "a.h5")[0].stop()


def test_directories(stream: DataStream, tmp_path: Path) -> None:
    deep = tmp_path / "x" / "y" / "a.h5"
    with pytest.raises(CaptureError, match=f"no directory {deep.parent}"):
        begin(stream, deep)
    with pytest.raises(CaptureError, match="2 levels to make, 1 allowed"):
        begin(stream, deep, create_directory=-1)
    with pytest.raises(CaptureError, match="0 allowed"):
        begin(stream, deep, create_directory=len(deep.parent.parts))
    begin(stream, deep, create_directory=-2)[0].stop()
    other = tmp_path / "z" / "a.h5"
    begin(stream, other, create_directory=len(tmp_path.parts) - 1)[0].stop()
    (tmp_path / "file").write_text("")
    with pytest.raises(CaptureError, match="file"):
        begin(stream, tmp_path / "file" / "b.h5", create_directory=-1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission(stream: DataStream, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(CaptureError, match="no permission"):
        begin(stream, tmp_path / "a.h5")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"filename": ""}, "give a name"),
        ({"filename": "a/b"}, "give a name"),
        ({"filename": ".."}, "give a name for a file"),
        ({"directory": Path("here")}, "absolute"),
        ({"directory": Path("/a\0"), "data_roots": (Path("/"),)}, "only directories in /"),
        ({"directory": Path("/a\nb")}, "line break"),
        ({"filename": "a\nb"}, "cannot be printed"),
        ({"num": -1}, "-1 samples"),
        ({"mode": Mode.LAST_N}, "the last 0 samples"),
        ({"mode": Mode.LAST_N, "num": MAX_LAST_N + 1}, "give 1 to"),
        ({"flush_period": float("nan")}, "nan s"),
        ({"data_roots": (Path("/srv"),)}, "only directories in /srv"),
        (
            {"directory": Path("/srv/../tmp"), "data_roots": (Path("/srv"),)},
            "only directories in /srv",
        ),
    ],
)
def test_settings_that_can_not_be(options: dict[str, Any], words: str) -> None:
    settings = CaptureSettings(**{"directory": Path("/tmp"), "filename": "a.h5", **options})  # noqa: S108
    with pytest.raises(ConfigurationError, match=words):
        settings.check()


def test_a_link_does_not_lead_out_of_the_root(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "out").symlink_to(tmp_path)
    with pytest.raises(ConfigurationError, match="only directories in"):
        CaptureSettings(tmp_path / "root" / "out", "a.h5", data_roots=(tmp_path / "root",)).check()


def test_links_in_a_circle_are_not_in_the_root(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(ConfigurationError, match="only directories in"):
        CaptureSettings(tmp_path / "circle" / "x", "a.h5", data_roots=(tmp_path,)).check()


def test_names_given_twice_end_the_capture(
    box: DataBox, stream: DataStream, tmp_path: Path
) -> None:
    names = {"PCAP.BITS0": "x", "PCAP.TS_TRIG": "x"}
    capture, _ = begin(stream, tmp_path / "a.h5", dataset_names=names)
    box.send(sent(ROWS[:10], []))
    status = capture.wait(10)
    assert status.state is CaptureState.FAILED
    assert "'x' of PCAP.TS_TRIG is taken by PCAP.BITS0" in status.message
    assert stream.alive


CHILD = """
import sys
from pathlib import Path
from panda_ioc.capture.session import FileCapture
from panda_ioc.capture.settings import CaptureSettings
from panda_ioc.capture.stream import DataStream
from panda_ioc.client.data import DataSocket
path, port, limit = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
if limit:
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
def tell(status):
    print(status.captured, status.state.name, status.message, flush=True)
capture = FileCapture(CaptureSettings(path.parent, path.name, flush_period=0.0), tell)
capture.begin(DataStream(DataSocket("127.0.0.1", port)).open())
capture.wait(30)
"""


@contextmanager
def child(path: Path, port: int, limit: int = 0) -> Iterator[subprocess.Popen[str]]:
    """A process that captures to a file of at most `limit` bytes, ready to receive."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(port), str(limit)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        wait_for(process, "0 READY")
        yield process


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(words):
            return
    pytest.fail(f"never said {words!r}")


def test_killed_in_the_middle(box: DataBox, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with child(path, box.port) as process:
        box.send(header(COLUMNS, SIZE, scaling=SCALING) + frame(ROWS[:50_000].tobytes()))
        wait_for(process, "50000 ")
        box.send(frame(ROWS[50_000:].tobytes())[:99])
        process.send_signal(signal.SIGKILL)
    check(path, ROWS[:50_000], swmr=True)


def run_out_of_space(box: DataBox, path: Path, limit: int = 0) -> tuple[int, str]:
    """Returns the samples that were told to be captured, and the last words."""
    with child(path, box.port, limit) as process:
        text = header(COLUMNS, SIZE, scaling=SCALING)
        box.send(text + frame(ROWS[:1000].tobytes()))
        wait_for(process, "1000 ")
        sender = threading.Thread(target=send_all, args=[box, frame(ROWS[1000:].tobytes())])
        sender.start()
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
        box.cut()
        sender.join()
    assert process.returncode == 0
    captured, state, message = lines[-1].split(" ", 2)
    assert state == "FAILED"
    return int(captured), message


def send_all(box: DataBox, stream: bytes) -> None:
    for _ in range(20):
        try:
            box.send(stream)
        except OSError:
            return


def check_what_is_left(path: Path, captured: int) -> None:
    rows = np.concatenate([ROWS] * (captured // len(ROWS) + 1))
    with h5py.File(path, "r", swmr=True) as file:
        for name, values in expected(rows[:1000]).items():
            assert len(file[name]) >= captured
            np.testing.assert_array_equal(file[name][:1000], values, err_msg=name)


def test_a_file_that_may_not_grow(box: DataBox, tmp_path: Path) -> None:
    captured, message = run_out_of_space(box, tmp_path / "a.h5", 3_000_000)
    assert "File too large" in message
    assert captured >= 1000
    check_what_is_left(tmp_path / "a.h5", captured)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MiB."""
    with small_disk_at(tmp_path / "small", megabytes=3) as disk:
        yield disk


def test_disk_full(box: DataBox, small_disk: Path) -> None:
    captured, message = run_out_of_space(box, small_disk / "a.h5")
    assert "No space left on device" in message
    check_what_is_left(small_disk / "a.h5", captured)


@pytest.mark.parametrize("left", [0, 4096, 1 << 18])
def test_a_disk_that_is_full_is_told_before_anything_is_armed(
    stream: DataStream, small_disk: Path, left: int
) -> None:
    """What could not be written would stay in HDF5, which may crash of it at the end."""
    (small_disk / "other").write_bytes(bytes((3 << 20) - left))
    with pytest.raises(CaptureError, match="No space left on device"):
        begin(stream, small_disk / "a.h5")
    assert [path.name for path in small_disk.iterdir()] == ["other"]
    (small_disk / "other").unlink()
    begin(stream, small_disk / "a.h5")[0].stop()
