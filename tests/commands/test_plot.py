"""Pictures of captures: what is drawn, and what is said when nothing can be."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from panda_ioc.cli import main
from panda_ioc.commands import plot
from panda_ioc.errors import CaptureError, ConfigurationError

pytest.importorskip("matplotlib")


def make(path: Path, count: int, times: np.ndarray | None = None, **columns: np.ndarray) -> Path:
    """A file as a capture makes it, with a column of each way to be drawn."""
    steps = np.arange(count)
    columns = {
        "PCAP.BITS0.Value": (steps // 3).astype(np.uint32),
        "INENC1.VAL.Min": np.sin(steps / 50) - 0.2,
        "INENC1.VAL.Max": np.sin(steps / 50) + 0.2,
        "INENC1.VAL.Sum": 1e9 * np.sin(steps / 50),
        "COUNTER1.OUT.StdDev": np.where(steps % 7, 1.0, np.nan),
        "TTLIN1.VAL": steps % 100 < 30,
        **columns,
    }
    if times is not None:
        columns["PCAP.TS_TRIG.Value"] = times
    with h5py.File(path, "w") as file:
        file.attrs["arm_time"] = "2026-11-22T08:13:27Z"
        file.attrs["end_reason"] = np.bytes_("Ok")
        for name, values in columns.items():
            stored = file.create_dataset(name, data=values)
            field, _, kind = name.rpartition(".")
            stored.attrs["panda_field"] = field
            stored.attrs["capture"] = kind
            if values.dtype == np.float64:
                stored.attrs.update(units="mm", scale=1.0, offset=0.0)
    return path


@pytest.mark.parametrize("count", [1, 2, plot.BINS, 2 * plot.BINS + 1, 100_003])
def test_every_column_is_in_a_frame(tmp_path: Path, count: int) -> None:
    with h5py.File(make(tmp_path / "a.h5", count, np.arange(count) / 1e3)) as file:
        picture = plot._read(file, tmp_path, None)
    assert picture.x_label == "PCAP.TS_TRIG / mm"
    assert {frame.label.partition("\n")[0] for frame in picture.frames} == {
        "PCAP.BITS0",
        "bits",
        "INENC1.VAL / mm",
        "INENC1.VAL Sum / mm",
        "COUNTER1.OUT StdDev / mm",
    }
    drawn = [series for frame in picture.frames for series in frame.series]
    assert {len(series.low) for series in drawn} | {len(series.high) for series in drawn} <= {
        len(picture.x)
    }
    assert len(picture.x) <= 2 * plot.BINS


def test_a_word_whose_bits_stand_still_says_so(tmp_path: Path) -> None:
    still = {"PCAP.BITS0.Value": np.full(10, 5, np.uint32)}
    with h5py.File(make(tmp_path / "a.h5", 10, **still)) as file:
        frames = {frame.label: frame.series for frame in plot._read(file, tmp_path, None).frames}
    assert frames["PCAP.BITS0\nno bit changes"] == ()


def test_no_spike_is_lost(tmp_path: Path) -> None:
    values = np.zeros(1_000_000)
    values[123_456] = 7.0
    values[-1] = -3.0
    with h5py.File(make(tmp_path / "a.h5", len(values), A=values)) as file:
        low, high = plot._extremes(file["A"], len(values))
    assert (low.min(), high.max()) == (-3.0, 7.0)


def test_times_that_go_back_are_not_used_unless_asked_for(tmp_path: Path) -> None:
    times = np.r_[np.arange(50.0), np.arange(50.0)]
    with h5py.File(make(tmp_path / "a.h5", 100, times)) as file:
        labels = {how: plot._read(file, tmp_path, how).x_label for how in (None, "time", "sample")}
    assert labels == {None: "sample", "time": "PCAP.TS_TRIG / mm", "sample": "sample"}


def test_times_alone_are_drawn(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["PCAP.TS_TRIG.Value"] = np.arange(10.0)
        file["PCAP.TS_TRIG.Value"].attrs["panda_field"] = "PCAP.TS_TRIG"
    assert main(["plot", str(tmp_path / "a.h5")]) == 0
    with pytest.raises(ConfigurationError, match="draw against sample"):
        plot.run(tmp_path / "a.h5", tmp_path / "b.png", "time")


def test_columns_that_are_longer_than_the_times_are_cut(tmp_path: Path) -> None:
    """As they are while the file is written."""
    path = make(tmp_path / "a.h5", 100, np.arange(60.0))
    assert main(["plot", str(path)]) == 0
    with h5py.File(path) as file:
        picture = plot._read(file, path, None)
    assert {len(picture.x)} == {len(one.low) for frame in picture.frames for one in frame.series}
    assert "60 samples" in picture.title


def test_what_is_no_column_is_left_out(tmp_path: Path) -> None:
    path = make(tmp_path / "a.h5", 10)
    with h5py.File(path, "a") as file:
        file["note"] = 7
    assert main(["plot", str(path)]) == 0


def test_a_picture_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make(tmp_path / "a.h5", 10_000, np.arange(10_000) / 1e3)
    assert main(["plot", str(path)]) == 0
    picture = (tmp_path / "a.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 20_000
    assert capsys.readouterr().out == f"{tmp_path / 'a.png'}\n"
    assert main(["plot", str(path), "-o", str(tmp_path / "b.svg"), "--against", "sample"]) == 0
    assert b"<svg" in (tmp_path / "b.svg").read_bytes()


def test_what_can_not_be_drawn(tmp_path: Path) -> None:
    output = tmp_path / "a.png"
    with pytest.raises(ConfigurationError, match=r"gone\.h5: no such file"):
        plot.run(tmp_path / "gone.h5", output)
    (tmp_path / "text.h5").write_text("text")
    with pytest.raises(CaptureError, match="cannot be read as HDF5"):
        plot.run(tmp_path / "text.h5", output)
    h5py.File(tmp_path / "empty.h5", "w").close()
    with pytest.raises(CaptureError, match="holds no columns"):
        plot.run(tmp_path / "empty.h5", output)
    with pytest.raises(CaptureError, match="holds no samples"):
        plot.run(make(tmp_path / "none.h5", 0), output)
    path = make(tmp_path / "a.h5", 10)
    with pytest.raises(ConfigurationError, match="draw against sample"):
        plot.run(path, output, "time")
    with pytest.raises(ConfigurationError, match=r"a\.xyz"):
        plot.run(path, tmp_path / "a.xyz")
    with pytest.raises(ConfigurationError, match="has to end in"):
        plot.run(path, tmp_path / "a")
    assert not list(tmp_path.glob("a.png*"))


def test_without_matplotlib_it_says_what_to_install(tmp_path: Path) -> None:
    make(tmp_path / "a.h5", 10)
    hide = "import sys; sys.modules['matplotlib'] = None; from panda_ioc.cli import main; "
    done = subprocess.run(
        [sys.executable, "-c", hide + f"sys.exit(main(['plot', {str(tmp_path / 'a.h5')!r}]))"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "panda-ioc: plot needs matplotlib: pip install 'panda-ioc[plot]'\n"
