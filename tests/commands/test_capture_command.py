"""`panda-ioc capture` as a process against the real simulator: files, words, exit status."""

import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest

from panda_ioc.sim.signals import Source
from support.arming import is_idle
from support.servers import PROGRAM, Server, Sim

COUNTER = Source("COUNTER1.OUT", "Value", counter=(0, 1, 0, 0))
COLUMN = "COUNTER1.OUT.Value"


@pytest.fixture(autouse=True)
def box(sim: Sim) -> Iterator[Sim]:
    sim.put("*CAPTURE=", "COUNTER1.OUT.CAPTURE=Value", "*SIM.RATE=20000", "*SIM.SAMPLES=3000")
    sim.put("*SIM.PERIOD=0.01")
    yield sim
    sim.ask("*PCAP.DISARM=")


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Children would inherit that SIGINT is ignored, as it is in jobs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


Capture = Callable[..., Server]


@pytest.fixture
def capture(sim: Sim, tmp_path: Path) -> Iterator[Capture]:
    """Starts a capture; at the end it is killed if need be."""
    started: list[Server] = []

    def start(name: str, *options: str, address: str = sim.address) -> Server:
        command = [*PROGRAM, "capture", address, str(tmp_path / name), *options]
        started.append(Server(tmp_path / f"log{len(started)}", command))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def status(server: Server) -> int:
    return server.process.wait(30)


def check(path: Path, first: int, count: int) -> None:
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file[COLUMN][:], COUNTER.raw(first, first + count))


def test_arm_and_capture_all(capture: Capture, sim: Sim, tmp_path: Path) -> None:
    server = capture("a.h5", "--arm")
    assert status(server) == 0
    assert server.text().endswith(f"Ok: 3000 samples, in {tmp_path / 'a.h5'}\n")
    check(tmp_path / "a.h5", 0, 3000)
    with h5py.File(tmp_path / "a.h5") as file:
        assert file.attrs["panda"] == sim.address


@pytest.mark.parametrize(("mode", "first"), [("first", 0), ("last", 3000 - 123)])
def test_some_samples(capture: Capture, tmp_path: Path, mode: str, first: int) -> None:
    assert status(capture("a.h5", "--arm", "--num", "123", "--mode", mode)) == 0
    check(tmp_path / "a.h5", first, 123)


def test_who_arms_disarms(capture: Capture, sim: Sim, tmp_path: Path) -> None:
    sim.put("*SIM.SAMPLES=0")
    assert status(capture("a.h5", "--arm", "--num", "100")) == 0
    assert sim.ask("*PCAP.COMPLETION?") == ["OK =Disarmed"]


def test_wait_for_somebody_to_arm(capture: Capture, sim: Sim, tmp_path: Path) -> None:
    server = capture("a.h5")
    server.wait_for("Waiting for an acquisition")
    sim.put("*PCAP.ARM=")
    assert status(server) == 0
    check(tmp_path / "a.h5", 0, 3000)


def test_unpacked_bits(capture: Capture, sim: Sim, tmp_path: Path) -> None:
    sim.put("PCAP.BITS0.CAPTURE=Value")
    assert status(capture("a.h5", "--arm", "--unpack-bits")) == 0
    names = [line[1:] for line in sim.ask("PCAP.BITS0.BITS?")[:-1]]
    with h5py.File(tmp_path / "a.h5") as file:
        assert {name for name in names if name} <= set(file)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_closes_the_file(
    capture: Capture, sim: Sim, tmp_path: Path, number: signal.Signals
) -> None:
    sim.put("*SIM.SAMPLES=0")
    server = capture("a.h5", "--arm", "--mode", "forever", "--flush-period", "100")
    server.wait_for(r"Capturing  [1-9]\d* samples")
    server.process.send_signal(number)
    assert status(server) == 130
    found = re.search(r"Manually stopped: (\d+) samples", server.text())
    assert found
    check(tmp_path / "a.h5", 0, int(found[1]))
    assert sim.ask("*PCAP.COMPLETION?") == ["OK =Disarmed"]


@pytest.mark.parametrize(
    ("end", "words", "exit_status"),
    [
        ("*PCAP.DISARM=", "Disarmed", 0),
        ("*SIM.END=Data overrun", "Data overrun", 4),
        ("*SIM.END=DMA data error", "DMA data error", 4),
        ("*SIM.DROP=DATA", "Disconnected", 5),
    ],
)
def test_the_exit_status_tells_how_it_ended(
    capture: Capture, sim: Sim, tmp_path: Path, end: str, words: str, exit_status: int
) -> None:
    sim.put("*SIM.SAMPLES=0")
    server = capture("a.h5")
    server.wait_for("Waiting")
    sim.put("*PCAP.ARM=")
    server.wait_for(r"Capturing  [1-9]\d* samples")
    sim.put(end)
    assert status(server) == exit_status
    assert f"{words}: " in server.text().splitlines()[-1]
    with h5py.File(tmp_path / "a.h5") as file:
        check(tmp_path / "a.h5", 0, file.attrs["samples"])
        assert file.attrs["end_reason"].decode() == words


def test_another_layout_ends_forever(capture: Capture, sim: Sim) -> None:
    server = capture("a.h5", "--mode", "forever")
    server.wait_for("Waiting")
    sim.put("*PCAP.ARM=")
    while not is_idle(sim.ask("*PCAP.STATUS?")[0].removeprefix("OK =")):
        time.sleep(0.01)
    sim.put("COUNTER2.OUT.CAPTURE=Value", "*PCAP.ARM=")
    assert status(server) == 6


def test_what_can_not_begin(capture: Capture, sim: Sim, tmp_path: Path) -> None:
    (tmp_path / "there.h5").write_text("mine")
    for server, words in (
        (capture("there.h5"), "exists already"),
        (capture("no/a.h5"), "no directory"),
        (capture("a.h5", "--mode", "last"), "the last 0 samples"),
        (capture("a.h5", address=f"{sim.host}:{sim.port}:1"), "Connection refused"),
    ):
        assert status(server) == 1
        assert words in server.text()
        assert len(server.text().splitlines()) == 1
    assert (tmp_path / "there.h5").read_text() == "mine"
    sim.put("*CAPTURE=")
    server = capture("a.h5", "--arm")
    assert status(server) == 1
    assert "Nothing configured for capture" in server.text()
    assert not (tmp_path / "a.h5").exists()


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    try:
        yield ours, theirs
    finally:
        os.close(ours)


def test_progress_on_a_terminal_is_one_line(sim: Sim, tmp_path: Path) -> None:
    sim.put("*SIM.SAMPLES=30000")
    command = [*PROGRAM, "capture", sim.address, str(tmp_path / "a.h5"), "--arm", "--num", "20000"]
    with terminal() as (ours, theirs):
        process = subprocess.Popen(command, stderr=theirs, stdout=subprocess.PIPE, text=True)
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:  # the other end has been closed
                break
        assert process.communicate()[0].startswith("Ok: 20000 samples")
    assert process.returncode == 0
    assert shown.count(b"\n") == 1
    assert re.search(rb"\r.* MB/s  queue \d+ %  \[#+\.+\] \d+ %", shown)
