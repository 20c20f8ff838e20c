"""Writes screens into a directory that may also hold files of others.

Each file that is written ends in a comment with a digest of the rest. A file without it, or one
that was changed since, belongs to somebody: it is left alone. Nothing is ever deleted.
"""

import hashlib
import logging
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from panda_ioc.device.model import Device
from panda_ioc.errors import ConfigurationError
from panda_ioc.files import write_atomically
from panda_ioc.records.build import RecordSet

log = logging.getLogger(__name__)

_MARK = "<!-- written by panda-ioc; changed files are kept, {} -->\n"
_MARKED = re.compile(r"(.*)" + re.escape(_MARK).replace(r"\{\}", "([0-9a-f]{64})"), re.DOTALL)


def check_screens(directory: Path) -> None:
    """Raise `ConfigurationError` if screens cannot be made or written to this directory."""
    if find_spec("phoebusgen") is None:
        raise ConfigurationError(
            f"--screens-dir {directory}: needs phoebusgen: pip install 'panda-ioc[screens]'"
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"--screens-dir {directory}: {error.strerror}") from error


def write_screens(directory: Path, device: Device, records: RecordSet) -> None:
    """Write the screens of a device."""
    from panda_ioc.records.screens import make_screens  # the library for it is an extra

    kept = write_files(directory, make_screens(device, records))
    if kept:
        log.warning("%s: kept, as others have changed them: %s", directory, ", ".join(kept))
    log.info("screens are in %s", directory)


def write_files(directory: Path, files: Mapping[str, str]) -> list[str]:
    """Write files by name; return the names of those that somebody else wrote or changed."""
    kept = []
    for name, text in files.items():
        path = directory / name
        if not _is_ours(path):
            kept.append(name)
        elif (marked := text + _MARK.format(_digest(text))) != _read(path):
            write_atomically(path, marked)
    return kept


def _is_ours(path: Path) -> bool:
    """Whether a file may be overwritten: it does not exist, or is unchanged since written here."""
    text = _read(path)
    found = text is not None and _MARKED.fullmatch(text)
    return text is None or bool(found and found[2] == _digest(found[1]))


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
