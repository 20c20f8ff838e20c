"""Start and stop EPICS: access security, records, the CA and PVA servers."""

import asyncio
import logging
import os
from pathlib import Path
from typing import NoReturn

from softioc import imports, softioc
from softioc.asyncio_dispatcher import AsyncioDispatcher

from panda_ioc.errors import ConfigurationError
from panda_ioc.ioc.epics import dbcore
from panda_ioc.ioc.epics.database import Database
from panda_ioc.ioc.epics.templates import load_statistics
from panda_ioc.ioc.epics.trap import PutTrap
from panda_ioc.ioc.options import Options

_PACKAGE = Path(__file__).parents[2]
_INSTALLED, _CHECKOUT = _PACKAGE / "db", _PACKAGE.parents[1] / "db"
DB = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
"""Hand-written files for EPICS."""

log = logging.getLogger(__name__)


def start_epics(database: Database, options: Options) -> None:
    """Load the records and start the CA and PVA servers."""
    if options.bind:
        for variable in ("EPICS_CAS_INTF_ADDR_LIST", "EPICS_PVAS_INTF_ADDR_LIST"):
            os.environ[variable] = options.bind
    security = options.access_security or DB / "access.acf"
    _load_access_security(security)
    PutTrap(options.log_puts, database.wide).listen()
    release_memory_lock()
    enlarge_callback_queue()
    database.load()
    if not load_statistics(options.prefix, DB / "health.db"):
        log.warning("%s:IOC: no devIocStats: EPICS cannot have its names", options.prefix)
    softioc.iocInit(AsyncioDispatcher(asyncio.get_running_loop()))
    _check_access_security(security)


def release_memory_lock() -> None:
    """Keep EPICS from locking all memory, which it does as root; call before iocInit."""
    dbcore.is_memory_locked.value = 0


def enlarge_callback_queue(size: int = 20000) -> None:
    """Make room for this many completions of puts at once; call before iocInit."""
    imports.callbackSetQueueSize(size)


def exit_epics(status: int) -> NoReturn:
    """End the process, and before it the threads of EPICS, which Python does not know."""
    softioc.epicsExit(status)
    raise SystemExit(status)


def _load_access_security(path: Path) -> None:
    """Set the access security file; call before iocInit, which reads it."""
    if not path.is_file():
        raise ConfigurationError(f"{path}: no such access security file")
    dbcore.set_access_file(str(path).encode())


def _check_access_security(path: Path) -> None:
    """Raise `ConfigurationError` if EPICS could not read the file; call after iocInit.

    Without it EPICS has not started, and its records must not be touched.
    """
    if not dbcore.is_security_active.value:
        raise ConfigurationError(
            f"{path}: no valid access security file, see what EPICS says of it"
        )
