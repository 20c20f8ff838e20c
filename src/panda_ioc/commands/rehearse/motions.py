"""Encoders that move from the arm on."""

from collections.abc import Iterable, Mapping

from panda_ioc.commands.rehearse.bench import Bench
from panda_ioc.errors import ConfigurationError, TwinError
from panda_ioc.sim.twin.trajectory import Trajectory
from panda_ioc.sim.twin.trajectory_text import parse_trajectory

_STARTS = "PCAP.ACTIVE"


def start_motions(bench: Bench, motions: Iterable[tuple[str, str]]) -> Mapping[str, Trajectory]:
    """Let encoders stand at the begin of their motions until PCAP is armed.

    Returns:
        the motions, by the position that they are of

    Raises:
        ConfigurationError: there is no such encoder, or the motion makes no sense
    """
    found: dict[str, Trajectory] = {}
    for name, text in motions:
        position = name if "." in name else f"{name}.VAL"
        try:
            found[position] = parse_trajectory(text)
            bench.network.move(position, found[position], trigger=_STARTS)
        except TwinError as error:
            raise ConfigurationError(f"--trajectory {name}: {error}") from error
    return found


def longest(motions: Mapping[str, Trajectory]) -> int | None:
    """Return the ticks of the longest motion, None if there is none, or one without end."""
    ticks = [motion.ticks for motion in motions.values()]
    known = [each for each in ticks if each is not None]
    return max(known) if known and len(known) == len(ticks) else None
