"""Questions that are under way: each is known until it is over."""

import asyncio

import pytest

from panda_ioc.ioc.panda.rechecks import Rechecks


class Asked:
    """Questions that end when a test says so."""

    def __init__(self, rechecks: Rechecks) -> None:
        self.rechecks = rechecks
        self.answers: list[asyncio.Future[None]] = []

    async def __call__(self, wire: str) -> None:
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answers.append(answer)
        await answer
        self.rechecks.answered(wire)
        self.rechecks.begin(wire, self)  # as a follower does that wants a newer answer

    async def begun(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.answers) < count:  # noqa: ASYNC110 - not an event
                await asyncio.sleep(0)


async def test_a_question_asked_from_within_an_answer_stays_known() -> None:
    rechecks = Rechecks()
    asked = Asked(rechecks)
    rechecks.begin("A", asked)
    rechecks.begin("A", asked)
    await asked.begun(1)
    asked.answers[0].set_result(None)
    await asked.begun(2)
    await asyncio.sleep(0)  # the first task ends
    rechecks.begin("A", asked)
    rechecks.begin("B", asked)
    await asked.begun(3)
    assert len(asked.answers) == 3, "a second question about A while one is under way"
    rechecks.cancel()
    await asyncio.sleep(0)
    assert all(answer.cancelled() for answer in asked.answers[1:])


async def test_a_fault_is_raised() -> None:
    rechecks = Rechecks()

    async def fails(wire: str) -> None:
        raise ValueError(wire)

    rechecks.begin("A", fails)
    with pytest.raises(ValueError, match="A"):
        await asyncio.wait_for(rechecks.fault(), 5)
