"""Whether a bridge shows what its device has: every PV of a field, compared with the field."""

import math
import socket
from collections.abc import Sequence
from typing import Any

import numpy as np

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.introspection import introspect
from panda_ioc.errors import BadValue
from panda_ioc.records import limits
from panda_ioc.records.build import build_records
from panda_ioc.records.specs import RecordSpec
from support.servers import Ioc, Sim

INVALID = 3
READ, WRITE, COMM = 1, 2, 9
_MAX_CHARS = 39


class Truth:
    """Compares the PVs of one bridge with its simulated PandA."""

    def __init__(self, sim: Sim, ioc: Ioc, specs: Sequence[RecordSpec]) -> None:
        self.specs = specs
        self._sim, self._ioc = sim, ioc

    @classmethod
    async def of(cls, sim: Sim, ioc: Ioc) -> "Truth":
        """For what the simulator says that it is."""
        async with AsyncioClient(sim.host, sim.port) as client:
            records = build_records(await introspect(client), ioc.prefix)
        return cls(sim, ioc, [s for s in records.specs if s.wire and s.codec and s.readable])

    @property
    def names(self) -> list[str]:
        """Full names of the PVs."""
        return [self._ioc.pv(spec.name) for spec in self.specs]

    async def differences(self, ca: Any) -> list[str]:
        """What is shown wrongly, or as not known; nothing should move meanwhile."""
        texts = self._texts()
        values = await ca.caget(self.names, format=ca.FORMAT_TIME, timeout=30, throw=False)
        pairs = zip(self.specs, values, strict=True)
        return [line for spec, value in pairs if (line := _difference(spec, value, texts))]

    def _texts(self) -> dict[str, str]:
        wires = sorted({wire for s in self.specs for wire in (s.wire, *s.scaled_by)})
        with socket.create_connection((self._sim.host, self._sim.port), 30) as connection:
            connection.sendall("".join(f"{wire}?\n" for wire in wires).encode())
            with connection.makefile(encoding="utf-8") as replies:
                return {wire: replies.readline().rstrip("\n") for wire in wires}


def _difference(spec: RecordSpec, value: Any, texts: dict[str, str]) -> str:
    if not value.ok:
        return f"{spec.name}: {value}"
    text = texts[spec.wire]
    if not text.startswith("OK ="):  # a reading that the PandA cannot make
        return "" if value.severity == INVALID else f"{spec.name}: {value} where {text!r}"
    if value.severity == INVALID and value.status != WRITE:  # the last put may have been refused
        return f"{spec.name}: alarm {value.status}, but the device has {text!r}"
    expected = _expected(spec, texts)
    good = expected is None or _same(value, expected)
    return "" if good else f"{spec.name}: shows {value!r}, the device has {text!r}"


def _expected(spec: RecordSpec, texts: dict[str, str]) -> Any:
    numbers = [texts[wire].removeprefix("OK =") for wire in (spec.wire, *spec.scaled_by)]
    if spec.scaled_by:
        raw, scale, offset = map(float, numbers)
        return raw * scale + offset
    try:
        return spec.codec.decode(numbers[0]) if spec.codec else None
    except BadValue:
        return None  # shown as not one of the choices


def _same(value: Any, expected: Any) -> bool:
    if isinstance(value, np.ndarray):  # a long string
        return bytes(value).split(b"\0")[0].decode() == expected
    if isinstance(expected, str):
        return str(value) in (expected, limits.cut(expected, _MAX_CHARS))
    return math.isclose(float(value), float(expected), rel_tol=1e-12, abs_tol=1e-12)
