"""The file of `--cache`: what the PandA was when it was seen last.

It is a convenience. If anything is wrong with it, one line says so, and the PandA is asked instead.
"""

import logging
from pathlib import Path

from panda_ioc.device import cache
from panda_ioc.device.model import Device
from panda_ioc.errors import ConfigurationError, describe
from panda_ioc.files import write_atomically

log = logging.getLogger(__name__)

ASIDE = ".damaged"
"""What the name of a cache of no use gets at its end."""


class KeptDevice:
    """The cache of one device; without a path it saves nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def read(self) -> Device | None:
        """Return the device, or None if there is no usable cache."""
        if self._path is None:
            return None
        try:
            return cache.load(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (ConfigurationError, OSError, UnicodeDecodeError) as error:
            self.set_aside(error)
            return None

    def write(self, device: Device) -> None:
        """Save a device; log if that fails."""
        if self._path is None:
            return
        try:
            write_atomically(self._path, cache.dump(device))
        except OSError as error:
            log.error("%s: cache not written: %s", self._path, error)

    def set_aside(self, error: Exception) -> None:
        """Rename the cache, because no records can be made from it."""
        if self._path is None:
            return
        why = str(error) if isinstance(error, ConfigurationError) else describe(error)
        aside = self._path.with_name(f"{self._path.name}{ASIDE}")
        try:
            self._path.replace(aside)
        except OSError as failure:
            log.warning("ignoring cache %s: %s (%s)", self._path, why, failure)
        else:
            log.warning("ignoring cache %s, renamed to %s: %s", self._path, aside.name, why)
