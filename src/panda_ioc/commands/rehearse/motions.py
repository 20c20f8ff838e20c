"""Encoders that move from the arm on."""

from collections.abc import Iterable, Mapping

from panda_ioc.commands.rehearse.bench import Bench
from panda_ioc.errors import ConfigurationError, TwinError
from panda_ioc.sim.twin.trajectory import Trajectory
from panda_ioc.sim.twin.trajectory_text import parse_trajectory

STARTS = "PCAP.ACTIVE"


def start_motions(bench: Bench, motions: Iterable[tuple[str, str]]) -> Mapping[str, Trajectory]:
    """Let encoders stand at the begin of their motions until a bit rises.

    Args:
        bench: the PandA
        motions: of an encoder, or of an encoder and a bit as `INENC1@TTLIN1.VAL`; the bit is
            PCAP.ACTIVE if it is left out. The last motion of an encoder counts

    Returns:
        the motions that start with PCAP.ACTIVE, by the position that they are of

    Raises:
        ConfigurationError: there is no such encoder, or the motion makes no sense
    """
    found: dict[str, Trajectory] = {}
    for name, text in motions:
        encoder, _, bit = name.partition("@")
        position = encoder if "." in encoder else f"{encoder}.VAL"
        try:
            motion = parse_trajectory(text)
            bench.network.move(position, motion, trigger=bit or STARTS)
        except TwinError as error:
            raise ConfigurationError(f"--trajectory {name}: {error}") from error
        found.pop(position, None)
        if bit in ("", STARTS):
            found[position] = motion
    return found


def longest(motions: Mapping[str, Trajectory]) -> int | None:
    """Return the ticks of the longest motion, None if there is none, or one without end."""
    ticks = [motion.ticks for motion in motions.values()]
    known = [each for each in ticks if each is not None]
    return max(known) if known and len(known) == len(ticks) else None
