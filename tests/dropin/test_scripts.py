"""Scripts as people write them for `pandablocks`: the same text, and the same output, with both.

Each script in `scripts/` imports `panda_ioc.pandablocks`, and prints what its `.out` file holds.
Where the library that they were written for is installed (for this Python, or for the one that
PANDA_IOC_PEER_PYTHON names), it must print the same once its imports are changed back.
"""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from support.servers import Sim

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.py"))
PEER = os.environ.get("PANDA_IOC_PEER_PYTHON") or (
    sys.executable if find_spec("pandablocks") else None
)


@pytest.fixture(scope="module")
def panda(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sim]:
    """A simulator at the ports that the library knows, on an address of its own."""
    host = f"127.{random.randrange(1, 250)}.{random.randrange(256)}.{random.randrange(1, 250)}"
    log = tmp_path_factory.mktemp("sim") / "sim.log"
    with Sim(log, "--no-alive", host=host, port=8888, data_port=8889) as sim:
        yield sim


def output(python: str, script: Path, host: str) -> str:
    """What a script prints; it must end well and complain of nothing."""
    done = subprocess.run(
        [python, "-W", "error::ResourceWarning", str(script), host],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_ours(panda: Sim, script: Path) -> None:
    assert output(sys.executable, script, panda.host) == script.with_suffix(".out").read_text()


@pytest.mark.skipif(PEER is None, reason="pandablocks is not installed")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_theirs(panda: Sim, script: Path, tmp_path: Path) -> None:
    assert PEER is not None
    changed = tmp_path / script.name
    changed.write_text(script.read_text().replace("panda_ioc.pandablocks", "pandablocks"))
    assert output(PEER, changed, panda.host) == script.with_suffix(".out").read_text()
