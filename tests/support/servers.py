"""Real processes for tests: simulated PandAs, and bridges that serve them on loopback ports only.

EPICS clients read their environment once, so `EpicsPorts` chooses the ports of all bridges that a
process will ever run at a time, and `conftest` exports them before any client library is loaded.
"""

import contextlib
import os
import random
import re
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

SHARED = Path(__file__).resolve().parents[3] / "shared"
LOOPBACK = "127.0.0.1"
START_TIMEOUT = 60.0  # seconds; a busy machine may take long
STOP_TIMEOUT = 10.0
# Another program to be tested instead: that of an installed wheel, say.
PROGRAM = shlex.split(os.environ.get("PANDA_IOC_PROGRAM", f"{sys.executable} -m panda_ioc"))

SIM_READY = re.compile(r"control ([\d.]+):(\d+) data [\d.]+:(\d+)")
IOC_READY = "connection: .*: connected"


class ServerFailed(Exception):
    """A process ended, or was not ready in time; its log is in the message."""


class Server:
    """One process with its output in a log file; use as a context manager.

    Attributes:
        process: the process, for its id and exit status
        log: path of what it wrote to stdout and stderr
    """

    def __init__(
        self,
        log: Path,
        command: list[str],
        env: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
    ) -> None:
        self.log = log
        self.command = command
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else {**os.environ, **env},
            )

    def text(self) -> str:
        """What it has written so far."""
        return self.log.read_text(errors="replace")

    def wait_for(
        self, pattern: str | re.Pattern[str], times: int = 1, timeout: float = START_TIMEOUT
    ) -> re.Match[str]:
        """The `times`-th match of the pattern in the log, once it is there."""
        deadline = time.monotonic() + timeout
        while True:
            ended = self.process.poll() is not None
            found = list(re.finditer(pattern, self.text()))
            if len(found) >= times:
                return found[times - 1]
            if ended or time.monotonic() > deadline:
                what = f"ended with {self.process.returncode}" if ended else "is still running"
                raise ServerFailed(
                    f"{self.command}: no {pattern!r} in {timeout} s, {what}:\n{self.text()}"
                )
            time.sleep(0.01)

    def stop(self) -> int:
        """SIGTERM, and SIGKILL if that does not do; the exit status."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.returncode

    def kill(self) -> None:
        """SIGKILL."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


class Sim(Server):
    """`panda-ioc sim`, ready.

    Attributes:
        host, port, data_port: where it listens
        address: as `panda-ioc run` takes it
    """

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
        super().__init__(log, [*PROGRAM, "sim", *where, *config, *options])
        with _ended_on_error(self):
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

    def put(self, *commands: str) -> None:
        """Commands that must succeed, each on a control connection of its own."""
        for command in commands:
            reply = self.ask(command)
            if reply != ["OK"]:
                raise ServerFailed(f"{command}: {reply}")


@dataclass(frozen=True)
class Slot:
    """The ports of one bridge: CA, and PVA for searches."""

    ca: int
    pva: int


class EpicsPorts:
    """Ports for a few bridges at a time, and for the clients in this process.

    Attributes:
        client: environment of the clients; they search at the ports of all slots
    """

    def __init__(self, bridges: int = 6) -> None:
        ports = free_ports(2 * bridges + 3)
        self.repeater, self.no_ca, self.no_pva = ports[:3]
        self._free = [Slot(*pair) for pair in zip(ports[3::2], ports[4::2], strict=True)]
        self.client = {
            "EPICS_CA_ADDR_LIST": " ".join(f"{LOOPBACK}:{slot.ca}" for slot in self._free),
            "EPICS_CA_AUTO_ADDR_LIST": "NO",
            "EPICS_CA_SERVER_PORT": str(self.no_ca),
            "EPICS_CA_REPEATER_PORT": str(self.repeater),
            "EPICS_PVA_ADDR_LIST": " ".join(f"{LOOPBACK}:{slot.pva}" for slot in self._free),
            "EPICS_PVA_AUTO_ADDR_LIST": "NO",
            "EPICS_PVA_SERVER_PORT": str(self.no_pva),
            "EPICS_PVA_BROADCAST_PORT": str(self.no_pva),
        }

    def export(self) -> None:
        """Have the clients of this process use these ports."""
        os.environ.update(self.client)

    @contextlib.contextmanager
    def slot(self) -> Iterator[Slot]:
        """Ports for one bridge, as long as it runs."""
        slot = self._free.pop(0)
        try:
            yield slot
        finally:
            self._free.append(slot)

    def server(self, slot: Slot) -> dict[str, str]:
        """Environment of a bridge: it serves at these ports only, and on loopback only."""
        return {
            **self.client,
            "EPICS_CAS_SERVER_PORT": str(slot.ca),
            "EPICS_CAS_INTF_ADDR_LIST": LOOPBACK,
            "EPICS_CAS_BEACON_ADDR_LIST": LOOPBACK,
            "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
            "EPICS_CAS_BEACON_PORT": str(self.repeater),
            "EPICS_PVAS_SERVER_PORT": "0",
            "EPICS_PVAS_BROADCAST_PORT": str(slot.pva),
            "EPICS_PVAS_INTF_ADDR_LIST": LOOPBACK,
            "EPICS_PVAS_BEACON_ADDR_LIST": LOOPBACK,
            "EPICS_PVAS_AUTO_BEACON_ADDR_LIST": "NO",
        }


class Ioc(Server):
    """`panda-ioc run`, connected to the PandA at `address`; `panda-ioc demo` if that is None.

    Attributes:
        prefix: of its PVs, without the last colon
        environment: what it was told of ports
    """

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
        command = [*PROGRAM, *what, self.prefix, *options]
        self.environment = ports.server(slot)
        with _ended_on_error(self):
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


S = TypeVar("S", bound=Server)


class Starter(Generic[S]):
    """Starts servers for one test (or module) and stops them at its end, the last one first.

    Attributes:
        started: all of them
    """

    def __init__(self, kind: type[S], directory: Path, *arguments: Any) -> None:
        self.started: list[S] = []
        self._kind = kind
        self._directory = directory
        self._arguments = arguments

    def __call__(self, *arguments: Any, **keywords: Any) -> S:
        log = self._directory / f"{self._kind.__name__.lower()}{len(self.started)}.log"
        server = self._kind(log, *self._arguments, *arguments, **keywords)
        self.started.append(server)
        return server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for server in reversed(self.started):
            server.stop()


@contextlib.contextmanager
def _ended_on_error(server: Server) -> Iterator[None]:
    """End a server that did not become ready."""
    try:
        yield
    except BaseException:
        if hasattr(server, "process"):
            server.stop()
        raise


def random_prefix() -> str:
    """A prefix that no other IOC uses."""
    return f"TEST{secrets.token_hex(4).upper()}"


def free_ports(count: int) -> list[int]:
    """Ports that are free for TCP and UDP now, and that no connection is given by chance."""
    found: list[int] = []
    for port in random.sample(range(10000, _first_ephemeral()), 2000):
        if len(found) < count and _is_free(port):
            found.append(port)
    return found


def _first_ephemeral() -> int:
    ports = Path("/proc/sys/net/ipv4/ip_local_port_range")
    return int(ports.read_text().split()[0]) if ports.exists() else 32768


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                return False
    return True
