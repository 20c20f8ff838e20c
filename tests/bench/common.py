"""What the benchmarks beside the peer share: both sides, child processes, the table."""

import json
import os
import platform
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple, cast

from support.servers import EpicsPorts, Server, ServerFailed, Sim, random_prefix

HERE = Path(__file__).parent
PEER = ("pandablocks==0.10.4", "pandablocks-ioc==0.11.6")
# The peer knows no other ports; the host is one of loopback that nobody else has in use.
HOST = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(2, 254)}"
CONTROL, DATA = 8888, 8889
EPICS_RUNS = "iocRun: All initialization complete"
CHILD_TIMEOUT = 1200.0  # seconds

Result = float | str | None
Results = dict[str, Result]


class Row(NamedTuple):
    """One row of the table; a result of None is printed as `missing`."""

    key: str
    what: str
    unit: str = ""
    more_is_better: bool = False
    missing: str = "-"


@dataclass(frozen=True)
class Side:
    """One side of the comparison.

    Attributes:
        python: interpreter of the environment that it is installed in
        is_peer: the one in use today, not ours
        config_dir: application of the simulated box; None is the packaged one
        scratch: directory for logs and files
        puts: how many to send one after the other
    """

    python: str
    is_peer: bool
    config_dir: Path | None
    scratch: Path
    puts: int

    @property
    def package(self) -> str:
        """The client library of this side."""
        return "pandablocks" if self.is_peer else "panda_ioc"

    def sim(self, *options: str) -> Sim:
        """A simulated box at the one address that the peer can be told."""
        return Sim(
            self.scratch / "sim.log",
            *options,
            config_dir=self.config_dir,
            host=HOST,
            port=CONTROL,
            data_port=DATA,
        )

    @contextmanager
    def bridge(self) -> Iterator[tuple["Bridge", EpicsPorts]]:
        """The bridge of this side, as soon as EPICS runs, and ports for clients of it."""
        ports, prefix = EpicsPorts(1), random_prefix()
        screens = Path(tempfile.mkdtemp(dir=self.scratch))
        program = (
            ["pandablocks_ioc", "softioc", HOST, prefix]
            if self.is_peer
            else ["panda_ioc", "run", f"{HOST}:{CONTROL}:{DATA}", prefix]
        )
        command = [self.python, "-m", *program, "--screens-dir", str(screens)]
        log = self.scratch / f"{prefix}.log"
        with ports.slot() as slot, Bridge(log, command, ports.server(slot)) as bridge:
            bridge.prefix = prefix
            bridge.wait_for(re.escape(EPICS_RUNS))
            yield bridge, ports

    def part(self, part: str, *where: str) -> Result:
        """What `parts.py` prints, run by this side's Python; what went wrong if it did."""
        command = [self.python, str(HERE / "parts.py"), self.package, part, *where]
        try:
            return float(last_line(command))
        except ServerFailed as error:
            return str(error).splitlines()[-1][:60]


class Bridge(Server):
    """A bridge whose standard input stays open: the peer ends at the end of it.

    Attributes:
        prefix: of its PVs
        prompt: its standard input, at which the peer listens
    """

    prefix = ""

    def __init__(self, log: Path, command: list[str], env: Mapping[str, str]) -> None:
        super().__init__(log, command, env, subprocess.PIPE)
        self.prompt = cast(IO[bytes], self.process.stdin)


def make_peer(directory: Path) -> str:
    """The Python of an environment with the peer, made if it is not there."""
    python = directory / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", directory], check=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", *PEER], check=True)
    return str(python)


def last_line(command: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    """The last line that a process prints."""
    # No pipes: the repeater that a CA client leaves behind would keep them open.
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        done = subprocess.run(
            command,
            env={**os.environ, **(env or {})},
            stdout=out,
            stderr=err,
            timeout=CHILD_TIMEOUT,
        )
        out.seek(0), err.seek(0)
        if done.returncode:
            raise ServerFailed(f"{command}: {err.read()[-2000:]}")
        return out.read().splitlines()[-1]


def last_json(command: Sequence[str], env: Mapping[str, str] | None = None) -> Results:
    """The last line that a process prints, which is JSON."""
    found: Results = json.loads(last_line(command, env))
    return found


def machine() -> str:
    """What the figures were measured on."""
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return (
        f"{os.cpu_count()} x {found[1] if found else 'unknown processor'},"
        f" Linux {platform.release()}, Python {platform.python_version()}"
    )


def print_table(ours: Results, theirs: Results | None, rows: Sequence[Row]) -> None:
    """Both sides in Markdown, with the ratio where there is one."""
    print("| | panda-ioc | peer | ratio |\n|---|---|---|---|")
    for row in rows:
        mine, their = ours.get(row.key), (theirs or {}).get(row.key)
        shown = _show(their, row) if theirs else "-"
        print(f"| {row.what} | {_show(mine, row)} | {shown} | {_ratio(mine, their, row)} |")
    print()


def _show(value: Result, row: Row) -> str:
    if value is None:
        return row.missing
    return value if isinstance(value, str) else f"{value:.4g} {row.unit}".strip()


def _ratio(mine: Result, their: Result, row: Row) -> str:
    if isinstance(mine, str) or isinstance(their, str) or not mine or not their:
        return ""
    ratio = mine / their if row.more_is_better else their / mine
    if 0.98 < ratio < 1.02:
        return "the same"
    return f"{ratio:.3g} times as good" if ratio > 1 else f"{ratio:.2g} of it"
