"""A simulated PandA and the bridge that serves it, each a process."""

import contextlib
import re
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from panda_ioc.errors import ServerFailed
from panda_ioc.testing.ports import (
    LOOPBACK,
    EpicsPorts,
    ca_repeater,
    epics_ports,
    random_prefix,
)
from panda_ioc.testing.process import PROGRAM, Server, ended_on_error

SIM_READY = re.compile(r"control ([\d.]+):(\d+) data [\d.]+:(\d+)")
IOC_READY = "connection: .*: connected"


class PandaProcess(Server):
    """`panda-ioc sim`, ready.

    Attributes:
        host, port, data_port: where it listens
        address: as `panda-ioc run` takes it
    """

    program: ClassVar[Sequence[str]] = PROGRAM

    def __init__(
        self,
        log: Path,
        *options: str,
        config_dir: Path | None = None,
        host: str = LOOPBACK,
        port: int = 0,
        data_port: int = 0,
    ) -> None:
        where = ["--host", host, "--port", str(port), "--data-port", str(data_port)]
        config = ["--config-dir", str(config_dir)] if config_dir else []
        super().__init__(log, [*self.program, "sim", *where, *config, *options])
        with ended_on_error(self):
            found = self.wait_for(SIM_READY)
        self.host = found[1]
        self.port, self.data_port = int(found[2]), int(found[3])
        self.address = f"{self.host}:{self.port}:{self.data_port}"

    def ask(self, *lines: str) -> list[str]:
        """One exchange on a control connection of its own: the lines of the reply."""
        with socket.create_connection((self.host, self.port), 10) as connection:
            connection.sendall("".join(f"{line}\n" for line in lines).encode())
            with connection.makefile(encoding="utf-8") as replies:
                reply = [replies.readline().rstrip("\n")]
                while reply[0].startswith("!") and reply[-1] != ".":
                    reply.append(replies.readline().rstrip("\n"))
        return reply

    def get(self, name: str) -> str:
        """The value of a field, or the answer to a `*` command, in one line."""
        (line,) = self.ask(f"{name}?")
        if not line.startswith("OK ="):
            raise ServerFailed(f"{name}?: {line}")
        return line.removeprefix("OK =")

    def move(self, encoder: str, trajectory: str, start: str = "") -> None:
        """Move an encoder.

        Args:
            encoder: INENC1, say
            trajectory: `ramp:0,1000,1s`, say; see the page on the twin
            start: a bit whose rise starts the motion, PCAP.ACTIVE, say; now if none is given
        """
        what = f"{encoder}@{start}" if start else encoder
        self.put(f"*SIM.TRAJECTORY={what}={trajectory}")

    def set_input(self, name: str, value: int) -> None:
        """Set an input of the PandA from outside: `TTLIN1.VAL`, `INENC1.VAL`."""
        self.put(f"*SIM.SET={name}={value}")

    def put(self, *commands: str) -> None:
        """Commands that must succeed, each on a control connection of its own."""
        for command in commands:
            reply = self.ask(command)
            if reply != ["OK"]:
                raise ServerFailed(f"{command}: {reply}")


class BridgeProcess(Server):
    """`panda-ioc run`, connected to the PandA at `address`; `panda-ioc demo` if that is None.

    Attributes:
        prefix: of its PVs, without the last colon
        environment: what it was told of ports
    """

    program: ClassVar[Sequence[str]] = PROGRAM

    def __init__(
        self,
        log: Path,
        ports: EpicsPorts,
        address: str | None,
        *options: str,
        prefix: str | None = None,
        ready: str = IOC_READY,
        stdin: int = subprocess.DEVNULL,
    ) -> None:
        self.prefix = prefix or random_prefix()
        self._ports = contextlib.ExitStack()
        slot = self._ports.enter_context(ports.slot())
        what = ["run", address] if address else ["demo"]
        command = [*self.program, *what, self.prefix, *options]
        self.environment = ports.server(slot)
        with ended_on_error(self):
            super().__init__(log, command, self.environment, stdin)
            self.wait_for(ready)

    def pv(self, name: str) -> str:
        """The full name of a PV."""
        return f"{self.prefix}:{name}"

    def stop(self) -> int:
        try:
            return super().stop()
        finally:
            self._ports.close()


@contextlib.contextmanager
def simulated_panda(
    *options: str, layout: Path | None = None, log: Path | None = None
) -> Iterator[PandaProcess]:
    """Run a digital twin at free ports of loopback.

    Args:
        options: further ones of `panda-ioc sim`
        layout: settings to begin with, as `panda-ioc save` writes them
        log: where its output goes; a temporary file if none is given
    """
    chosen = ["--layout", str(layout)] if layout else []
    with _log(log) as path, PandaProcess(path, "--twin", *chosen, *options) as panda:
        yield panda


@contextlib.contextmanager
def served_panda(
    panda: PandaProcess,
    *options: str,
    prefix: str | None = None,
    log: Path | None = None,
    ports: EpicsPorts | None = None,
) -> Iterator[BridgeProcess]:
    """Serve a simulated PandA to the EPICS clients of this process, and to nobody else.

    Call this, or `epics_ports`, before a client library makes its first connection: it reads the
    environment then, and never again.

    Args:
        panda: which one
        options: further ones of `panda-ioc run`
        prefix: of its PVs; one that nobody else has if none is given
        log: where its output goes; a temporary file if none is given
        ports: where; those of this process if none are given
    """
    ports = ports or epics_ports()
    with (
        ca_repeater(),
        _log(log) as path,
        BridgeProcess(path, ports, panda.address, *options, prefix=prefix) as served,
    ):
        yield served


@contextlib.contextmanager
def _log(path: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        yield path or Path(directory) / "log"
