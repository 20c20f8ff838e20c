"""Errors of files, in the words of the file system."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from panda_ioc.capture.settings import is_directory
from panda_ioc.errors import CaptureError


@contextlib.contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn errors of HDF5 and of the file system into a `CaptureError` that names the file."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        raise CaptureError(_cause(path, error)) from error


def _cause(path: Path, error: BaseException) -> str:
    """Return the cause in words of the file system; HDF5 hides errno in its message."""
    directory = path.parent
    if not is_directory(directory):
        return f"{path}: no directory {directory}"
    if isinstance(error, FileExistsError) or "file exists" in str(error).lower():
        return f"{path}: exists already, and is not overwritten: choose another name"
    if not os.access(directory, os.W_OK | os.X_OK):
        return f"{path}: no permission to write in {directory}"
    if isinstance(error, OSError) and error.errno:
        return f"{path}: {os.strerror(error.errno)}"
    number = next((n for n in (28, 122, 27, 5, 30) if f"errno = {n}" in str(error)), None)
    words = os.strerror(number) if number is not None else str(error)
    return f"{path}: {words}"
