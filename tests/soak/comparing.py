"""Whether every PV is right at the end.

A simulated PandA stands still then, so all of them are right at once. Hardware may move on, so
each of its PVs has to be right at some look.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aioca
import numpy as np
from panda import PandA
from soaked import Soaked

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.introspection import introspect
from panda_ioc.records.build import build_records
from panda_ioc.records.specs import RecordSpec
from support.servers import EpicsPorts, Ioc
from support.truth import Truth

WRITE, ROUNDS = 2, 15
AT_REST = {
    "DATA:CAPTURE": 0,
    "DATA:BUSY": 0,
    "DATA:WAIT": 0,
    "PCAP:ARM": 0,
    "PCAP:WAIT": 0,
    "PCAP:ACTIVE": 0,
}
HISTORY = ("IOC:", "DATA:", "ERROR")
"""Own records that tell what has happened, or keep settings of the bridge."""
_LIVE = "DATA"  # FIELD:DATA:KIND


class Comparison:
    """Compares each PV with its field, and each with that of a bridge that has just begun."""

    def __init__(self, soaked: Soaked, truth: Truth, names: Sequence[str]) -> None:
        self._soaked, self._truth, self.names = soaked, truth, names

    @classmethod
    async def of(cls, soaked: Soaked) -> "Comparison":
        """For what the PandA says that it is now."""
        specs = await _specs(soaked.panda)
        truth = await Truth.of(soaked.panda, soaked.ioc)
        return cls(soaked, truth, [spec.name for spec in specs if _is_of_now(spec)])

    async def differences(self, scratch: Path, ports: EpicsPorts) -> list[str]:
        """What is shown wrongly, or as not known."""
        panda = self._soaked.panda
        address = f"{panda.host}:{panda.port}:{panda.data_port}"
        with Ioc(scratch / "fresh.log", ports, address) as fresh:
            wrong = await self._look(fresh)
            for _ in range(ROUNDS):
                if not wrong:
                    break
                again = await self._look(fresh)
                stands_still = panda.is_simulated
                wrong = {key: text for key, text in again.items() if stands_still or key in wrong}
        aioca.purge_channel_caches()
        print(f"{len(self._truth.specs)} PVs compared with the PandA,", end=" ")
        print(f"{len(self.names)} with a bridge that has just begun")
        return list(wrong.values())

    async def _look(self, fresh: Ioc) -> dict[tuple[str, str], str]:
        """What is wrong, by what it was compared with and the PV."""
        await asyncio.sleep(1)
        found = {
            "device": await self._truth.differences(aioca),
            "new bridge": await self._from(fresh),
            "rest": await self._not_at_rest(),
        }
        return {(of, text.split(": ")[0]): text for of, texts in found.items() for text in texts}

    async def _from(self, fresh: Ioc) -> list[str]:
        ours, theirs = [
            await aioca.caget(
                [ioc.pv(name) for name in self.names],
                format=aioca.FORMAT_TIME,
                timeout=60,
                throw=False,
            )
            for ioc in (self._soaked.ioc, fresh)
        ]
        prefixes = self._soaked.ioc.prefix, fresh.prefix
        triples = zip(self.names, ours, theirs, strict=True)
        return [
            f"{name}: shows {_short(our)}, a new bridge {_short(their)}"
            for name, our, their in triples
            if not _same(our, their, *prefixes)
        ]

    async def _not_at_rest(self) -> list[str]:
        ioc = self._soaked.ioc
        values = await aioca.caget(
            [ioc.pv(name) for name in AT_REST], format=aioca.FORMAT_TIME, throw=False
        )
        pairs = zip(AT_REST.items(), values, strict=True)
        return [
            f"{name}: {_short(value)} at rest"
            for (name, wanted), value in pairs
            if not value.ok or value != wanted
        ]


async def _specs(panda: PandA) -> Sequence[RecordSpec]:
    async with AsyncioClient(panda.host, panda.port) as client:
        return build_records(await introspect(client), "ANY").specs


def _is_of_now(spec: RecordSpec) -> bool:
    is_live = f":{_LIVE}:" in spec.name
    return not spec.name.startswith(HISTORY) and not is_live


def _same(ours: Any, theirs: Any, our_prefix: str, their_prefix: str) -> bool:
    if not (ours.ok and theirs.ok):
        return not ours.ok and not theirs.ok
    if ours.severity != theirs.severity and ours.status != WRITE:  # a put may have been refused
        return False
    if isinstance(ours, np.ndarray):
        plain = _text(ours).replace(our_prefix.encode(), their_prefix.encode())
        return plain == _text(theirs) or np.array_equal(ours, theirs)
    return bool(str(ours) == str(theirs))


def _text(value: Any) -> bytes:
    return bytes(value.tobytes()).split(b"\0")[0] if value.dtype == np.uint8 else value.tobytes()


def _short(value: Any) -> str:
    return f"{str(value)[:60]!r} (alarm {value.severity})" if value.ok else str(value)[:60]
