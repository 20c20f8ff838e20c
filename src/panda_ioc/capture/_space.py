"""Room on the disk, reserved before it is needed.

HDF5 does not survive a write that fails: a file whose last pieces cannot be written is never let
go, and the process dies of it later. So the blocks of a file are reserved before HDF5 writes to
them, with a margin to close the file in, and what fails is the reservation.
"""

import ctypes
import errno
import os
import resource
from pathlib import Path
from typing import Any

_KEEP_SIZE = 1  # FALLOC_FL_KEEP_SIZE of Linux
_AHEAD = 16 << 20  # bytes reserved at a time, where there is so much
_NOT_HERE = (errno.EOPNOTSUPP, errno.ENOSYS)


def _fallocate() -> Any:
    function = getattr(ctypes.CDLL(None, use_errno=True), "fallocate", None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    return function


class Space:
    """The room of one file, which must exist.

    Raises:
        OSError: no space, over quota, file too large ...: of all methods but `close`
    """

    def __init__(self, path: Path) -> None:
        self._fallocate = _fallocate()
        self._path = path
        self._until = 0  # is reserved
        self._descriptor = os.open(path, os.O_RDWR)

    def reserve(self, size: int) -> None:
        """Ensure that this many bytes can be written after the end of the file."""
        at = os.fstat(self._descriptor).st_size
        if at + size <= self._until:
            return
        code = 0
        for some in (max(size, _AHEAD), size):
            code = self._try(at, some)
            if not code:
                self._until = at + some
                return
        raise OSError(code, os.strerror(code), str(self._path))

    def forget(self) -> None:
        """Forget the reservation, which HDF5 may give back when it flushes."""
        self._until = 0

    def _try(self, at: int, size: int) -> int:
        """Try to reserve; return the error number, or 0."""
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
        if limit != resource.RLIM_INFINITY and at + size > limit:
            return errno.EFBIG
        code = self._allocate(at, size)
        if code not in _NOT_HERE:
            return code
        self._fallocate = None
        disk = os.fstatvfs(self._descriptor)
        return 0 if disk.f_bavail * disk.f_frsize >= size else errno.ENOSPC

    def _allocate(self, at: int, size: int) -> int:
        if self._fallocate is None:
            return errno.ENOSYS
        while self._fallocate(self._descriptor, _KEEP_SIZE, at, size):
            if (code := ctypes.get_errno()) != errno.EINTR:
                return code
        return 0

    def close(self) -> None:
        """Give back what was not used; the file must be closed by now."""
        try:
            os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size)
        finally:
            os.close(self._descriptor)
