"""Start and stop: one PandA, one EPICS server, one process."""

import asyncio
import logging
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from softioc import softioc
from softioc.asyncio_dispatcher import AsyncioDispatcher

from panda_ioc.ioc import memory
from panda_ioc.ioc.bridge import Bridge
from panda_ioc.ioc.connection import Address, wait_for_device
from panda_ioc.ioc.database import Database
from panda_ioc.records.build import build_records
from panda_ioc.records.table_records import DEFAULT_ROWS

_INSTALLED, _CHECKOUT = Path(__file__).parents[1] / "db", Path(__file__).parents[3] / "db"
DB = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
"""Hand-written files for EPICS."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """What the command line decides.

    Attributes:
        address: of the PandA
        prefix: of all PVs
        poll_period: seconds between polls of changes
        table_rows: rows that are served of a table, at most
        screens_dir: where to write screens, or None
        access_security: file that says who may put; None: the packaged one
    """

    address: Address
    prefix: str
    poll_period: float = 0.1
    table_rows: int = DEFAULT_ROWS
    screens_dir: Path | None = None
    access_security: Path | None = None


def run(options: Options) -> int:
    """Serve a PandA until SIGTERM or SIGINT; returns the exit status."""
    status = asyncio.run(_serve(options))
    # EPICS has threads that Python does not know; they end with the process.
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


async def _serve(options: Options) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    serving = asyncio.create_task(_bridge(options))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        serving.result()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    log.info("stopped")
    return 0


async def _bridge(options: Options) -> None:
    device = await wait_for_device(options.address)
    records = build_records(device, options.prefix, options.table_rows)
    bridge = Bridge(options.address, device, records, options.poll_period)
    database = Database(records, bridge.on_put(), bridge.validate())
    start_epics(database, options.access_security or DB / "access.acf")
    if not memory.confirm_refusal(f"{options.prefix}:STATUS"):
        log.warning("refused puts are reverted but not failed: unknown version of EPICS")
    bridge.attach(database.find())
    log.info(
        "serving %s as %s: %d records, %d names",
        options.address,
        options.prefix,
        len(records.specs),
        len(records.names),
    )
    await bridge.run()


def start_epics(database: Database, access_security: Path) -> None:
    """Load the records and start the CA and PVA servers."""
    memory.load_access_security(access_security)
    memory.release_memory_lock()
    memory.enlarge_callback_queue()
    database.load()
    softioc.iocInit(AsyncioDispatcher(asyncio.get_running_loop()))
