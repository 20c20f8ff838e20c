"""Feeding a ControlConnection: what several test files share."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from panda_ioc.protocol.commands import Command
from panda_ioc.protocol.connections import ControlConnection

CONVERSATIONS = Path(__file__).parents[3] / "shared" / "recordings" / "pandabox-no-fmc"
FILES = sorted(CONVERSATIONS.glob("*.jsonl"))

needs_conversations = pytest.mark.skipif(
    not FILES, reason=f"no recorded conversations in {CONVERSATIONS}"
)


class Recorded(NamedTuple):
    """One exchange that a real server took part in."""

    send: list[str]
    recv: list[str]


def conversation(path: Path) -> list[Recorded]:
    """The exchanges of one recorded connection."""
    with path.open(encoding="utf-8") as lines:
        return [Recorded(each["send"], each["recv"]) for each in map(json.loads, lines)]


def pieces(stream: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    """`stream` in pieces of these sizes, and then what is left."""
    first = 0
    for size in sizes:
        yield stream[first : first + size]
        first += size
    yield stream[first:]


def feed(connection: ControlConnection, stream: bytes, sizes: Iterable[int]) -> None:
    """Have a connection receive bytes in pieces of these sizes."""
    for piece in pieces(stream, sizes):
        connection.receive_bytes(piece)


def talk(
    commands: Iterable[Command[Any]],
    reply: bytes,
    sizes: Iterable[int] = (),
    version: tuple[int, int] = (4, 1),
) -> list[Any]:
    """Results, in the order in which they come, when commands are answered with these bytes."""
    connection = ControlConnection()
    connection.set_api(version)
    for command in commands:
        connection.send(command)
    feed(connection, reply, sizes)
    return [result for _, result in connection.responses()]


def ask(command: Command[Any], replies: dict[str, str], version: tuple[int, int] = (4, 1)) -> Any:
    """Result of a command whose requests are answered from a table, else with an error."""
    connection = ControlConnection()
    connection.set_api(version)
    to_send = connection.send(command)
    while to_send:
        requests = to_send.decode().splitlines()
        answer = "".join(replies.get(request, "ERR No such thing") + "\n" for request in requests)
        to_send = connection.receive_bytes(answer.encode())
    ((answered, result),) = connection.responses()
    assert answered is command
    return result
