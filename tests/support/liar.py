"""A PandA that lies: a simulator behind it answers, and single replies are replaced.

Replies are matched with their questions, so a lie may be about one field only.
"""

import contextlib
import socket
from collections.abc import Callable
from typing import BinaryIO

from support.listening import Relay
from support.servers import LOOPBACK, Sim

Reply = list[str]
"""The lines of a reply, without line ends; of a multi-line one "!"-lines and the last "."."""
Lie = Callable[[str, Reply], Reply | bytes]
"""Makes, of a question and its true reply, what is said instead."""


def truth(question: str, reply: Reply) -> Reply:
    """Say what is true."""
    return reply


class Liar(Relay):
    """A control port that passes everything on, but for what `lie` makes of replies.

    Args:
        sim: who knows the truth

    Attributes:
        port: to be used in place of the simulator's
        address: as `panda-ioc run` takes it
        lie: what becomes of replies; may be changed at any time
        connections: how many were made
    """

    def __init__(self, sim: Sim, lie: Lie = truth) -> None:
        self.lie = lie
        self.connections = 0
        super().__init__(sim.host, sim.port)
        self.address = f"{LOOPBACK}:{self.port}:{sim.data_port}"

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        self.connections += 1
        with (
            contextlib.suppress(ValueError),
            client.makefile("rb") as commands,
            server.makefile("rb") as replies,
        ):
            while line := commands.readline():
                question = line.decode(errors="replace").rstrip("\n")
                server.sendall(line + self._rest(question, commands))
                client.sendall(self._said(question, self._reply(replies)))

    @staticmethod
    def _rest(question: str, commands: BinaryIO) -> bytes:
        """The lines of a table that is put."""
        first = next((c for c in question if c in "?=<"), "")
        rest = b""
        while first == "<":
            line = commands.readline()
            rest += line
            if line in (b"\n", b""):
                break
        return rest

    @staticmethod
    def _reply(replies: BinaryIO) -> Reply:
        lines: Reply = []
        while True:
            line = replies.readline()
            if not line:
                raise OSError("the simulator is gone")
            lines.append(line.decode(errors="replace").rstrip("\n"))
            if not lines[0].startswith("!") or lines[-1] == ".":
                return lines

    def _said(self, question: str, reply: Reply) -> bytes:
        said = self.lie(question, reply)
        if isinstance(said, bytes):
            return said
        return "".join(f"{line}\n" for line in said).encode(errors="surrogateescape")
