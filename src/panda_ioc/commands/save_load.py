"""`panda-ioc save` and `panda-ioc load`: the settings of a PandA to a file and back."""

import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from panda_ioc import statefile
from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.introspection import introspect
from panda_ioc.statefile import Loaded
from panda_ioc.statefile.lines import Setting


def save(host: str, port: int, timeout: float, path: Path) -> int:
    """Write the settings of a PandA to a file; returns the exit status."""
    lines = asyncio.run(_get(host, port, timeout))
    statefile.write(path, lines)
    sys.stdout.write(f"{path}: {len(lines)} lines\n")
    return 0


def load(host: str, port: int, timeout: float, path: Path) -> int:
    """Set a PandA from a file; 1 if it refused any line, each of which is printed."""
    settings = statefile.read(path)
    logging.getLogger("panda_ioc.protocol").setLevel(logging.ERROR)  # it is said below, once
    loaded = asyncio.run(_set(host, port, timeout, settings))
    for each in loaded.refused:
        sys.stderr.write(f"{path}: {each.line}: {each.reason}\n")
    sys.stdout.write(f"{path}: {loaded.sent} lines sent, {len(loaded.refused)} settings refused\n")
    if loaded.left_out:
        sys.stdout.write(f"{path}: {loaded.told()}\n")
    return 1 if loaded.refused else 0


async def _get(host: str, port: int, timeout: float) -> list[str]:
    async with AsyncioClient(host, port, timeout=timeout) as client:
        return await statefile.get_state(client, await introspect(client))


async def _set(host: str, port: int, timeout: float, settings: Sequence[Setting]) -> Loaded:
    async with AsyncioClient(host, port, timeout=timeout) as client:
        return await statefile.set_state(client, await introspect(client), settings)
