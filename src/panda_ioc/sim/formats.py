"""How the data port writes headers and samples.

Options are words of one line. Without any: a plain header, scaled, ASCII. Formats were read off
recorded streams of a server 4.1, its habits included: `(null)` for units that were never set, a
NUL before the end of each BASE64 line.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from panda_ioc.errors import CommandError
from panda_ioc.sim.acquisition import Acquisition
from panda_ioc.sim.captured import CapturedColumn
from panda_ioc.sim.hardware import Words
from panda_ioc.sim.numbers import format_double
from panda_ioc.sim.scaled import integers, scaled, scaled_type
from panda_ioc.sim.scan import NAME_LENGTH, Cursor
from panda_ioc.sim.signals import is_periodic

Bytes = bytes | memoryview
MAX_FRAME = 1 << 21
FRAME_HEAD = 8
_BASE64_BYTES = 57
# Text is made in Python, which other threads wait for: a little at a time.
_TEXT_SAMPLES = {"ASCII": 64, "Base64": 1024}


@dataclass(frozen=True)
class DataOptions:
    """What a data client asked for."""

    scaled: bool = True
    format: str = "ASCII"
    xml: bool = False
    header: bool = True
    status: bool = True
    one_shot: bool = False

    @property
    def process(self) -> str:
        """What the header calls it."""
        return "Scaled" if self.scaled else "Raw"


_OPTIONS: dict[str, dict[str, object]] = {
    "RAW": {"scaled": False},
    "SCALED": {"scaled": True},
    "ASCII": {"format": "ASCII"},
    "BASE64": {"format": "Base64"},
    "FRAMED": {"format": "Framed"},
    "UNFRAMED": {"format": "Unframed"},
    "XML": {"xml": True},
    "NO_HEADER": {"header": False},
    "NO_STATUS": {"status": False},
    "ONE_SHOT": {"one_shot": True},
    "DEFAULT": vars(DataOptions()),
    "BARE": {
        "xml": False,
        "format": "Unframed",
        "scaled": False,
        "header": False,
        "status": False,
        "one_shot": True,
    },
}


def parse_options(line: str) -> DataOptions:
    """Return what a line of options asks for; CommandError for a word that is none."""
    options, cursor = DataOptions(), Cursor(line)
    while cursor.rest:
        cursor.blanks()
        if cursor.peek() == "\r":
            raise CommandError("Cannot process CR character")
        word = cursor.alphanumeric()
        if word not in _OPTIONS:
            raise CommandError("Invalid data capture option")
        options = replace(options, **_OPTIONS[word])  # type: ignore[arg-type]
    return options


class DataEncoder:
    """One acquisition as one client wants to see it."""

    def __init__(self, acquisition: Acquisition, options: DataOptions) -> None:
        self._acquisition = acquisition
        self._options = options
        self._hardware = acquisition.setup.columns
        scaled = options.scaled
        self.columns = [column for column in self._hardware if column.asked or not scaled]
        self._dtype = np.dtype(
            [
                (f"{place}", scaled_type(column) if scaled else ("<u4", column.words))
                for place, column in enumerate(self.columns)
            ]
        )
        self.sample_bytes = self._dtype.itemsize
        self._block: npt.NDArray[np.void] | None = None
        self._period = acquisition.samples.period

    def most_samples(self) -> int:
        """Return the largest number of samples for one call of `samples`."""
        most = (MAX_FRAME - FRAME_HEAD) // self.sample_bytes
        most = min(most, _TEXT_SAMPLES.get(self._options.format, most))
        asked = self._acquisition.settings.frame
        if asked:
            most = asked
        return max(1, min(most, self._period) if self._period else most)

    # Headers

    def header(self, missed: int) -> bytes:
        """Return the header, of which `missed` samples were taken before the client came."""
        if not self._options.header:
            return b""
        attributes = self._attributes(missed)
        text = self._xml(attributes) if self._options.xml else self._plain(attributes)
        return text.encode(errors="surrogateescape")

    def _attributes(self, missed: int) -> dict[str, str]:
        setup = self._acquisition.setup
        attributes = {
            "arm_time": _utc(self._acquisition.arm_time_ns),
            "start_time": _utc(self._acquisition.start_time_ns),
        }
        if setup.hw_time_offset_ns is not None:
            attributes["hw_time_offset_ns"] = str(setup.hw_time_offset_ns)
        attributes["missed"] = str(missed)
        attributes["process"] = self._options.process
        attributes["format"] = self._options.format
        if self._options.format != "ASCII":
            attributes["sample_bytes"] = str(self.sample_bytes)
        return attributes

    def _xml(self, attributes: dict[str, str]) -> str:
        fields = [f"<field {_xml_attributes(self._field(column))} />" for column in self.columns]
        return "\n".join(
            [
                "<header>",
                f"<data {_xml_attributes(attributes)} />",
                "<fields>",
                *fields,
                "</fields>",
                "</header>",
                "\n",
            ]
        )

    def _plain(self, attributes: dict[str, str]) -> str:
        fields = [" " + self._plain_field(column) for column in self.columns]
        lines = [f"{name}: {value}" for name, value in attributes.items()]
        return "\n".join([*lines, "fields:", *fields, "\n"])

    def _plain_field(self, column: CapturedColumn) -> str:
        field = self._field(column)
        first = [field.pop(name) for name in ("name", "type", "capture")]
        return " ".join([*first, *(f"{name}: {value}" for name, value in field.items())])

    def _field(self, column: CapturedColumn) -> dict[str, str]:
        plain = column.type == "uint32"
        type_ = "double" if self._options.scaled and not plain else column.type
        field = {"name": column.name, "type": type_, "capture": column.kind}
        if not plain:
            field["scale"] = f"{column.scale:.12g}"
            field["offset"] = f"{column.offset:.12g}"
            field["units"] = "(null)" if column.units is None else _cut(column.units)
        return field

    # Samples

    def samples(self, start: int, stop: int) -> list[Bytes]:
        """Return samples start..stop-1 as they go to the client."""
        return _WRITERS[self._options.format](self, self._rows(start, stop))

    def tainted(self, start: int, stop: int) -> list[Bytes]:
        """Return the frame before an overrun is seen: half of it is later samples."""
        rows = self._rows(start, stop).copy()
        window = self._acquisition.window
        half = len(rows) // 2
        rows[half:] = self._rows(start + half + window, stop + window)
        return _WRITERS[self._options.format](self, rows)

    def _rows(self, start: int, stop: int) -> npt.NDArray[np.void]:
        if not self._period:
            return self._make_rows(start, stop)
        if self._block is None:
            self._block = np.tile(self._make_rows(0, self._period), 2)
        phase = start % self._period
        rows = self._block[phase : phase + stop - start]
        self._refresh_timestamps(rows, start, stop)
        return rows

    def _refresh_timestamps(self, rows: npt.NDArray[np.void], start: int, stop: int) -> None:
        changing = [
            (place, column) for place, column in enumerate(self.columns) if not is_periodic(column)
        ]
        if not changing:
            return
        words = self._acquisition.samples.words([column for _, column in changing], start, stop)
        for number, (place, column) in enumerate(changing):
            own = words[:, 2 * number : 2 * number + 2]
            rows[f"{place}"] = integers(own) * column.scale if self._options.scaled else own

    def _make_rows(self, start: int, stop: int) -> npt.NDArray[np.void]:
        words = self._acquisition.samples.words(self._hardware, start, stop)
        if not self._options.scaled:
            return np.ascontiguousarray(words).view(self._dtype).reshape(-1)
        rows = np.empty(stop - start, self._dtype)
        by_column = dict(self._split(words))
        duration = next((w for c, w in by_column.items() if c.name.endswith("GATE_DURATION")), None)
        for place, column in enumerate(self.columns):
            rows[f"{place}"] = scaled(column, by_column, duration)
        return rows

    def _split(self, words: Words) -> Iterator[tuple[CapturedColumn, Words]]:
        place = 0
        for column in self._hardware:
            yield column, words[:, place : place + column.words]
            place += column.words

    def _framed(self, rows: npt.NDArray[np.void]) -> list[Bytes]:
        size = FRAME_HEAD + rows.nbytes
        return [b"BIN " + size.to_bytes(4, "little"), rows.view(np.uint8).data]

    def _unframed(self, rows: npt.NDArray[np.void]) -> list[Bytes]:
        return [rows.view(np.uint8).data]

    def _base64(self, rows: npt.NDArray[np.void]) -> list[Bytes]:
        data = rows.tobytes()
        lines = (data[i : i + _BASE64_BYTES] for i in range(0, len(data), _BASE64_BYTES))
        return [b"".join(b" %s\0\n" % base64.b64encode(line) for line in lines)]

    def _ascii(self, rows: npt.NDArray[np.void]) -> list[Bytes]:
        if not self._options.scaled:
            words = rows.view("<u4").reshape(len(rows), -1).tolist()
            return ["".join(_hexadecimal(row) for row in words).encode()]
        return ["".join(_decimal(row) for row in rows.tolist()).encode()]


_WRITERS = {
    "Framed": DataEncoder._framed,
    "Unframed": DataEncoder._unframed,
    "Base64": DataEncoder._base64,
    "ASCII": DataEncoder._ascii,
}


def _utc(nanoseconds: int) -> str:
    seconds, fraction = divmod(nanoseconds, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"


def _xml_attributes(attributes: dict[str, str]) -> str:
    return " ".join(f"{name}={_quoted(value)}" for name, value in attributes.items())


def _quoted(value: str) -> str:
    return '"' + escape(value, {'"': "&quot;", "'": "&apos;"}) + '"'


def _cut(units: str) -> str:
    """Return as much of a text of units as the server has room for."""
    room = units.encode(errors="surrogateescape")[:NAME_LENGTH]
    return room.decode(errors="surrogateescape")


def _hexadecimal(words: list[int]) -> str:
    return "".join(f" 0x{word:08x}" for word in words) + "\n"


def _decimal(values: tuple[float, ...]) -> str:
    texts = (format_double(value) if isinstance(value, float) else str(value) for value in values)
    return "".join(f" {text}" for text in texts) + "\n"
