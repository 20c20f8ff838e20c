"""What the bridge is made of."""

from collections.abc import Mapping

from panda_ioc.ioc.epics.database import OnPut, Validate
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.news import Board


class Part:
    """Some records and what is behind them; each part overrides what it has.

    A part is made before the records, so that it can say what handles their puts; it takes them
    once EPICS runs, and then runs itself.
    """

    def on_put(self) -> Mapping[str, OnPut]:
        """The coroutines that handle puts, by record."""
        return {}

    def validate(self) -> Mapping[str, Validate]:
        """Those that answer a put at once, in the thread of the client, by record."""
        return {}

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        """Take the records, and follow what concerns them."""

    async def run(self) -> None:
        """Work for ever; a part that has nothing to do by itself returns."""
