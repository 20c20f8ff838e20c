"""Says once what keeps the twin from following real time."""

import logging

from panda_ioc.sim.numbers import CLOCK_FREQUENCY
from panda_ioc.sim.twin.motion import Motion
from panda_ioc.sim.twin.network import Network
from panda_ioc.sim.twin.outputs import BitOutput, Output, PositionOutput

_log = logging.getLogger(__name__)
# Seconds behind at which it is said, and seconds until it may be said again.
_MUCH = 0.5
_SILENCE = 60.0


class LagReport:
    """Warns of a twin that falls behind, naming the output that makes most events."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._said: float | None = None

    def look(self, now: float, lag: float) -> None:
        """Look at how many simulated seconds the twin is behind at a moment."""
        if lag < _MUCH or (self._said is not None and now - self._said < _SILENCE):
            return
        self._said = now
        output, rate = self.busiest()
        _log.warning(
            "the twin is %.1f s behind, so its time stretches: %s makes most events, %.3g in a"
            " second at %d inputs",
            *(lag, output.name, rate, len(output.listeners)),
        )

    def busiest(self) -> tuple[Output, float]:
        """Return the output that makes most events, and how often it changes in a second."""
        outputs = [o for block in self._network.blocks.values() for o in block.outputs.values()]
        rates = [(output, self._rate(output)) for output in outputs]
        return max(rates, key=lambda each: each[1] * (1 + len(each[0].listeners)))

    def _rate(self, output: Output) -> float:
        changes, since = _recent(output)
        return changes * CLOCK_FREQUENCY / max(1, self._network.now - since)


def _recent(output: Output) -> tuple[int, int]:
    """Return how many changes are still known, and the tick of the oldest of these."""
    if not isinstance(output, Motion) and output.lazy:
        return 0, 0
    if isinstance(output, PositionOutput):
        return 2, output.second[0]
    if isinstance(output, Motion):
        return 2, output.sent[0]
    edges = output.edges if isinstance(output, BitOutput) else ()
    return (len(edges), edges[0]) if edges else (0, 0)
