"""Where a rehearsal and a file of a real PandA differ: in rows, times and gate lengths.

Times count from the moment that PCAP was enabled, in both. Clock and distances are those of the
FPGA; but a real motion is never quite the one of the rehearsal, and so needs a tolerance.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from panda_ioc.commands.rehearse.finding import Finding, error, note, warning
from panda_ioc.errors import CaptureError, ConfigurationError
from panda_ioc.timing.times import TICKS_PER_SECOND, show_time

TIMES = ("PCAP.TS_START", "PCAP.TS_END", "PCAP.TS_TRIG", "PCAP.GATE_DURATION")
_NEVER = -1

Ticks = NDArray[np.int64]


@dataclass(frozen=True)
class Tolerance:
    """By how much two captures may differ.

    Attributes:
        ticks: of times and lengths
        rows: of the number of rows
    """

    ticks: int
    rows: int


@dataclass(frozen=True)
class CapturedTimes:
    """The times of a file, in ticks, by field.

    Attributes:
        path: of the file
        rows: how many it has
        times: what it has of `TIMES`
        end: how it ended
    """

    path: Path
    rows: int
    times: dict[str, Ticks]
    end: str


def read_times(path: Path) -> CapturedTimes:
    """Read what is compared.

    Raises:
        ConfigurationError: there is no such file
        CaptureError: it is no file of a capture
    """
    if not path.is_file():
        raise ConfigurationError(f"{path}: no such file")
    try:
        with h5py.File(path, "r", swmr=True) as file:
            return _read(path, file)
    except OSError as failure:
        raise CaptureError(f"{path}: cannot be read as HDF5: {failure}") from failure


def _read(path: Path, file: h5py.File) -> CapturedTimes:
    columns = [one for one in file.values() if isinstance(one, h5py.Dataset) and one.ndim == 1]
    if not columns:
        raise CaptureError(f"{path}: holds no columns of a capture")
    rows = min(len(one) for one in columns)
    found = {field: one for one in columns if (field := _field(one)) in TIMES}
    times = {field: _ticks(one[:rows], one) for field, one in found.items()}
    end = file.attrs.get("end_reason", b"")
    return CapturedTimes(path, rows, times, end.decode() if isinstance(end, bytes) else str(end))


def _field(column: h5py.Dataset) -> str:
    """Return the field of a column; files of other programs tell it by the name only."""
    given = column.attrs.get("panda_field")
    name = str(column.name).lstrip("/")
    return str(given) if given is not None else name.rpartition(".")[0]


def _ticks(values: NDArray[np.generic], column: h5py.Dataset) -> Ticks:
    """Return times as ticks; files hold them in seconds, or as they left the FPGA."""
    if values.dtype.kind in "iu":
        return values.astype(np.int64)
    scale = float(column.attrs.get("scale", 1 / TICKS_PER_SECOND))
    return np.rint(values.astype(np.float64) / scale).astype(np.int64)


def compare(ours: CapturedTimes, theirs: CapturedTimes, tolerance: Tolerance) -> Iterator[Finding]:
    """Find where the file of a real PandA differs from the rehearsal."""
    about = theirs.path.name
    if abs(ours.rows - theirs.rows) > tolerance.rows:
        yield error(
            about, f"has {theirs.rows} rows, the rehearsal {ours.rows}", _where(ours, theirs)
        )
    if theirs.end and ours.end and theirs.end != ours.end:
        yield error(about, f"ended with {theirs.end!r}, the rehearsal with {ours.end!r}")
    common = [field for field in TIMES if field in ours.times and field in theirs.times]
    if not common:
        yield warning(
            about,
            "has no times in common with the rehearsal, so only rows were compared",
            f"capture some of {', '.join(TIMES)}",
        )
    for field in common:
        yield from _differences(about, field, ours.times[field], theirs.times[field], tolerance)


def _differences(
    about: str, field: str, ours: Ticks, theirs: Ticks, tolerance: Tolerance
) -> Iterator[Finding]:
    count = min(len(ours), len(theirs))
    if not count:
        return
    off = theirs[:count] - ours[:count]
    wrong = np.flatnonzero(np.abs(off) > tolerance.ticks)
    largest = int(np.abs(off).max())
    if not len(wrong):
        yield note(about, f"{field}: {count} rows agree within {show_time(largest)}")
        return
    first = int(wrong[0])
    yield error(
        about,
        f"{field}: {len(wrong)} of {count} rows differ by more than {show_time(tolerance.ticks)},"
        f" first row {first}: {_shown(int(theirs[first]))}, in the rehearsal"
        f" {_shown(int(ours[first]))}; at most by {show_time(largest)}",
        _same_everywhere(off),
    )


def _shown(ticks: int) -> str:
    return "never" if ticks == _NEVER else show_time(ticks)


def _same_everywhere(off: Ticks) -> str:
    """Say so if all rows differ by the same, which is one delay and not many."""
    low, high = int(off.min()), int(off.max())
    if low == high:
        return f"all rows differ by the same {show_time(low)}"
    if high - low <= 2:
        return f"all rows differ by about {show_time((low + high) // 2)}"
    return ""


def _where(ours: CapturedTimes, theirs: CapturedTimes) -> str:
    """Say which row is missing, by the times of triggers."""
    field = next((f for f in reversed(TIMES[:3]) if f in ours.times and f in theirs.times), None)
    if field is None:
        return ""
    a, b = ours.times[field], theirs.times[field]
    count = min(len(a), len(b))
    steps = np.diff(a)
    if not count or not len(steps):
        return ""
    apart = np.flatnonzero(np.abs(b[:count] - a[:count]) > max(int(steps.min()) // 2, 1))
    row = int(apart[0]) if len(apart) else count
    return f"by {field} they part at row {row}"
