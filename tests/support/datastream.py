"""Byte streams of a data port, made by hand or recorded, and ways to split them."""

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from panda_ioc.protocol._data import DataConnection
from panda_ioc.protocol.responses import Data, FrameData

SHARED = Path(__file__).parents[3] / "shared"
RECORDED = sorted(SHARED.glob("recordings/*/data/*.bin"))
FRAMED = [
    "disarmed_raw",
    "full_xml_framed_raw",
    "full_xml_framed_scaled",
    "late_connect_raw",
    "mean_without_duration_raw",
    "no_samples_raw",
    "one_shot_raw",
    "small_three_arms_raw",
    "small_three_arms_scaled",
    "stddev_raw",
    "stddev_scaled",
]

needs_recordings = pytest.mark.skipif(not RECORDED, reason=f"no recordings beside us in {SHARED}")

NUMPY_TYPES = {
    "int32": "<i4",
    "uint32": "<u4",
    "int64": "<i8",
    "uint64": "<u8",
    "double": "<f8",
}
Column = tuple[str, str, str]  # field, wire type, capture


def recording(name: str) -> bytes:
    return next(path for path in RECORDED if path.stem == name).read_bytes()


def setup_of(name: str) -> dict[str, Any]:
    path = next(path for path in RECORDED if path.stem == name).with_suffix(".json")
    return dict(json.loads(path.read_text()))


def ascii_table(name: str) -> list[list[str]]:
    """Words of the lines of samples in an ASCII recording."""
    lines = recording(name).decode().splitlines()
    return [line.split() for line in lines if line.startswith(" ") and ":" not in line]


def header(
    columns: Sequence[Column],
    sample_bytes: int,
    process: str = "Raw",
    scaling: str = 'scale="1" offset="0" units=""',
    data: str = "",
) -> bytes:
    fields = "".join(
        f'<field name="{name}" type="{kind}" capture="{capture}"'
        f" {'' if kind == 'uint32' else scaling} />\n"
        for name, kind, capture in columns
    )
    return (
        f'<header>\n<data arm_time="2026-11-22T08:13:27.1Z" missed="0" process="{process}" '
        f'format="Framed" sample_bytes="{sample_bytes}" {data}/>\n'
        f"<fields>\n{fields}</fields>\n</header>\n\n"
    ).encode()


def frame(payload: bytes) -> bytes:
    return b"BIN " + struct.pack("<I", len(payload) + 8) + payload


def end(samples: int, reason: str = "Ok") -> bytes:
    return f"END {samples} {reason}\n".encode()


def layout(columns: Sequence[Column]) -> np.dtype[Any]:
    return np.dtype([(f"{name}.{capture}", NUMPY_TYPES[kind]) for name, kind, capture in columns])


def random_rows(columns: Sequence[Column], count: int, seed: int = 0) -> np.ndarray[Any, Any]:
    dtype = layout(columns)
    rows = np.frombuffer(Random(seed).randbytes(count * dtype.itemsize), dtype).copy()
    for name, kind, capture in columns:
        if kind == "double":
            rows[f"{name}.{capture}"] = np.arange(count) / 3
    return rows


def acquisition(
    columns: Sequence[Column],
    rows: np.ndarray[Any, Any],
    sizes: Iterable[int],
    reason: str = "Ok",
    **options: str,
) -> bytes:
    """Header, `rows` in frames of these numbers of samples (the rest in one more), END."""
    parts, first = [header(columns, rows.dtype.itemsize, **options)], 0
    for size in sizes:
        parts.append(frame(rows[first : first + size].tobytes()))
        first += size
    if first < len(rows):
        parts.append(frame(rows[first:].tobytes()))
    return b"".join([*parts, end(len(rows), reason)])


def random_sizes(seed: int, largest: int, total: int) -> list[int]:
    random = Random(seed)
    return [random.randint(1, largest) for _ in range(2 * total // largest + 1)]


def decode(
    parts: Iterable[bytes], every: bool = True, direct: bool = False, **limits: int
) -> tuple[list[Data], Exception | None]:
    """All events, and the error that ended them."""
    connection = DataConnection(**limits)
    connection.connect(scaled=False)
    events: list[Data] = []
    feed = _receive_into if direct else _receive
    try:
        for part in parts:
            for event in feed(connection, part, every):
                events.append(event)
        events.extend(connection.receive_eof())
    except Exception as error:
        return events, error
    return events, None


def _receive(connection: DataConnection, part: bytes, every: bool) -> Iterator[Data]:
    return connection.receive_bytes(part, flush_every_frame=every)


def _receive_into(connection: DataConnection, part: bytes, every: bool) -> Iterator[Data]:
    while part:
        buffer = connection.get_buffer()
        count = min(len(buffer), len(part))
        buffer[:count] = part[:count]
        part = part[count:]
        yield from connection.bytes_received(count, flush_every_frame=every)


def rows_of(events: Iterable[Data]) -> np.ndarray[Any, Any]:
    return np.concatenate([event.data for event in events if isinstance(event, FrameData)])


def merged(events: Iterable[Data]) -> list[Any]:
    """The events with neighbouring frames joined: what no split of the bytes may change."""
    out: list[Any] = []
    for is_frame, group in groupby(events, lambda event: isinstance(event, FrameData)):
        members = list(group)
        out += [FrameData(rows_of(members))] if is_frame else members
    return out


def same(one: Iterable[Data], other: Iterable[Data]) -> bool:
    """Whether the events are the same but for how frames were joined; NaN is equal to NaN."""

    def comparable(event: Any) -> Any:
        if isinstance(event, FrameData):
            return event.data.dtype, event.data.tobytes()
        return event

    return [comparable(e) for e in merged(one)] == [comparable(e) for e in merged(other)]
