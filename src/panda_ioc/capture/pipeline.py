"""Acquisitions through a chain of threads into HDF5 files, for scripts of `pandablocks`.

Each stage has a queue and a thread. It hands what it makes of an event to the next stage::

    events of the data port -> FrameProcessor -> columns -> HDFWriter -> number of samples written

The scaling and the files are those of the rest of this package; names, types and shapes of the
datasets are those that `pandablocks.hdf` writes.
"""

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from panda_ioc.capture.datasets import Dataset
from panda_ioc.capture.hdf5 import HDF5Writer
from panda_ioc.capture.scaling import Column, columns_of
from panda_ioc.errors import CaptureError
from panda_ioc.protocol._data_header import frame_layout
from panda_ioc.protocol.responses import EndData, EndReason, FrameData, StartData

log = logging.getLogger(__name__)

Columns = list[NDArray[Any]]
"""Values of each captured column, in the order of the header."""
Names = Mapping[str, Mapping[str, str]]
"""Names of datasets: field -> capture -> name."""

_STOP = object()


class Pipeline(threading.Thread):
    """One stage.

    Attributes:
        queue: takes what the stage is to work on
        downstream: the next stage
        what_to_do: type -> what makes of such an object the one to hand on (None: nothing); objects
            of other types are handed on as they are. Subclasses set it
        error: what `what_to_do` raised, which ended the stage
    """

    what_to_do: Mapping[type, Callable[[Any], Any]]
    downstream: "Pipeline | None" = None
    error: Exception | None = None

    def __init__(self) -> None:
        super().__init__()
        self.queue: queue.Queue[Any] = queue.Queue()

    def run(self) -> None:
        """Work until `stop`; called by the thread."""
        try:
            while (data := self.queue.get()) is not _STOP:
                self._handle(data)
        except Exception as error:  # raised again by `stop_pipeline`
            self.error = error
        finally:
            self.finish()

    def _handle(self, data: Any) -> None:
        handler = self.what_to_do.get(type(data))
        if handler is not None:
            data = handler(data)
        if self.downstream is not None and data is not None:
            self.downstream.queue.put_nowait(data)

    def finish(self) -> None:
        """Clean up; called once, by the thread, when it ends."""

    def stop(self) -> None:
        """End once the queue has been worked through."""
        self.queue.put(_STOP)


class FrameProcessor(Pipeline):
    """Turns frames into columns of physical values."""

    def __init__(self) -> None:
        super().__init__()
        self.processors: list[Callable[[NDArray[Any]], NDArray[Any]]] = []
        self.what_to_do = {StartData: self.create_processors, FrameData: self.scale_data}

    def create_processors(self, data: StartData) -> StartData:
        """Learn the columns of an acquisition."""
        self.processors = [column.values for column in columns_of(data)]
        return data

    def scale_data(self, data: FrameData) -> Columns:
        """The physical values of each column."""
        return [process(data.data) for process in self.processors]


class HDFWriter(Pipeline):
    """Writes one HDF5 file for each acquisition: a dataset for each column, in the root group.

    A file of the same name is replaced. Readers may follow a file while it is written (SWMR).

    Args:
        file_names: paths, one for each file
        capture_record_hdf_names: names of datasets; the others are called ``FIELD.CAPTURE``

    Attributes:
        file_path: of the open file; "" while there is none
    """

    def __init__(
        self, file_names: Iterator[str | PathLike[str]], capture_record_hdf_names: Names
    ) -> None:
        super().__init__()
        self.file_names = file_names
        self.file_path: str | PathLike[str] = ""
        self.capture_record_hdf_names = capture_record_hdf_names
        self._writer: HDF5Writer | None = None
        self._layout = np.dtype([])
        self.what_to_do = {
            StartData: self.open_file,
            list: self.write_frame,
            EndData: self.close_file,
        }

    @property
    def hdf_file(self) -> h5py.File | None:
        """The open file."""
        return None if self._writer is None else self._writer.file

    @property
    def datasets(self) -> list[h5py.Dataset]:
        """Its datasets."""
        return [] if self._writer is None else list(self._writer.stored)

    def open_file(self, data: StartData) -> None:
        """Begin the next file.

        Raises:
            CaptureError: there is no name left, or the file cannot be made
        """
        path = next(self.file_names, None)
        if path is None:
            raise CaptureError("no file name is left for another acquisition: give one for each")
        start = _physical(data)
        datasets = [self._dataset(column) for column in columns_of(start)]
        self._layout = frame_layout(start)
        writer = HDF5Writer(Path(path), replace=True)
        writer.begin(start, datasets, links=False)
        self.file_path, self._writer = path, writer
        log.info("opened %s with %d datasets", path, len(datasets))

    def _dataset(self, column: Column) -> Dataset:
        field = column.field
        names = self.capture_record_hdf_names.get(field.name, {})
        name = names.get(field.capture, column.name)
        about: dict[str, str | float] = {"panda_field": field.name, "capture": field.capture}
        return Dataset(name, field.type, column.values, about)

    def write_frame(self, data: Columns) -> int:
        """Append columns; return how many samples the file then has.

        Raises:
            CaptureError: no file is open, or it cannot be written
        """
        writer = self._open()
        rows = np.empty(max(map(len, data), default=0), self._layout)
        for name, column in zip(self._layout.names or (), data, strict=True):
            rows[name] = column
        writer.write(rows)
        if self.queue.empty():  # else the next frame will flush
            writer.flush()
        return writer.samples

    def close_file(self, data: EndData) -> None:
        """End the file."""
        writer, self._writer = self._open(), None
        samples = writer.close(data.reason.value)
        log.info("closed %s after %d samples: %s", self.file_path, samples, data.reason.value)
        self.file_path = ""

    def finish(self) -> None:
        """Close the file of an acquisition that has not ended."""
        if self._writer is not None:
            self.close_file(EndData(self._writer.samples, EndReason.MANUALLY_STOPPED))

    def _open(self) -> HDF5Writer:
        if self._writer is None:
            raise CaptureError("no file is open: samples came without a header")
        return self._writer


def _physical(start: StartData) -> StartData:
    """The header of the same acquisition after scaling: its types are those of the datasets."""
    if start.process != "Raw":
        return replace(start, process="Scaled")
    fields = [replace(field, type=field.raw_mode_dataset_dtype) for field in start.fields]
    return replace(start, fields=fields, process="Scaled")


def create_pipeline(*elements: Pipeline) -> list[Pipeline]:
    """Join stages to a pipeline, start them, and return them."""
    for element, following in pairwise(elements):
        element.downstream = following
    for element in elements:
        element.start()
    return list(elements)


def create_default_pipeline(
    file_names: Iterator[str | PathLike[str]],
    capture_record_hdf_names: Names,
    *additional_downstream_pipelines: Pipeline,
) -> list[Pipeline]:
    """Start a pipeline that writes files.

    Args:
        file_names: as of `HDFWriter`
        capture_record_hdf_names: as of `HDFWriter`
        additional_downstream_pipelines: further stages, which get the numbers of samples written
    """
    return create_pipeline(
        FrameProcessor(),
        HDFWriter(file_names, capture_record_hdf_names),
        *additional_downstream_pipelines,
    )


def stop_pipeline(pipeline: Sequence[Pipeline]) -> None:
    """Let each stage finish its queue, then end it.

    Raises:
        CaptureError: a file could not be written; or what else a stage raised
    """
    for element in pipeline:
        element.stop()
        element.join()
    raise_errors(pipeline)


def raise_errors(pipeline: Sequence[Pipeline]) -> None:
    """Raise what has ended a stage, if anything has."""
    for element in pipeline:
        if element.error is not None:
            raise element.error
