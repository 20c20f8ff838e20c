"""The `*SIM` commands: what only a simulator can do.

The first twelve can be queried too; the first seven hold from the next `*PCAP.ARM=` on.

*SIM.RATE=samples/s     0: as fast as readers take them
*SIM.SAMPLES=n          in an acquisition; 0: until disarmed
*SIM.PERIOD=seconds     between frames
*SIM.FRAME=samples      at most in a frame; 0: 2 MiB
*SIM.BUFFER=bytes       kept for slow readers, who overrun beyond it
*SIM.DRAIN=seconds      PCAP stays busy so long after PCAP.ACTIVE has fallen
*SIM.DATA=SIGNALS|RAMP  see `signals`
*SIM.DISARM=reason      how an acquisition ends that is disarmed
*SIM.HOLD=0|1           acquisitions that are armed wait with their samples, until this is 0
*SIM.ALIVE=0|1          whether the hardware moves
*SIM.ROWS=rows/s        that streaming tables play while the hardware moves
*SIM.SPLIT=0|1          answer each command in two small writes, of which the system holds back the
                        second until the first is acknowledged (Nagle)
*SIM.END=reason         end the acquisition now with this reason
*SIM.ERROR=BLOCK.FIELD  reading it fails and *CHANGES? says (error) at every poll
*SIM.OK=BLOCK.FIELD     ... until this; without a name: all fields
*SIM.SET=NAME=value     hold a bit_out, pos_out or read field at a value (text as it is read)
*SIM.FREE=NAME          let it move again; without a name: all
*SIM.PULSE=NAME         report a bit_out although its value is the same
*SIM.DROP=CONTROL       close all other control connections
*SIM.DROP=DATA          close all data connections
*SIM.STALL=seconds      answer no command on any connection for so long (at most an hour)

Hardware may have commands of its own; those of a digital twin are in `twin_hardware.controls`.
"""

import time
from collections.abc import Callable, Sequence

from panda_ioc.errors import CommandError
from panda_ioc.sim import numbers
from panda_ioc.sim.captured import PosOut
from panda_ioc.sim.fields import BitOut, Read, SimField
from panda_ioc.sim.machine import Machine
from panda_ioc.sim.scan import Cursor
from panda_ioc.sim.settings import REASONS

_MAX_STALL = 3600.0
_MAX_ROWS = 1e9


class Simulation:
    """Carries out `*SIM` commands on a machine. Errors are CommandErrors, as for all commands."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def get(self, key: str) -> str:
        """Return the answer to `*SIM.key?`."""
        own = {k: c.get for k, c in self._machine.hardware.controls.items() if c.get}
        if key in own:
            return own[key]()
        if key not in _QUERIES:
            raise CommandError(f"*SIM.{key} cannot be read, only {' '.join([*_QUERIES, *own])}")
        return _QUERIES[key](self._machine)

    def put(self, key: str, text: str, session: object) -> None:
        """`session` is the connection that the command came on."""
        if key == "DROP":
            self._drop(text, session)
            return
        own = {k: c.put for k, c in self._machine.hardware.controls.items() if c.put}
        if key in own:
            own[key](text)
        elif key in _ACTIONS:
            _ACTIONS[key](self._machine, text)
        else:
            keys = " ".join([*_ACTIONS, "DROP", *own])
            raise CommandError(f"*SIM.{key} is unknown, only {keys}")
        self._machine.refresh(force=True)

    def _drop(self, text: str, session: object) -> None:
        if _choice("DROP", text, ("CONTROL", "DATA")) == "DATA":
            self._machine.drop_readers()
        else:
            self._machine.drop_others(session)


def _choice(key: str, text: str, choices: Sequence[str]) -> str:
    if text not in choices:
        raise CommandError(f"*SIM.{key}={text} is not one of {', '.join(choices)}")
    return text


def _number(key: str, text: str, limit: float) -> float:
    value = numbers.parse_double(text)
    if not 0 <= value <= limit:
        raise CommandError(f"*SIM.{key}={text} is not between 0 and {limit:g}")
    return value


def _bit(text: str) -> int:
    cursor = Cursor(text)
    bit = cursor.bit()
    cursor.end()
    return bit


def _field(machine: Machine, name: str) -> SimField:
    if name not in machine.state.fields:
        raise CommandError(f"{name} is not a field, written like TTLIN1.VAL")
    return machine.state.fields[name]


def _configure(key: str, whole: bool) -> Callable[[Machine, str], None]:
    def put(machine: Machine, text: str) -> None:
        value = _number(key, text, _LIMITS[key])
        machine.capture.configure(**{key.lower(): int(value) if whole else value})

    return put


def _put_data(machine: Machine, text: str) -> None:
    machine.capture.configure(ramp=_choice("DATA", text, ("SIGNALS", "RAMP")) == "RAMP")


def _put_hold(machine: Machine, text: str) -> None:
    if _choice("HOLD", text, ("0", "1")) == "1":
        machine.capture.configure(hold=True)
    else:
        machine.capture.release()


def _put_disarm(machine: Machine, text: str) -> None:
    machine.disarm_reason = _choice("DISARM", text, REASONS)


def _put_rows(machine: Machine, text: str) -> None:
    machine.hardware.rows = _number("ROWS", text, _MAX_ROWS)


def _put_alive(machine: Machine, text: str) -> None:
    machine.alive = _choice("ALIVE", text, ("0", "1")) == "1"
    machine.wakes = False


def _put_split(machine: Machine, text: str) -> None:
    machine.split = _choice("SPLIT", text, ("0", "1")) == "1"


def _put_end(machine: Machine, text: str) -> None:
    machine.end(_choice("END", text, REASONS))


def _put_error(machine: Machine, text: str) -> None:
    field = _field(machine, text)
    if not field.item:
        raise CommandError(f"{text} is never reported")
    field.item.error = True


def _put_ok(machine: Machine, text: str) -> None:
    fields = [_field(machine, text)] if text else machine.state.fields.values()
    for field in fields:
        if field.item and field.item.error:
            field.item.error = False
            field.item.touch()


def _put_set(machine: Machine, text: str) -> None:
    name, _, value = text.partition("=")
    field = _field(machine, name)
    if not isinstance(field, BitOut | PosOut | Read):
        raise CommandError(f"{name} is not a bit_out, pos_out or read field; put it directly")
    raw = _bit(value) if isinstance(field, BitOut) else field.parse(value)
    if not machine.hardware.set_level(field, raw):
        field.show(raw)
        machine.state.pinned.add(name)


def _put_free(machine: Machine, text: str) -> None:
    machine.state.pinned -= {text} if text else set(machine.state.pinned)


def _put_pulse(machine: Machine, text: str) -> None:
    field = _field(machine, text)
    if not isinstance(field, BitOut):
        raise CommandError(f"{text} is not a bit_out")
    field.pulse()


def _put_stall(machine: Machine, text: str) -> None:
    machine.stalled_until = time.monotonic() + _number("STALL", text, _MAX_STALL)


_LIMITS = {
    "RATE": 1e12,
    "SAMPLES": 1e15,
    "PERIOD": 3600.0,
    "FRAME": 1e9,
    "BUFFER": 2.0**40,
    "DRAIN": 3600.0,
}

_ACTIONS: dict[str, Callable[[Machine, str], None]] = {
    "RATE": _configure("RATE", whole=False),
    "SAMPLES": _configure("SAMPLES", whole=True),
    "PERIOD": _configure("PERIOD", whole=False),
    "FRAME": _configure("FRAME", whole=True),
    "BUFFER": _configure("BUFFER", whole=True),
    "DRAIN": _configure("DRAIN", whole=False),
    "DATA": _put_data,
    "DISARM": _put_disarm,
    "HOLD": _put_hold,
    "ALIVE": _put_alive,
    "ROWS": _put_rows,
    "SPLIT": _put_split,
    "END": _put_end,
    "ERROR": _put_error,
    "OK": _put_ok,
    "SET": _put_set,
    "FREE": _put_free,
    "PULSE": _put_pulse,
    "STALL": _put_stall,
}

_QUERIES: dict[str, Callable[[Machine], str]] = {
    "RATE": lambda machine: numbers.format_double(machine.capture.settings.rate),
    "SAMPLES": lambda machine: str(machine.capture.settings.samples),
    "PERIOD": lambda machine: numbers.format_double(machine.capture.settings.period),
    "FRAME": lambda machine: str(machine.capture.settings.frame),
    "BUFFER": lambda machine: str(machine.capture.settings.buffer),
    "DRAIN": lambda machine: numbers.format_double(machine.capture.settings.drain),
    "DATA": lambda machine: "RAMP" if machine.capture.settings.ramp else "SIGNALS",
    "DISARM": lambda machine: machine.disarm_reason,
    "HOLD": lambda machine: str(int(machine.capture.settings.hold)),
    "ROWS": lambda machine: numbers.format_double(machine.hardware.rows),
    "ALIVE": lambda machine: str(int(machine.alive)),
    "SPLIT": lambda machine: str(int(machine.split)),
}
