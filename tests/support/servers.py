"""The program that is tested as real processes: simulated PandAs, and bridges that serve them."""

import os
import shlex
import sys
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from panda_ioc.errors import ServerFailed
from panda_ioc.testing.panda import IOC_READY, SIM_READY, BridgeProcess, PandaProcess
from panda_ioc.testing.ports import LOOPBACK, EpicsPorts, free_ports, random_prefix
from panda_ioc.testing.process import START_TIMEOUT, Server

__all__ = [
    "IOC_READY",
    "LOOPBACK",
    "PROGRAM",
    "SHARED",
    "SIM_READY",
    "START_TIMEOUT",
    "EpicsPorts",
    "Ioc",
    "Server",
    "ServerFailed",
    "Sim",
    "Starter",
    "free_ports",
    "random_prefix",
]

SHARED = Path(__file__).resolve().parents[3] / "shared"
# Another program to be tested instead: that of an installed wheel, say.
PROGRAM = shlex.split(os.environ.get("PANDA_IOC_PROGRAM", f"{sys.executable} -m panda_ioc"))


class Sim(PandaProcess):
    """The program that is tested, as a simulated PandA."""

    program = PROGRAM


class Ioc(BridgeProcess):
    """The program that is tested, as a bridge."""

    program = PROGRAM

    def stop(self) -> int:
        """End it, and see that in it each thing was used from its own thread only."""
        status = super().stop()
        assert "WrongThread" not in self.text()
        return status


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
