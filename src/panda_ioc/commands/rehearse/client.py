"""The control port of a simulated PandA in this process: commands without a socket."""

from collections.abc import Iterable
from typing import Any, TypeVar, overload

from panda_ioc.protocol.commands import Command
from panda_ioc.protocol.connections import ControlConnection
from panda_ioc.sim.machine import Machine
from panda_ioc.sim.session import ControlSession

T = TypeVar("T")
# The server that the simulator stands for.
_API = (4, 1)


class LocalClient:
    """Sends commands as a client does, byte for byte, and waits for the reply."""

    def __init__(self, machine: Machine) -> None:
        self._session = ControlSession(machine)
        self._connection = ControlConnection()
        self._connection.set_api(_API)

    @overload
    def send(self, commands: Command[T]) -> T: ...

    @overload
    def send(self, commands: Iterable[Command[T]]) -> list[T]: ...

    def send(self, commands: Command[T] | Iterable[Command[T]]) -> Any:
        """Send a command, or several; return the result, or results.

        Raises:
            CommandError: the PandA refused it
        """
        if isinstance(commands, Command):
            return self._send(commands)
        return [self._send(command) for command in commands]

    def _send(self, command: Command[T]) -> T:
        to_send = self._connection.send(command)
        while to_send:
            self._session.feed(to_send)
            replies = b"".join(iter(self._session.step, None))
            to_send = self._connection.receive_bytes(replies)
        [(_, result)] = self._connection.responses()
        if isinstance(result, Exception):
            raise result
        answer: T = result
        return answer
