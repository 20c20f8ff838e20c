"""The tables of SEQ and PGEN on their way into the twin."""

from array import array
from collections.abc import Callable, Iterator

from panda_ioc.errors import CommandError, TwinError
from panda_ioc.sim.hardware import Words
from panda_ioc.sim.state import PandAState
from panda_ioc.sim.table import TableState
from panda_ioc.sim.twin.blocks.pgen import Pgen
from panda_ioc.sim.twin.blocks.seq import Seq
from panda_ioc.sim.twin.driver import SPACING, TableDriver
from panda_ioc.sim.twin.network import Network


class TableChannel:
    """One table. What is sent is on its way before the call returns.

    Args:
        table: the table, which shows how many of its lines wait
        network: the twin
        driver: hands buffers to the block
        before: brings the twin to the present
    """

    def __init__(
        self, table: TableState, network: Network, driver: TableDriver, before: Callable[[], None]
    ) -> None:
        self._table = table
        self._network = network
        self._driver = driver
        self._before = before

    def reset(self) -> None:
        self._before()
        self._driver.reset()
        self.show()

    def send(self, words: Words, more: bool) -> None:
        self._before()
        try:
            self._driver.send(array("I", words.astype("=u4").tobytes()), more)
        except TwinError as error:
            raise CommandError(str(error)) from error
        self._network.run_until(self._network.now + 2 * SPACING)
        self.show()

    def show(self) -> None:
        """Show the lines that wait or are being read."""
        self._table.show_queued(self._driver.words // self._table.row_words)


def connect(
    network: Network, state: PandAState, before: Callable[[], None]
) -> Iterator[TableChannel]:
    """Connect the tables of a PandA to the blocks that read them."""
    for field in state.fields.values():
        name = field.name.rpartition(".")[0]
        block = network.blocks.get(name)
        if isinstance(field, TableState) and isinstance(block, Seq | Pgen):
            channel = TableChannel(field, network, TableDriver(network, name, block.table), before)
            field.channel = channel
            yield channel
