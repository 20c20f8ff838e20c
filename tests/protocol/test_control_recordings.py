"""The control connection on what a real server sent."""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from panda_ioc.errors import CommandError
from panda_ioc.protocol.commands import (
    Command,
    Get,
    GetBlockInfo,
    GetChanges,
    GetFieldInfo,
    GetMultiline,
    Put,
    Raw,
)
from panda_ioc.protocol.connections import ControlConnection
from panda_ioc.protocol.responses import FieldInfo
from support.controlstream import FILES, Recorded, conversation, feed, needs_conversations

pytestmark = needs_conversations

SEED = 20240611


def command_for(exchange: Recorded) -> Command[Any]:
    """The command that would send this request."""
    first, *rest = exchange.send
    if found := re.fullmatch(r"([^?=]*)=(.*)", first):
        return Put(*found.groups())
    if not rest and first.endswith("?"):
        return Get(first[:-1])
    return Raw(exchange.send)


def expected(exchange: Recorded) -> Any:
    """What must come of it."""
    reply = exchange.recv
    if isinstance(command_for(exchange), Raw):
        return reply
    if reply[0].startswith("ERR"):
        return reply[0][4:]
    if reply[-1] == ".":
        return [line[1:] for line in reply[:-1]]
    return reply[0][4:] if reply[0].startswith("OK =") else None


def plain(result: Any) -> Any:
    return result.reason if isinstance(result, CommandError) else result


def splits(stream: bytes) -> Iterator[list[int]]:
    yield []
    yield [1] * len(stream)
    for seed in range(SEED, SEED + 3):
        sizes = random.Random(seed)
        yield [sizes.choice((1, 2, 7, 100, 1448)) for _ in range(len(stream))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_reply_parses_in_any_split(path: Path) -> None:
    exchanges = conversation(path)
    stream = "".join(f"{line}\n" for each in exchanges for line in each.recv).encode()
    for sizes in splits(stream):
        connection = ControlConnection()
        for exchange in exchanges:
            request = "".join(f"{line}\n" for line in exchange.send).encode()
            assert connection.send(command_for(exchange)) == request
        feed(connection, stream, sizes)
        results = [plain(result) for _, result in connection.responses()]
        assert results == [expected(exchange) for exchange in exchanges]


def recorded_answers() -> dict[str, str]:
    return {
        exchange.send[0]: "\n".join(exchange.recv)
        for path in FILES
        if path.stem.startswith("02")
        for exchange in conversation(path)
        if len(exchange.send) == 1
    }


def ask_recorded(command: Command[Any], answers: dict[str, str]) -> Any:
    connection = ControlConnection()
    connection.set_api((4, 1))
    to_send = connection.send(command)
    while to_send:
        requests = to_send.decode().splitlines()
        replies = "".join(answers[request] + "\n" for request in requests)
        to_send = connection.receive_bytes(replies.encode())
    ((_, result),) = connection.responses()
    return result


def test_every_block_is_introspected() -> None:
    answers = recorded_answers()
    blocks = ask_recorded(GetBlockInfo(), answers)
    assert len(blocks) == 24
    assert all(info.description for info in blocks.values())
    for block, info in blocks.items():
        alike = {
            key.replace(f"{block}.", f"{block}1.", 1): answer
            for key, answer in answers.items()
            if info.number == 1 and key.startswith(f"{block}.")
        }
        infos = ask_recorded(GetFieldInfo(block), answers | alike)
        lines = answers[f"{block}.*?"].splitlines()[:-1]
        assert [info.index for info in infos.values()] == sorted(
            int(line.split()[1]) for line in lines
        )
        for name, field in infos.items():
            check(f"{block}.{name}", field)


def check(name: str, info: FieldInfo) -> None:
    assert info.description is not None, name
    assert not info.unanswered, name
    empty = [key for key, value in vars(info).items() if value in (None, [])]
    assert empty in ([], ["subtype"]), name


def test_changes_of_a_fresh_server() -> None:
    (path,) = (path for path in FILES if path.stem.startswith("01"))
    first = conversation(path)[0]
    connection = ControlConnection()
    connection.send(GetChanges())
    connection.send(GetMultiline("X"))
    connection.receive_bytes("".join(f"{line}\n" for line in first.recv).encode())
    ((_, changes),) = connection.responses()
    assert len(changes.values) + len(changes.no_value) == len(first.recv) - 1
    assert changes.in_error == []
    assert "SEQ1.TABLE" in changes.no_value
