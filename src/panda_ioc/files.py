"""Atomic writes of files, and checks of their names."""

import contextlib
import errno
import os
import tempfile
from pathlib import Path

from panda_ioc.errors import ConfigurationError


def write_atomically(path: Path, text: str) -> None:
    """Write text to a file; readers see the old content or the new, never a part.

    A link is followed. A FIFO, socket or device is never replaced by a file.

    Raises:
        OSError: the file cannot be written
    """
    path = Path(os.path.realpath(path))
    if is_special(path):
        raise OSError(errno.EEXIST, "there is something that is no regular file", str(path))
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def is_special(path: Path) -> bool:
    """Whether the path exists and is no regular file: a directory, FIFO, socket or device."""
    return os.path.lexists(path) and not os.path.isfile(path)


def check_one_line(what: str, text: str) -> None:
    """Raise `ConfigurationError` for a name with a line break.

    Args:
        what: of what it is the name, for the message
        text: the name
    """
    if text.splitlines() not in ([], [text]):
        raise ConfigurationError(f"{what} {text!r}: there is a line break in it: remove it")


def check_printable(what: str, text: str) -> None:
    """Raise `ConfigurationError` for a name with a line break, or with what nobody can see.

    Args:
        what: of what it is the name, for the message
        text: the name
    """
    for at, character in enumerate(text):
        if not character.isprintable():
            raise ConfigurationError(
                f"{what} {text!r}: character {at} cannot be printed: remove it"
            )
