"""One HDF5 file, readable by others while it is written (SWMR).

Layout: one dataset for each column in the root group (see `datasets`); ``/entry`` (NXentry) and
``/entry/data`` (NXdata) link to the same datasets, so that viewers know how to plot them. File
attributes tell of the acquisition: arm_time, start_time, hw_time_offset_ns and missed from its
header; end_reason, acquisitions and samples, which are empty, 1 and 0 until the file is closed.

Chunks are written past the chunk cache of HDF5, so samples are touched once to be scaled and once
to be written. What does not fill a chunk is kept, raw; its chunk is written at each `flush` and
again when it is full. Room on the disk is reserved before anything is written (see `_space`), for
HDF5 must never meet a full disk.
"""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import h5py
import numpy as np
from numpy.typing import NDArray

from panda_ioc.capture._file_errors import file_errors
from panda_ioc.capture._space import Space
from panda_ioc.capture.datasets import ENTRY, Dataset
from panda_ioc.capture.scaling import Rows
from panda_ioc.errors import CaptureError
from panda_ioc.files import is_special
from panda_ioc.protocol.responses import StartData
from panda_ioc.threads import ThreadOwner

CHUNK_SAMPLES = 16384
"""Samples in a chunk, if so many are expected: 128 KiB of float64."""
_LEAST_CHUNK = 1024
_MARGIN, _MARGIN_EACH = 1 << 20, 1 << 14
"""Bytes kept free to close a file in: of its own, and for each dataset."""
_TEXT = "S64"
_TIME_AXES = ("PCAP.TS_TRIG", "PCAP.TS_START", "PCAP.TS_END")


def chunk_samples(expected: int) -> int:
    """Return the samples per chunk of a file that will hold `expected` samples (0: unknown)."""
    return min(CHUNK_SAMPLES, max(_LEAST_CHUNK, expected)) if expected else CHUNK_SAMPLES


class HDF5Writer:
    """Writes samples of one layout to a new file. Not thread-safe: one thread owns it.

    Args:
        path: of the file
        attributes: further attributes of the file: versions, prefix ...
        replace: a file of that name may exist, and is removed

    Raises:
        CaptureError: the file exists, or cannot be made; the message names it
    """

    _lost: ClassVar[list[object]] = []

    def __init__(
        self, path: Path, attributes: Mapping[str, str] | None = None, *, replace: bool = False
    ) -> None:
        self.path = path
        self.flushed = 0
        self._owner = ThreadOwner(f"the writer of {path}")
        self._datasets: tuple[Dataset, ...] = ()
        self._stored: list[h5py.Dataset] = []
        self._chunk = CHUNK_SAMPLES
        self._whole = 0  # samples in whole chunks
        self._staged = 0  # samples in _stage, of them ...
        self._partly = 0  # ... in the file already
        self._stage: Rows = np.empty(0)
        self._stage_bytes = memoryview(bytearray())
        with file_errors(path):
            if replace and not is_special(path):
                path.unlink(missing_ok=True)
            self._make({"creator": "panda-ioc", **(attributes or {})})

    def _make(self, attributes: Mapping[str, str]) -> None:
        """Make the file; remove it if that fails."""
        with contextlib.ExitStack() as undo:
            self.path.touch(exist_ok=False)
            undo.callback(self.path.unlink)
            self._space = Space(self.path)
            undo.callback(self._space.close)
            self._space.reserve(_MARGIN)
            self._file = h5py.File(self.path, "w", libver=("v110", "latest"))
            undo.callback(self._file.close)
            self._space.forget()
            self._space.reserve(_MARGIN)
            for key, value in attributes.items():
                self._file.attrs[key] = value
            undo.pop_all()

    @property
    def samples(self) -> int:
        """Samples taken, flushed or not."""
        return self._whole + self._staged

    @property
    def file(self) -> h5py.File:
        """The open file."""
        return self._file

    @property
    def stored(self) -> Sequence[h5py.Dataset]:
        """Its datasets."""
        return self._stored

    @property
    def chunk(self) -> int:
        """Samples in a chunk."""
        return self._chunk

    def begin(
        self,
        start: StartData,
        datasets: Sequence[Dataset],
        expected: int = 0,
        *,
        links: bool = True,
    ) -> None:
        """Make the datasets and allow readers.

        Args:
            start: header of the (first) acquisition
            datasets: of `datasets_of`
            expected: samples, to choose a chunk; 0 if nobody knows
            links: make the NeXus groups
        """
        self._owner.check()
        self._chunk = chunk_samples(expected)
        self._datasets = tuple(datasets)
        layout = np.dtype([(f"{field.name}.{field.capture}", field.type) for field in start.fields])
        self._stage = np.empty(self._chunk, layout)
        self._stage_bytes = self._stage.view(np.uint8).data
        sizes = [self._chunk * dataset.dtype.itemsize for dataset in datasets]
        self._partial = np.zeros(max(sizes, default=0), np.uint8)
        self._room = sum(sizes) + _MARGIN + _MARGIN_EACH * len(sizes)
        with file_errors(self.path):
            self._space.reserve(self._room)
            self._write_header(start)
            self._stored = [self._create(dataset) for dataset in datasets]
            if links:
                self._link(datasets)
            self._file.swmr_mode = True
            self._file.flush()

    def _write_header(self, start: StartData) -> None:
        attributes = self._file.attrs
        attributes["arm_time"] = start.arm_time or ""
        attributes["start_time"] = start.start_time or ""
        if start.hw_time_offset_ns is not None:
            attributes["hw_time_offset_ns"] = start.hw_time_offset_ns
        attributes["missed"] = start.missed
        # Readers that come while we write see these; the values at the end have the same size.
        attributes.create("end_reason", np.bytes_(""), dtype=_TEXT)
        attributes.create("acquisitions", 1)
        attributes.create("samples", 0)

    def _create(self, dataset: Dataset) -> h5py.Dataset:
        stored = self._file.create_dataset(
            dataset.name, (0,), dataset.dtype, maxshape=(None,), chunks=(self._chunk,)
        )
        stored.attrs.update(dataset.attributes)
        return stored

    def _link(self, datasets: Sequence[Dataset]) -> None:
        entry = self._file.create_group(ENTRY)
        entry.attrs["NX_class"] = "NXentry"
        data = entry.create_group("data")
        data.attrs["NX_class"] = "NXdata"
        for dataset in datasets:
            data[dataset.name] = self._file[dataset.name]
        axis = next((one.name for one in datasets if one.panda_field in _TIME_AXES), None)
        signals = [one.name for one in datasets if one.panda_field not in _TIME_AXES]
        if axis is not None:
            data.attrs["axes"] = [axis]
            data.attrs[f"{axis}_indices"] = 0
        if signals:
            data.attrs["signal"] = signals[0]
            data.attrs["auxiliary_signals"] = signals[1:]
        self._file.attrs["default"], entry.attrs["default"] = ENTRY, "data"

    def write(self, rows: Rows) -> None:
        """Take samples; write whole chunks at once, the rest at `flush`."""
        self._owner.check()
        with file_errors(self.path):
            while len(rows):
                if self._staged == 0 and len(rows) >= self._chunk:
                    self._write_chunk(rows[: self._chunk])
                    rows = rows[self._chunk :]
                    continue
                count = min(self._chunk - self._staged, len(rows))
                self._keep(rows[:count])
                rows = rows[count:]
                if self._staged == self._chunk:
                    self._write_chunk(self._stage)

    def _keep(self, rows: Rows) -> None:
        # As bytes: assignment of structured arrays goes field by field.
        first, end = (n * rows.itemsize for n in (self._staged, self._staged + len(rows)))
        self._stage_bytes[first:end] = rows.view(np.uint8).data
        self._staged += len(rows)

    def _write_chunk(self, rows: Rows) -> None:
        self._space.reserve(self._room)
        end = self._whole + self._chunk
        for dataset, stored in zip(self._datasets, self._stored, strict=True):
            self._write_values(stored, end, dataset.values(rows).view(np.uint8))
        self._whole = end
        self._staged = self._partly = 0

    def _write_part(self) -> None:
        """Write the chunk that is not full yet."""
        self._space.reserve(self._room)
        rows = self._stage[: self._staged]
        for dataset, stored in zip(self._datasets, self._stored, strict=True):
            values = dataset.values(rows).view(np.uint8)
            part = self._partial[: self._chunk * dataset.dtype.itemsize]
            part[: len(values)], part[len(values) :] = values, 0
            self._write_values(stored, self.samples, part)
        self._partly = self._staged

    def _write_values(self, stored: h5py.Dataset, end: int, values: NDArray[np.uint8]) -> None:
        stored.resize((end,))
        stored.id.write_direct_chunk((self._whole,), values.data)

    def flush(self) -> int:
        """Write what is kept and let readers see it.

        The operating system has it then. It need not be on the disk yet.

        Returns:
            the samples that readers now see in every dataset
        """
        with file_errors(self.path):
            if self._staged > self._partly:
                self._write_part()
            for stored in self._stored:
                stored.flush()
            self._space.forget()
        self.flushed = self.samples
        return self.flushed

    def remove_last(self, count: int) -> None:
        """Take samples back that turned out not to be trusted, from the file too if need be."""
        kept = max(0, self.samples - count)
        if kept >= self._whole:
            self._staged = kept - self._whole
            if self._staged >= self._partly:
                return
            self._partly = self._staged
        else:
            # Chunks are not read back: nothing may follow, and only `flush` and `close` do.
            self._whole, self._staged, self._partly = kept, 0, 0
        with file_errors(self.path):
            for stored in self._stored:
                stored.resize((kept,))

    def close(self, reason: str, acquisitions: int = 1) -> int:
        """Flush, record how the capture ended, and close; return the samples in the file.

        A file without datasets, in which nothing has been begun, is removed.

        Raises:
            CaptureError: not all of it could be written; what was flushed before can be read. Or it
                could not be removed
        """
        try:
            if self._datasets:
                self._finish(reason, acquisitions)
        finally:
            self._close_file()
        if not self._datasets:
            with file_errors(self.path):
                self.path.unlink(missing_ok=True)
        return self.flushed

    def _finish(self, reason: str, acquisitions: int) -> None:
        try:
            self.flush()
        finally:
            self._note("end_reason", np.bytes_(reason.encode()[:64]))
            self._note("acquisitions", acquisitions)
            self._note("samples", self.flushed)

    def _note(self, key: str, value: Any) -> None:
        with file_errors(self.path):
            self._file.attrs.modify(key, value)

    def _close_file(self) -> None:
        try:
            with file_errors(self.path):
                self._file.close()
                self._space.close()
        except CaptureError:
            # What could not be written stays with HDF5, which fails badly when it is let go.
            self._lost.append((self._file, self._stored))
            raise
