"""Where the next file will be: `DATA:HDF_FULL_FILE_PATH`, and whether its directory is there."""

import asyncio
import logging
import os
from collections.abc import Mapping
from pathlib import Path

from panda_ioc.capture.settings import is_directory
from panda_ioc.errors import CaptureError
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.news import Board
from panda_ioc.ioc.parts.base import Part
from panda_ioc.ioc.parts.files.settings import FileSettings
from panda_ioc.ioc.parts.panel import Panel
from panda_ioc.records import own

log = logging.getLogger(__name__)

PERIOD = 2.0  # seconds between looks at the directory


class FilePath(Part):
    """Checks the directory, and makes it as far as that is allowed."""

    def __init__(self, settings: FileSettings) -> None:
        self._settings = settings
        self._panel = Panel()

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        self._panel.attach(records)

    async def run(self) -> None:
        """Check the directory periodically, forever."""
        while True:
            await self._look()
            await asyncio.sleep(PERIOD)

    async def directory_changed(self) -> None:
        """Apply a new directory."""
        settings = self._settings.of_next_file
        if settings.directory != Path():
            try:
                await asyncio.to_thread(settings.make_directory)
            except CaptureError as error:
                log.info("%s", error)
        await self._look()

    async def name_changed(self) -> None:
        """Apply a new file name."""
        self._panel.show(own.DATA_HDF_FULL_FILE_PATH, self._settings.path)

    async def _look(self) -> None:
        found = await asyncio.to_thread(_is_usable, self._settings.of_next_file.directory)
        self._panel.show(own.DATA_DIRECTORY_EXISTS, int(found))
        await self.name_changed()


def _is_usable(directory: Path) -> bool:
    return (
        directory != Path() and is_directory(directory) and os.access(directory, os.W_OK | os.X_OK)
    )
