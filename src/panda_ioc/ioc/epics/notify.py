"""Pending puts: tell the client of one that it failed.

A pending put is a `processNotify`, to which the field PPN of the record that it processes points;
its status decides what the client is told. Its layout is not promised by EPICS. So it is confirmed
once at start-up by `confirm_refusal`; where it does not hold puts are not failed, only reverted and
alarmed.
"""

import threading

from panda_ioc.ioc.epics import dbcore
from panda_ioc.ioc.epics.layouts import (
    NOTIFY_ERROR,
    NOTIFY_OK,
    PROCESS_AND_GET,
    DoneCallback,
    GetCallback,
    ProcessNotify,
)

_TIMEOUT = 5.0  # seconds
_UNTOUCHED = 0x5A5A


class _Abi:
    """Whether the running EPICS was seen to use the layout of `ProcessNotify`."""

    confirmed = False
    kept: ProcessNotify | None = None


def fail_notify(address: int) -> None:
    """Report to the client of a pending put that it failed; the caller holds the record's lock.

    Args:
        address: what PPN of the record holds
    """
    if not address or not _Abi.confirmed:
        return
    notify = ProcessNotify.from_address(address)
    # One that did not process the record only waits for this put to end: not its failure.
    if notify.was_processed:
        notify.status = NOTIFY_ERROR


def confirm_refusal(name: str) -> bool:
    """Process a passive record and check that EPICS reports it where `ProcessNotify` says.

    To be called once after iocInit. If False, puts cannot be failed, only reverted and alarmed.
    """
    done = threading.Event()
    # EPICS writes to the notify after its last callback, so it lives as long as the process.
    notify = _Abi.kept = ProcessNotify(
        status=_UNTOUCHED,
        was_processed=_UNTOUCHED,
        request_type=PROCESS_AND_GET,
        channel=dbcore.open_channel(name),
        get_callback=GetCallback(lambda _, __: None),
        done_callback=DoneCallback(lambda _: done.set()),
    )
    dbcore.process_notify(notify)
    is_done = done.wait(_TIMEOUT)
    _Abi.confirmed = is_done and (notify.status, notify.was_processed) == (NOTIFY_OK, 1)
    return _Abi.confirmed
