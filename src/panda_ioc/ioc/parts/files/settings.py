"""The settings of the next file: puts to `DATA:*` and `FIELD:DATASET`; where that file will be."""

import asyncio
import logging
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from panda_ioc.capture.datasets import BitNames, check_name
from panda_ioc.capture.settings import (
    CaptureSettings,
    Mode,
    check_directory,
    check_filename,
    is_directory,
)
from panda_ioc.errors import BadValue, CaptureError
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.news import Board
from panda_ioc.ioc.parts.base import Part
from panda_ioc.ioc.parts.panel import Panel
from panda_ioc.ioc.parts.settings import Apply
from panda_ioc.records import own
from panda_ioc.records.bridge import CAPTURE_MODES

log = logging.getLogger(__name__)

_MODES = tuple(Mode(label) for label in CAPTURE_MODES)
MOST_LEVELS = 1000
"""Of a path that may be made."""
LONGEST_NAME = 39 - len("-stddev")
"""Bytes of a dataset name: what is added to it has to fit in a string of EPICS as well."""
PERIOD = 2.0
"""Seconds between looks at the directory."""


class FileSettings(Part):
    """Holds the settings of the next file, put one by one, and shows where it will be.

    Args:
        fields: `FIELD:DATASET` record -> PandA field
        bits: names of the bits that can be unpacked, by field
        roots: directories that files may be in, () for all
        attributes: of each file

    Attributes:
        names: of datasets, by PandA field
        open_file: while there is one most settings cannot change
    """

    def __init__(
        self,
        fields: Mapping[str, str],
        bits: BitNames,
        roots: Sequence[Path],
        attributes: Mapping[str, str],
    ) -> None:
        self.names: dict[str, str] = {}
        self.open_file: Path | None = None
        self._panel = Panel()
        self._fields = fields
        self._bits = bits
        self._unpack = False
        self._settings = CaptureSettings(Path(), "", data_roots=tuple(roots), attributes=attributes)

    def applies(self) -> Mapping[str, Apply]:
        """What a put to each setting does, by record."""
        applies: dict[str, Apply] = {
            own.DATA_HDF_DIRECTORY: self._set_directory,
            own.DATA_HDF_FILE_NAME: self._set_filename,
            own.DATA_CREATE_DIRECTORY: self._set_levels,
            own.DATA_NUM_CAPTURE: self._set_num,
            own.DATA_CAPTURE_MODE: self._set_mode,
            own.DATA_FLUSH_PERIOD: self._set_flush_period,
            own.DATA_UNPACK_BITS: self._set_unpack,
        }
        named = {name: partial(self._set_name, field) for name, field in self._fields.items()}
        return applies | named

    @property
    def of_next_file(self) -> CaptureSettings:
        """The settings of the next file."""
        return replace(self._settings, dataset_names=dict(self.names), bits=self.bits)

    @property
    def bits(self) -> BitNames:
        """The fields whose bits are unpacked."""
        return self._bits if self._unpack else {}

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        self._panel.attach(records)

    # -- where the file will be -----------------------------------------------------------------

    async def run(self) -> None:
        """Look whether the directory can be used, periodically, forever."""
        while True:
            await self._look()
            await asyncio.sleep(PERIOD)

    async def directory_changed(self) -> None:
        """Make the directory as far as that is allowed, and show what is there."""
        settings = self.of_next_file
        if settings.directory != Path():
            try:
                await asyncio.to_thread(settings.make_directory)
            except CaptureError as error:
                log.info("%s", error)
        await self._look()

    async def name_changed(self) -> None:
        """Show the path of the next file, or "" while it is incomplete."""
        is_known = self._settings.filename and self._settings.directory != Path()
        path = str(self._settings.path) if is_known else ""
        self._panel.show(own.DATA_HDF_FULL_FILE_PATH, path)

    async def _look(self) -> None:
        found = await asyncio.to_thread(_is_usable, self._settings.directory)
        self._panel.show(own.DATA_DIRECTORY_EXISTS, int(found))
        await self.name_changed()

    # -- puts -----------------------------------------------------------------------------------

    def _refuse_change(self, what: str) -> None:
        if self.open_file is not None:
            raise CaptureError(f"{what} cannot change while {self.open_file} is open")

    def _set(self, name: str, value: Any) -> Any:
        if value != getattr(self._settings, name):
            self._refuse_change(name)
            self._settings = replace(self._settings, **{name: value})
        return value

    def _set_directory(self, text: str) -> str:
        directory = Path(text)
        if text:
            check_directory(directory, self._settings.data_roots)
        self._set("directory", directory)
        return text

    def _set_filename(self, text: str) -> str:
        if text:
            check_filename(text)
        self._set("filename", text)
        return text

    def _set_levels(self, value: int) -> int:
        if abs(value) > MOST_LEVELS:  # as of NaN, of which EPICS makes the lowest number
            raise BadValue(f"{value} levels of directories: give -{MOST_LEVELS} to {MOST_LEVELS}")
        return int(self._set("create_directory", value))

    def _set_num(self, value: int) -> int:
        if value < 0:
            raise BadValue(f"{value} samples: give 0 (all) or more")
        self._set("num", value)
        return value

    def _set_mode(self, value: int) -> int:
        if not 0 <= value < len(_MODES):
            raise BadValue(f"{value} is none of {', '.join(CAPTURE_MODES)}")
        self._set("mode", _MODES[value])
        return value

    def _set_flush_period(self, value: float) -> float:
        """Set the flush period, which may change at any time."""
        if not math.isfinite(value) or value < 0:
            raise BadValue(f"{value:g} s: give 0 (as soon as is sensible) or more")
        self._settings = replace(self._settings, flush_period=value)
        return value

    def _set_unpack(self, value: int) -> int:
        if value not in (0, 1):
            raise BadValue(f"{value} is neither No nor Yes")
        if bool(value) != self._unpack:
            self._refuse_change("unpacking of bits")
            self._unpack = bool(value)
        return value

    def _set_name(self, field: str, text: str) -> str:
        if text == self.names.get(field, ""):
            return text
        if text:
            self._check_name(field, text)
        self._refuse_change(f"dataset name of {field}")
        self.names = {**self.names, field: text}
        return text

    def _check_name(self, field: str, text: str) -> None:
        check_name(text, field)
        if len(text.encode()) > LONGEST_NAME:
            raise BadValue(f"dataset name {text!r}: at most {LONGEST_NAME} characters")
        owner = next((other for other, name in self.names.items() if name == text), None)
        if owner is not None:
            raise BadValue(f"dataset name {text!r} is taken by {owner}: give another")


def _is_usable(directory: Path) -> bool:
    return (
        directory != Path() and is_directory(directory) and os.access(directory, os.W_OK | os.X_OK)
    )
