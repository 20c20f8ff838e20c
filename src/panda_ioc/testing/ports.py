"""Ports of EPICS servers and clients on loopback, apart from those of the site."""

import contextlib
import functools
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"


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


@functools.cache
def epics_ports() -> EpicsPorts:
    """The ports of this process, which its clients use from now on.

    They are chosen once, as client libraries read the environment only when they make their first
    connection. Call this before.
    """
    ports = EpicsPorts()
    ports.export()
    return ports


@contextlib.contextmanager
def ca_repeater() -> Iterator[None]:
    """Run the repeater of CA clients, where there is one: they would leave one behind."""
    program = shutil.which("caRepeater")
    if program is None:
        yield
        return
    # A group of its own, as the program may be a script that runs the repeater.
    with subprocess.Popen([program], stdin=subprocess.DEVNULL, start_new_session=True) as repeater:
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(repeater.pid, signal.SIGKILL)


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
