"""What to capture, where to, and whether that is possible."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from panda_ioc.capture.datasets import BitNames
from panda_ioc.errors import CaptureError, ConfigurationError

MAX_LAST_N = 10_000_000
"""Most samples that `Mode.LAST_N` keeps in memory."""


class Mode(Enum):
    """Which samples go to the file."""

    FIRST_N = "FIRST_N"
    """The first `num` of an acquisition; 0: all of it."""
    LAST_N = "LAST_N"
    """The last `num` of an acquisition, written at its end."""
    FOREVER = "FOREVER"
    """One acquisition after the other, until stopped."""


@dataclass(frozen=True)
class Settings:
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
        data_root: files outside of it are refused
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
    data_root: Path | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return self.directory / self.filename

    def check(self) -> None:
        """Raise `ConfigurationError` for what can not be, whatever is on the disk."""
        if not self.filename or "/" in self.filename or self.filename in (".", ".."):
            raise ConfigurationError(f"file name {self.filename!r}: give a name without '/'")
        if not self.directory.is_absolute():
            raise ConfigurationError(f"directory {str(self.directory)!r}: give an absolute path")
        if self.data_root is not None and not _inside(self.path, self.data_root):
            raise ConfigurationError(f"{self.path}: only files in {self.data_root} are allowed")
        if self.num < 0:
            raise ConfigurationError(f"{self.num} samples to capture: give 0 (all) or more")
        if self.mode is Mode.LAST_N and not 1 <= self.num <= MAX_LAST_N:
            raise ConfigurationError(
                f"the last {self.num} samples to capture: give 1 to {MAX_LAST_N}"
            )
        if not 0 <= self.flush_period < float("inf"):
            raise ConfigurationError(f"flush period of {self.flush_period} s: give 0 or more")

    def make_directory(self) -> None:
        """Make the directory as far as that is allowed; `CaptureError` if it is not there then."""
        missing = 0
        for level in (self.directory, *self.directory.parents):
            if level.is_dir():
                break
            missing += 1
        levels = len(self.directory.parts) - 1
        allowed = -self.create_directory
        if self.create_directory > 0:
            allowed = max(0, levels - self.create_directory)
        if missing > allowed:
            raise CaptureError(
                f"no directory {self.directory}: {missing} levels to make, {allowed} allowed"
            )
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CaptureError(f"{self.directory}: {error.strerror}") from error


def _inside(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())
