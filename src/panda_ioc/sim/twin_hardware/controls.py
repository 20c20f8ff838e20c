"""The `*SIM` commands that only a twin has.

*SIM.SPEED=n            simulated seconds in a real second; 1 at first
*SIM.SPEED=0            as fast as possible while PCAP is armed and something is to happen, for an
                        hour of simulated time; data clients are waited for
*SIM.SPEED=0 seconds    ... for so many simulated seconds after the arm
*SIM.LAG?               simulated seconds by which the twin is behind what SPEED asks for, since it
                        was armed or its speed set
*SIM.TICK?              the tick of 8 ns that the twin has reached
*SIM.STEP=ticks         let so many ticks go by while time stands still otherwise (*SIM.ALIVE=0);
                        each register that a command writes takes 25 more, SET takes one
*SIM.SET=NAME=value     sets an input from outside (TTLIN1.VAL, INENC1.VAL) instead of holding it
*SIM.TRAJECTORY=INENC1=text             move an encoder from now on, see `twin.trajectory_text`
*SIM.TRAJECTORY=INENC1@PCAP.ACTIVE=text ... when a bit rises; it waits at its first position
*SIM.DATA?              TWIN

RATE, SAMPLES and HOLD have no effect: samples come when PCAP is triggered. Neither has ROWS: tables
are played by the blocks.
"""

from collections.abc import Callable, Mapping

from panda_ioc.errors import CommandError
from panda_ioc.sim.hardware import Control
from panda_ioc.sim.numbers import format_double, parse_double
from panda_ioc.sim.twin_hardware.pace import HORIZON, Pace

_FASTEST = 1e6
_LONGEST = 1e9
_MOST_TICKS = 12_500_000


# What moves, how, and the bit that starts it.
Move = Callable[[str, str, str], None]


def controls(
    pace: Pace, tick: Callable[[], int], step: Callable[[int], None], move: Move
) -> Mapping[str, Control]:
    """Return the commands by what comes after `*SIM.`."""
    return {
        "SPEED": Control(lambda: _speed(pace), lambda text: _put_speed(pace, text)),
        "DATA": Control(lambda: "TWIN", _check_data),
        "LAG": Control(lambda: format_double(pace.lag)),
        "STEP": Control(put=lambda text: _put_step(step, text)),
        "TICK": Control(lambda: str(tick())),
        "TRAJECTORY": Control(put=lambda text: _put_trajectory(move, text)),
    }


def _speed(pace: Pace) -> str:
    speed = format_double(pace.speed)
    return speed if pace.speed else f"{speed} {format_double(pace.horizon)}"


def _check_data(text: str) -> None:
    if text != "TWIN":
        raise CommandError(f"*SIM.DATA={text}: a twin captures what its PCAP does, TWIN")


def _put_step(step: Callable[[int], None], text: str) -> None:
    ticks = parse_double(text)
    if not 0 <= ticks <= _MOST_TICKS:
        raise CommandError(f"*SIM.STEP={text} is not between 0 and {_MOST_TICKS}")
    step(int(ticks))


def _put_trajectory(move: Move, text: str) -> None:
    what, _, trajectory = text.partition("=")
    encoder, _, trigger = what.partition("@")
    move(encoder if "." in encoder else f"{encoder}.VAL", trajectory, trigger)


def _put_speed(pace: Pace, text: str) -> None:
    first, _, rest = text.partition(" ")
    speed, horizon = parse_double(first), parse_double(rest) if rest else HORIZON
    if not 0 <= speed <= _FASTEST:
        raise CommandError(f"*SIM.SPEED={text}: a speed is between 0 and {_FASTEST:g}")
    if rest and (speed or not 0 < horizon <= _LONGEST):
        raise CommandError(
            f"*SIM.SPEED={text}: only speed 0 has a horizon, of up to {_LONGEST:g} s"
        )
    pace.set(speed, horizon)
