"""In debug mode each thing is used from its own thread only."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from panda_ioc.capture._queue import BoundedQueue
from panda_ioc.capture._recording import CaptureEnd, CaptureEvent, FileRecording
from panda_ioc.capture.session import FileCapture
from panda_ioc.capture.settings import CaptureSettings
from panda_ioc.client.address import Address
from panda_ioc.client.data import DataSocket
from panda_ioc.errors import ConnectionLost
from panda_ioc.ioc.epics.unserved import Unserved
from panda_ioc.ioc.panda.data_port import DataPort
from panda_ioc.ioc.panda.news import Board
from panda_ioc.ioc.parts.base import PutHandler
from panda_ioc.ioc.parts.panel import Panel
from panda_ioc.ioc.parts.puts import Puts
from panda_ioc.ioc.recsync.link import RecSyncLink
from panda_ioc.protocol.responses import EndReason
from panda_ioc.records import own
from panda_ioc.threads import WrongThread
from support.databox import data_box

CODE = """
import threading
from panda_ioc.ioc.panda.news import Board
from panda_ioc.threads import WrongThread

board, told = Board(), []
board.stale()
def elsewhere():
    try:
        board.stale()
    except WrongThread as error:
        told.append(str(error))
thread = threading.Thread(target=elsewhere, name="stranger")
thread.start()
thread.join()
board.stale()
print(told)
"""


def _run(options: list[str], environment: dict[str, str]) -> str:
    inherited = {k: v for k, v in os.environ.items() if k != "PANDA_IOC_CHECK_THREADS"}
    command = [sys.executable, *options, "-c", CODE]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=inherited | environment
    )
    return done.stdout


@pytest.mark.parametrize(
    ("options", "environment"), [(["-X", "dev"], {}), ([], {"PANDA_IOC_CHECK_THREADS": "1"})]
)
def test_a_stranger_is_told_in_debug_mode(options: list[str], environment: dict[str, str]) -> None:
    told = _run(options, environment)
    assert "the board belongs to thread 'MainThread', not to 'stranger'" in told


def test_nothing_is_checked_otherwise() -> None:
    assert _run([], {}) == "[]\n"


def test_all_tests_run_in_debug_mode() -> None:
    assert "PANDA_IOC_CHECK_THREADS" in os.environ


async def _refused(name: str, call: Callable[[], object]) -> None:
    """Call it in another thread, where it is refused."""
    with pytest.raises(WrongThread, match=f"{name} belongs to thread 'MainThread', not to"):
        await asyncio.to_thread(call)


def _run_async(call: Callable[[], Awaitable[object]]) -> Callable[[], object]:
    async def run() -> None:
        await call()

    return lambda: asyncio.run(run())


async def test_the_data_port_belongs_to_the_event_loop() -> None:
    port = DataPort(Address("127.0.0.1", 1, 2), lambda _: None, lambda _: None)
    port.want("a file")
    for call in (
        lambda: port.want("another"),
        lambda: port.release("a file"),
        _run_async(lambda: port.ready(1)),
    ):
        await _refused("the data port", call)


async def test_puts_end_in_the_event_loop() -> None:
    async def work(value: int) -> int:
        return value

    puts = Puts()
    puts.attach({name: Unserved(name) for name in (own.ERROR, own.ERROR_PV, "A")}, Board())
    put = puts.handler("A", PutHandler(work))
    await put(1)
    await _refused("the end of puts", _run_async(lambda: put(1)))


async def test_parts_show_what_they_have_in_the_event_loop() -> None:
    panel = Panel()
    panel.attach({"A": Unserved("A")})
    panel.show("A", 1)
    await _refused("a panel of records", lambda: panel.show("A", 2))


async def test_a_recceiver_is_talked_to_in_the_event_loop() -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    link = RecSyncLink(reader, writer)
    await link.send(b"")
    await _refused("the connection to a RecCeiver", _run_async(lambda: link.send(b"")))
    writer.close()
    server.close()
    await server.wait_closed()


async def test_one_thread_receives_from_the_data_port() -> None:
    with data_box() as box, contextlib.closing(DataSocket("127.0.0.1", box.port)) as connection:
        box.cut()
        with pytest.raises(ConnectionLost):
            connection.receive()
        await _refused("data port .*", connection.receive)


async def test_one_thread_hands_samples_to_a_capture(tmp_path: Path) -> None:
    capture, rows = FileCapture(CaptureSettings(tmp_path, "a.h5")), np.zeros(3)
    capture.samples(rows)
    await _refused("what .*a.h5 gets", lambda: capture.samples(rows))
    await _refused("what .*a.h5 gets", lambda: capture.end(EndReason.OK, 0))


async def test_one_thread_writes_the_file(tmp_path: Path) -> None:
    queue: BoundedQueue[CaptureEvent] = BoundedQueue(1000)
    settings = CaptureSettings(tmp_path, "a.h5")
    recording = FileRecording(settings, queue, lambda: 1.0, lambda: None)
    recording.make_file()
    queue.put(CaptureEnd(EndReason.MANUALLY_STOPPED))
    assert recording.run() is None
    await _refused("the recording to .*a.h5", lambda: recording.close(None))
    recording.close(None)
