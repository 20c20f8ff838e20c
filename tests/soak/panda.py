"""The PandA under the bridge: a server that a command starts, to be killed and stopped."""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import time
from pathlib import Path

START_TIMEOUT = 60.0
PATIENCE = 15.0  # seconds until a server that does not answer is killed
ASK_TIMEOUT = 5.0


class NoPandA(Exception):
    """It did not start, or does not answer."""


class PandA:
    """A server at a known address; use as a context manager.

    Attributes:
        host, port, data_port: where it listens
        is_simulated: it knows the commands `*SIM`
        deaths: how often it was found ended though nobody had killed it
    """

    def __init__(
        self, address: tuple[str, int], command: str, other: str, log: Path, is_simulated: bool
    ) -> None:
        self.host, self.port = address
        self.data_port = self.port + 1
        self.is_simulated = is_simulated
        self.deaths = 0
        self._command, self._other, self._log = command, other, log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def has_other(self) -> bool:
        """True if it can become a PandA with another application."""
        return bool(self._other)

    def start(self, is_other: bool = False) -> None:
        """Run the command until it answers.

        It is run again if it ends, as its ports may still be in use, and killed if it lives but
        does not answer, as what was stopped may be past help.
        """
        command = self._other if is_other else self._command
        deadline = time.monotonic() + START_TIMEOUT
        patience = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                self.deaths += self._process is not None
                self._process = self._run(command)
            with contextlib.suppress(OSError, NoPandA):
                self.ask("*IDN?")
                return
            if time.monotonic() > patience:
                self.kill()
                patience = time.monotonic() + PATIENCE
            time.sleep(0.2)
        raise NoPandA(f"no answer after {START_TIMEOUT} s: {command}")

    def kill(self) -> None:
        """SIGKILL to it and all that it started."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """SIGSTOP: it lives, and its ports are open, but it does nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: it goes on."""
        self._signal(signal.SIGCONT)

    def ask(self, *lines: str) -> list[str]:
        """One exchange on a connection of its own: the lines of the reply."""
        with socket.create_connection((self.host, self.port), ASK_TIMEOUT) as connection:
            connection.sendall("".join(f"{line}\n" for line in lines).encode())
            with connection.makefile(encoding="utf-8", newline="\n") as replies:
                reply = [self._line(replies.readline())]
                while reply[0].startswith("!") and reply[-1] != ".":
                    reply.append(self._line(replies.readline()))
        return reply

    def _line(self, text: str) -> str:
        if not text.endswith("\n"):
            raise NoPandA("the connection has ended")
        return text[:-1]

    def _run(self, command: str) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                shlex.split(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def __enter__(self) -> "PandA":
        if self.has_other:  # better now than after an hour
            self.start(is_other=True)
            self.kill()
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()
