"""A box whose cable is really pulled. Not collected: `test_unplugged` runs it in a namespace of its
own, where it may make interfaces and take them down.

    near 10.99.0.1 (the bridge and its clients) --- far 10.99.0.2 (the PandA)
"""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scene import Seen

from support.servers import PROGRAM, SIM_READY, EpicsPorts, Ioc, Server
from support.truth import COMM, INVALID

CONNECTED = 2
NEAR, FAR = "10.99.0.1", "10.99.0.2"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@pytest.fixture(scope="module", autouse=True)
def cable() -> None:
    """The interfaces; `far` is moved to the PandA's namespace by `box`, and goes with it."""
    ip("link", "set", "lo", "up")
    ip("link", "add", "near", "type", "veth", "peer", "name", "far")
    ip("addr", "add", f"{NEAR}/24", "dev", "near")
    ip("link", "set", "near", "up")


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A simulator at the other end."""
    start = (
        "until ip link show far >/dev/null 2>&1; do sleep 0.05; done;"
        f"ip addr add {FAR}/24 dev far; ip link set far up;"
        f"exec {' '.join(PROGRAM)} sim --host {FAR}"
    )
    log = tmp_path_factory.mktemp("box") / "log"
    with Server(log, ["unshare", "-n", "sh", "-c", start]) as server:
        until_elsewhere(server.process.pid)
        ip("link", "set", "far", "netns", str(server.process.pid))
        server.wait_for(SIM_READY)
        yield server


def until_elsewhere(pid: int) -> None:
    while os.readlink(f"/proc/{pid}/ns/net") == os.readlink("/proc/self/ns/net"):
        time.sleep(0.01)


async def test_a_pulled_cable_is_noticed_on_both_ports_and_forgotten_when_it_is_back(
    box: Server, epics_ports: EpicsPorts, tmp_path: Path, ca: Any
) -> None:
    with (
        Ioc(tmp_path / "log", epics_ports, FAR) as ioc,
        Seen(ca, ioc.pv("PULSE1:WIDTH")) as width,
        Seen(ca, ioc.pv("DATA:LIVE:STATE")) as live,
        Seen(ca, ioc.pv("STATUS")) as status,
    ):
        await width.until(lambda value: value.severity == 0)
        await live.until(lambda text: text == "Waiting for an acquisition")
        started = time.monotonic()
        ip("link", "set", "near", "down")
        await width.lost()
        print(f"control port: noticed after {time.monotonic() - started:.1f} s")
        await live.until(lambda text: (text.severity, text.status) == (INVALID, COMM))
        print(f"data port: noticed after {time.monotonic() - started:.1f} s")
        since = len(width.updates), len(live.updates)
        ip("link", "set", "near", "up")
        started = time.monotonic()
        await width.until(lambda value: value.severity == 0, since[0])
        await live.until(lambda text: text == "Waiting for an acquisition", since[1])
        print(f"back after {time.monotonic() - started:.1f} s")
        await status.until(lambda state: state == CONNECTED, len(status.updates) - 1)
