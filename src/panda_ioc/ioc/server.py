"""Start and stop: one PandA, one EPICS server, one process."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from panda_ioc.device.model import Device
from panda_ioc.errors import ConfigurationError, PandAError, describe
from panda_ioc.files import write_atomically
from panda_ioc.ioc.bridge import Bridge
from panda_ioc.ioc.epics.database import Database
from panda_ioc.ioc.epics.notify import confirm_refusal
from panda_ioc.ioc.epics.shell import Shell
from panda_ioc.ioc.epics.start import exit_epics, start_epics
from panda_ioc.ioc.kept_device import KeptDevice
from panda_ioc.ioc.options import Options
from panda_ioc.ioc.panda.connection import DeviceChanged
from panda_ioc.ioc.panda.identity import wait_for_device
from panda_ioc.ioc.screens import check_screens, write_screens
from panda_ioc.records.alarm_tree import alarm_tree
from panda_ioc.records.build import RecordSet, build_records
from panda_ioc.records.own import STATUS
from panda_ioc.records.pv_list import pv_lists

EXIT_DIFFERENT = 3
"""Exit status when a different PandA answers and the bridge is not to replace itself."""

EXIT_FAULT = 4
"""Exit status when a part of the bridge failed: its supervisor shall start it again."""

EXIT_TIMEOUT = 70.0
"""Seconds until the process ends after such a failure, even if a thread of it hangs: a little more
than a file that is open may take to be closed."""

SWITCH_INTERVAL = 0.0005
"""Seconds that one thread may keep others waiting: data come in threads of their own, and Python's
5 ms, several times over, are what puts would wait for them."""

log = logging.getLogger(__name__)


def run(options: Options, on_serving: Callable[[], None] = lambda: None) -> NoReturn:
    """Serve a PandA until SIGTERM or SIGINT, then end the process.

    Args:
        options: what and how
        on_serving: called once the records are there
    """
    _check(options)
    sys.setswitchinterval(SWITCH_INTERVAL)
    threading.excepthook = _thread_failed
    status = asyncio.run(_serve(options, on_serving))
    _flush()
    exit_epics(status)


def _check(options: Options) -> None:
    """Check the options before anything is started."""
    if options.screens_dir is not None:
        check_screens(options.screens_dir)
    options.check()


async def _serve(options: Options, on_serving: Callable[[], None]) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    shell = Shell(lambda: loop.call_soon_threadsafe(stop.set))

    def begin() -> None:
        on_serving()
        if options.iocsh:
            shell.start()

    serving = asyncio.create_task(_bridge(options, begin))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    status = _ended(serving, options) if serving.done() else 0
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    shell.close()
    log.info("stopped")
    return status


def _ended(serving: "asyncio.Task[None]", options: Options) -> int:
    """Return the exit status when serving ended by itself, because it cannot go on."""
    error = serving.exception()
    changed = _device_changed(error)
    if changed is None:
        return _fault(error)
    KeptDevice(options.cache).write(changed.device)
    if not options.replace:
        log.error("%s; start the bridge again to serve it", changed)
        return EXIT_DIFFERENT
    log.warning("%s; beginning anew", changed)
    return _replace()


def _fault(error: BaseException | None) -> int:
    """Log why the bridge cannot go on; return the exit status."""
    if isinstance(error, PandAError | OSError):
        raise error  # what the user asked for cannot be: the command line says so
    log.critical("a part of the bridge failed, the process ends: %s", _words(error), exc_info=error)
    end = threading.Timer(EXIT_TIMEOUT, os._exit, (EXIT_FAULT,))
    end.daemon = True
    end.start()
    return EXIT_FAULT


def _words(error: BaseException | None) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return "no reason given" if error is None else describe(error)


def _thread_failed(hook: threading.ExceptHookArgs) -> None:
    """Log what ended a thread."""
    name = hook.thread.name if hook.thread else "a thread"
    log.critical("%s failed", name, exc_info=hook.exc_value)


def _device_changed(error: BaseException | None) -> DeviceChanged | None:
    """Return the `DeviceChanged` that ended a group of tasks, if there is one."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error if isinstance(error, DeviceChanged) else None


def _replace() -> NoReturn:
    """Replace the process by a new one: EPICS cannot change its records while it runs."""
    _flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - ourselves


def _flush() -> None:
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()


async def _bridge(options: Options, on_serving: Callable[[], None]) -> None:
    kept = KeptDevice(options.cache)
    device = kept.read()
    if device is not None:
        bridge, records = _begin_kept(options, device, kept)
    else:
        device = await wait_for_device(options.address)
        kept.write(device)
        bridge, records = _begin(options, device, is_fresh=True)
    log.info(
        "serving %s as %s: %d records, %d names",
        options.address,
        options.prefix,
        len(records.specs),
        len(records.names),
    )
    on_serving()
    async with asyncio.TaskGroup() as group:
        group.create_task(bridge.run())
        group.create_task(asyncio.to_thread(_write_files, options, device, records))


def _begin(options: Options, device: Device, is_fresh: bool) -> tuple[Bridge, RecordSet]:
    """Make the records of a device, and start EPICS with them."""
    records = build_records(device, options.prefix, options.table_rows)
    bridge = Bridge(options, device, is_fresh, records)
    database = Database(records, bridge.on_put(), bridge.validate())
    start_epics(database, options)
    if not confirm_refusal(f"{options.prefix}:{STATUS}"):
        log.warning("refused puts are reverted but not failed: unknown version of EPICS")
    bridge.attach(database.find())
    return bridge, records


def _begin_kept(options: Options, device: Device, kept: KeptDevice) -> tuple[Bridge, RecordSet]:
    """Begin with a device from the cache; if that fails, begin anew without the cache."""
    try:
        return _begin(options, device, is_fresh=False)
    except ConfigurationError:
        raise  # what the user asked for cannot be, with any device
    except Exception as error:  # EPICS asserts what it does not like
        kept.set_aside(error)
        return _replace()


def _write_files(options: Options, device: Device, records: RecordSet) -> None:
    """Write screens and lists of PVs; an error is only logged."""
    try:
        if options.pv_list is not None:
            for ending, text in pv_lists(records).items():
                name = f"{options.pv_list.stem}{ending}{options.pv_list.suffix}"
                write_atomically(options.pv_list.with_name(name), text)
        if options.alarm_config is not None:
            screens = options.screens_dir.absolute() if options.screens_dir else Path()
            text = alarm_tree(device, records, options.alarm_config.stem, screens)
            write_atomically(options.alarm_config, text)
        if options.screens_dir is not None:
            write_screens(options.screens_dir, device, records)
    except OSError as error:
        log.error("file not written: %s", error)
