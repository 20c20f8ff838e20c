"""What PCAP is told to capture: entries of an index and a mode, one for each word."""

from collections.abc import Iterator, Sequence

from panda_ioc.errors import CommandError
from panda_ioc.sim.captured import CapturedColumn, PosOut
from panda_ioc.sim.state import PandAState
from panda_ioc.sim.twin import column as modes

# The server writes fewer than this.
_MOST = 64
_EXTERNAL = 32
_MODES = {
    "Value": (modes.VALUE,),
    "Diff": (modes.DIFF,),
    "Sum": (modes.SUM_LOW, modes.SUM_HIGH),
    "Mean": (modes.SUM_LOW, modes.SUM_HIGH),
    "Min": (modes.MIN,),
    "Max": (modes.MAX,),
    "StdDev": (modes.SQUARES_LOW, modes.SQUARES_MIDDLE, modes.SQUARES_HIGH),
}


def entries(state: PandAState, columns: Sequence[CapturedColumn]) -> list[int]:
    """Return what to write to WRITE for these columns.

    Raises:
        CommandError: there are more than PCAP takes
    """
    found = [entry for column in columns for entry in _entries(state, column)]
    if len(found) >= _MOST:
        raise CommandError("Too many captures for PCAP")
    return found


def _entries(state: PandAState, column: CapturedColumn) -> Iterator[int]:
    field = state.fields[column.name]
    if isinstance(field, PosOut):
        for mode in _MODES[column.kind]:
            yield field.index << 4 | mode
        return
    for register in field.spec.registers[: column.words]:
        yield _EXTERNAL + int(register) << 4
