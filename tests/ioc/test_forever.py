"""Work that shall never end, and ends."""

import asyncio
import logging

import pytest

from panda_ioc.ioc.parts.base import PartEnded, forever
from panda_ioc.ioc.parts.worker import Worker


async def returns() -> None:
    return


async def is_cancelled_within() -> None:
    waited = asyncio.get_running_loop().create_future()
    waited.cancel()
    await waited


async def fails() -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("work", "error"),
    [(returns, PartEnded), (is_cancelled_within, PartEnded), (fails, ZeroDivisionError)],
)
async def test_whatever_ends_it_ends_the_group(work: object, error: type[Exception]) -> None:
    async def together() -> None:
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            group.create_task(forever(work))  # type: ignore[arg-type]
            group.create_task(asyncio.sleep(3600))

    with pytest.raises(ExceptionGroup) as raised:
        await together()
    assert [type(each) for each in raised.value.exceptions] == [error]


async def test_cancelling_it_from_outside_is_no_fault() -> None:
    task = asyncio.create_task(forever(asyncio.Event().wait))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_what_fails_in_a_worker_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with Worker("test") as worker:
        worker.submit(divmod, 1, 0)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "ZeroDivisionError" in caplog.text
