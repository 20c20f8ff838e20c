"""What to capture, where to, and checks that this is possible."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from panda_ioc.capture.datasets import BitNames
from panda_ioc.errors import CaptureError, ConfigurationError
from panda_ioc.files import check_one_line, check_printable

MAX_LAST_N = 10_000_000
"""Most samples that `Mode.LAST_N` keeps in memory."""
_LONGEST_NAME = 255  # bytes; file systems allow no more


class Mode(Enum):
    """Which samples go to the file."""

    FIRST_N = "FIRST_N"
    """The first `num` of an acquisition; 0: all of it."""
    LAST_N = "LAST_N"
    """The last `num` of an acquisition, written at its end."""
    FOREVER = "FOREVER"
    """One acquisition after the other, until stopped."""


@dataclass(frozen=True)
class CaptureSettings:
    """What to capture, and where to.

    Attributes:
        directory, filename: of the file
        mode, num: see `Mode`
        flush_period: seconds between flushes; 0: as soon as is sensible
        create_directory: 0: the directory must exist; -n: up to n levels of it may be made; n: its
            first n levels must exist, the others may be made
        dataset_names: by PandA field
        bits: names of bits to be unpacked, by PandA field
        attributes: further attributes of the file: versions, prefix
        data_roots: if there are any, files outside of them are refused
    """

    directory: Path
    filename: str
    mode: Mode = Mode.FIRST_N
    num: int = 0
    flush_period: float = 1.0
    create_directory: int = 0
    dataset_names: Mapping[str, str] = field(default_factory=dict)
    bits: BitNames = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    data_roots: tuple[Path, ...] = ()

    @property
    def path(self) -> Path:
        """The file."""
        return self.directory / self.filename

    def check(self) -> None:
        """Raise `ConfigurationError` for settings that are wrong whatever is on the disk."""
        check_filename(self.filename)
        check_directory(self.directory, self.data_roots)
        if self.num < 0:
            raise ConfigurationError(f"{self.num} samples to capture: give 0 (all) or more")
        if self.mode is Mode.LAST_N and not 1 <= self.num <= MAX_LAST_N:
            raise ConfigurationError(
                f"the last {self.num} samples to capture: give 1 to {MAX_LAST_N}"
            )
        if not 0 <= self.flush_period < float("inf"):
            raise ConfigurationError(f"flush period of {self.flush_period} s: give 0 or more")

    def make_directory(self) -> None:
        """Make the directory as far as that is allowed; raise `CaptureError` if it does not exist
        then."""
        missing = 0
        for level in (self.directory, *self.directory.parents):
            if is_directory(level):
                break
            missing += 1
        if not missing:
            return
        allowed = self._levels_allowed()
        if missing > allowed:
            raise CaptureError(
                f"no directory {self.directory}: {missing} levels to make, {allowed} allowed"
            )
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CaptureError(f"{self.directory}: {error.strerror}") from error

    def _levels_allowed(self) -> int:
        if self.create_directory <= 0:
            return -self.create_directory
        return max(0, len(self.directory.parts) - 1 - self.create_directory)


def check_filename(name: str) -> None:
    """Raise `ConfigurationError` for a text that cannot name a file in a directory."""
    if not name:
        raise ConfigurationError("no file name: give a name")
    if name in (".", ".."):
        raise ConfigurationError(f"file name {name!r}: that is a directory, give a name for a file")
    if "/" in name:
        raise ConfigurationError(f"file name {name!r}: give a name without '/'")
    check_printable("file name", name)
    if len(name.encode()) > _LONGEST_NAME:
        raise ConfigurationError(f"file name of {len(name)} characters: at most {_LONGEST_NAME}")


def check_directory(directory: Path, roots: Sequence[Path]) -> None:
    """Raise `ConfigurationError` unless it is an absolute path in one of the roots, if there are
    any."""
    if directory == Path():
        raise ConfigurationError("no directory is given")
    check_one_line("directory", str(directory))
    if not directory.is_absolute():
        raise ConfigurationError(f"directory {str(directory)!r}: give an absolute path")
    if roots and not any(_inside(directory, root) for root in roots):
        allowed = ", ".join(map(str, roots))
        raise ConfigurationError(f"{directory}: only directories in {allowed} are allowed")


def is_directory(path: Path) -> bool:
    """Whether the path is a directory that we may see."""
    return os.path.isdir(path)  # unlike Path.is_dir it takes names that are too long, or hidden


def _inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):  # a name that cannot be, or links in a circle
        return False
