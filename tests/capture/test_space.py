"""Room on the disk is taken before it is needed, and given back."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from panda_ioc.capture._space import Space

LIMITED = """
import resource, sys
from pathlib import Path
from panda_ioc.capture._space import Space
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
space = Space(Path(sys.argv[1]))
space.reserve(1 << 19)
try:
    space.reserve(1 << 21)
except OSError as error:
    print(error.errno)
"""


def test_room_is_reserved_beyond_the_end_and_given_back(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 100)
    space = Space(path)
    space.reserve(1 << 22)
    assert path.stat().st_size == 100
    reserved = path.stat().st_blocks * 512
    space.close()
    assert path.read_bytes() == b"x" * 100
    assert path.stat().st_blocks * 512 < 1 << 20
    if reserved < 1 << 22:
        pytest.skip("this file system reserves nothing")


def test_more_than_there_is(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    space = Space(path)
    with pytest.raises(OSError, match="a") as caught:
        space.reserve(1 << 60)
    assert caught.value.errno in (errno.ENOSPC, errno.EFBIG)
    space.close()


def test_a_limit_of_the_size_counts_too(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == errno.EFBIG
    assert os.path.getsize(path) == 0
