"""What makes the simulated PandA move.

Nothing runs by itself: when a client asks, the hardware is brought up to that moment. A bit that
toggled in between is reported even where its value is the same, as the FPGA does.

    TTLIN, LVDSIN   instance n toggles every n / 2 seconds
    INENC           VAL turns slowly, A and B are its lowest bits, CONN is 1
    BITS            OUTx follows x
    CLOCK           OUT has PERIOD and WIDTH (half of it if 0) while ENABLE is high
    COUNTER         counts rising edges of TRIG while ENABLE is high; obeys START, STEP, MIN, MAX,
                    DIR and SET, pulses CARRY
    PULSE           OUT pulses for WIDTH on rising edges of TRIG while ENABLE is high
    SYSTEM          readings drift
    tables          streaming ones play `rows` rows a second, see QUEUED_LINES
    any pos_out     shows the last captured sample while armed (a COUNTER if its TRIG is ZERO)

The rest of the blocks holds its settings and does nothing, and so does a block of these that an
application gives other fields. PCAP.ACTIVE always follows arm and disarm.
"""

import math
import zlib
from collections.abc import Callable, Container, Mapping

from panda_ioc.sim import signals
from panda_ioc.sim.captured import PosOut
from panda_ioc.sim.codecs import Mux, ScalarCodec, WireCodec
from panda_ioc.sim.fields import BitOut, Read, Register, SimField
from panda_ioc.sim.hardware import Control
from panda_ioc.sim.numbers import CLOCK_FREQUENCY
from panda_ioc.sim.reports import Attribute
from panda_ioc.sim.scan import to_int32
from panda_ioc.sim.settings import Setup, SimSettings
from panda_ioc.sim.signal_samples import SignalSamples
from panda_ioc.sim.signals import Limits
from panda_ioc.sim.state import PandAState
from panda_ioc.sim.table import TableState

Fields = Mapping[str, SimField]

ROWS = 1000.0
_TURN_RATE = 200


class Life:
    """The moving parts of a PandA.

    Args:
        state: its fields
        without: names of blocks that something else moves
    """

    def __init__(self, state: PandAState, without: Container[str] = ()) -> None:
        self._state = state
        self.controls: Mapping[str, Control] = {}
        self._samples: SignalSamples | None = None
        self._edges: dict[str, int] = {}
        self._parts = [
            (part, fields, number)
            for name, (part, needed) in _PARTS.items()
            if name in state.blocks and name not in without
            for number, fields in enumerate(state.blocks[name].instances, 1)
            if needed <= fields.keys()
        ]
        # By name of field: since when an input is high, the edges it has seen, when a pulse began.
        self._memory: dict[str, float] = {}
        self._tables = [
            field
            for name, block in state.blocks.items()
            if name not in without
            for fields in block.instances
            for field in fields.values()
            if isinstance(field, TableState)
        ]
        self.rows: float = ROWS
        self._active = None if "PCAP" in without else state.fields.get("PCAP.ACTIVE")
        self._start: float | None = None
        self._played = 0.0

    def arm(self, setup: Setup, settings: SimSettings) -> SignalSamples:
        """Begin to make samples."""
        self._samples = SignalSamples(setup, settings, self._counters())
        return self._samples

    def refresh(self, now: float, moving: bool) -> None:
        """Bring everything to the time `now` of the monotonic clock."""
        if isinstance(self._active, BitOut):
            self._active.show(int(self._running()))
        if not moving:
            return
        if self._start is None:
            self._start = self._played = now
        for part, fields, number in self._parts:
            part(self, fields, number, now - self._start)
        if self._samples and self._running():
            self._show_samples(self._samples.made_by(now))
        self._play_tables(now)

    def _running(self) -> bool:
        return self._samples is not None and self._samples.end() is None

    def work(self, now: float, moving: bool) -> float:
        """Do nothing, as everything is done when somebody asks."""
        return math.inf

    def set_level(self, field: SimField, raw: int) -> bool:
        """Leave it to the caller, who shows it from now on."""
        return False

    def written(self, field: SimField, attribute: Attribute | None, moving: bool) -> None:
        """Let a counter that is SET go on from there."""
        if moving and field.spec.name == "SET" and isinstance(field, Register):
            self._show(self._state.fields.get(f"{field.name.rpartition('.')[0]}.OUT"), field.raw)

    def _counters(self) -> dict[str, Limits]:
        """Return START, STEP, MIN and MAX of each counter, by the name of its OUT."""
        block = self._state.blocks.get("COUNTER")
        instances = block.instances if block else ()
        return {
            fields["OUT"].name: _counter_settings(fields) for fields in instances if "OUT" in fields
        }

    def _play_tables(self, now: float) -> None:
        rows = int((now - self._played) * self.rows)
        if rows:
            self._played = now
        for table in self._tables:
            table.plays = True
            table.play(rows)

    def _show_samples(self, made: int) -> None:
        index = max(0, made - 1)
        counters = self._counters()
        for field in self._state.captured:
            if isinstance(field, PosOut) and not self._wired(field):
                value = signals.position(field.name, index, counters.get(field.name))
                self._show(field, value)

    def _wired(self, field: PosOut) -> bool:
        trigger = self._state.fields.get(f"{field.name.rpartition('.')[0]}.TRIG")
        return isinstance(trigger, Register) and trigger.text() != "ZERO"

    # What the parts use

    def _show(self, field: SimField | None, raw: int) -> None:
        if isinstance(field, Register) and field.name not in self._state.pinned:
            field.show(raw)

    def _drive(self, field: SimField | None, level: int, edges: int | None = None) -> None:
        """Set a bit; `edges` counts its rising edges since the start, seen or not."""
        if not isinstance(field, BitOut) or field.name in self._state.pinned:
            return
        before = self._edges.get(field.name, 0)
        after = before + (level > field.raw) if edges is None else edges
        self._edges[field.name] = after
        if after != before or level != field.raw:
            field.pulse(level)

    def _selected(self, field: SimField | None) -> str:
        codec = field.codec if isinstance(field, Register) else None
        return codec.selected if isinstance(codec, Mux) else "ZERO"

    def _level(self, field: SimField | None) -> int:
        """Return the level of the bit that a bit_mux selects."""
        selected = self._selected(field)
        source = self._state.fields.get(selected)
        return source.raw if isinstance(source, BitOut) else int(selected == "ONE")

    def _new_edges(self, field: SimField) -> int:
        """Return rising edges of the selected bit since this was last asked for this field."""
        edges = self._edges.get(self._selected(field), 0)
        before = self._memory.get(field.name, edges)
        self._memory[field.name] = edges
        return max(0, edges - int(before))

    def _since_enabled(self, fields: Fields, time: float) -> float | None:
        """Return the seconds since ENABLE went high, None while it is low."""
        enable = fields["ENABLE"]
        if not self._level(enable):
            self._memory.pop(enable.name, None)
            return None
        return time - self._memory.setdefault(enable.name, time)

    # The parts

    def _toggle(self, fields: Fields, number: int, time: float) -> None:
        half_periods = int(2 * time / number)
        self._drive(fields.get("VAL"), half_periods % 2, (half_periods + 1) // 2)

    def _encoder(self, fields: Fields, number: int, time: float) -> None:
        value = fields.get("VAL")
        if isinstance(value, PosOut) and not self._running():
            self._show(value, signals.position(value.name, int(_TURN_RATE * time)))
        raw = value.raw if isinstance(value, PosOut) else 0
        self._drive(fields.get("A"), (raw >> 1 ^ raw) & 1)
        self._drive(fields.get("B"), raw >> 1 & 1)
        self._drive(fields.get("CONN"), 1)

    def _soft_bits(self, fields: Fields, number: int, time: float) -> None:
        for name, field in fields.items():
            out = fields.get(f"OUT{name}")
            if out and isinstance(field, Register):
                self._drive(out, field.raw)

    def _clock(self, fields: Fields, number: int, time: float) -> None:
        enabled = self._since_enabled(fields, time)
        period = _seconds(fields["PERIOD"])
        if enabled is None or not period:
            self._drive(fields.get("OUT"), 0)
            return
        width = _seconds(fields.get("WIDTH")) or period / 2
        out = fields["OUT"]
        base = self._memory.setdefault(out.name, self._edges.get(out.name, 0))
        self._drive(out, int(enabled % period < width), int(base) + 1 + int(enabled / period))

    def _counter(self, fields: Fields, number: int, time: float) -> None:
        out, edges = fields["OUT"], self._new_edges(fields["TRIG"])
        was_enabled = fields["ENABLE"].name in self._memory
        enabled = self._since_enabled(fields, time) is not None
        if self._selected(fields["TRIG"]) == "ZERO" or not enabled or not isinstance(out, PosOut):
            return
        start, step, low, high = _counter_settings(fields)
        value = out.raw if was_enabled else start
        value += (-1 if self._level(fields.get("DIR")) else 1) * (step or 1) * edges
        wrapped = to_int32(signals.wrap(value, low, high))
        self._show(out, wrapped)
        if wrapped != value:
            carries = self._edges.get(f"{out.name.rpartition('.')[0]}.CARRY", 0) + 1
            self._drive(fields.get("CARRY"), 0, carries)

    def _pulse(self, fields: Fields, number: int, time: float) -> None:
        out, edges = fields["OUT"], self._new_edges(fields["TRIG"])
        if self._since_enabled(fields, time) is None:
            self._drive(out, 0)
            return
        if edges:
            self._memory[out.name] = time
        high = time - self._memory.get(out.name, -math.inf) < _seconds(fields["WIDTH"])
        self._drive(out, int(high), self._edges.get(out.name, 0) + edges)

    def _readings(self, fields: Fields, number: int, time: float) -> None:
        for field in fields.values():
            if isinstance(field, Read) and type(field.codec) in (WireCodec, ScalarCodec):
                self._show(field, _drifting(field, time))


# Block -> what moves it, and the fields that it needs for that.
_PARTS: dict[str, tuple[Callable[[Life, Fields, int, float], None], set[str]]] = {
    "TTLIN": (Life._toggle, set()),
    "LVDSIN": (Life._toggle, set()),
    "INENC": (Life._encoder, set()),
    "BITS": (Life._soft_bits, set()),
    "CLOCK": (Life._clock, {"ENABLE", "PERIOD", "OUT"}),
    "COUNTER": (Life._counter, {"ENABLE", "TRIG", "OUT"}),
    "PULSE": (Life._pulse, {"ENABLE", "TRIG", "WIDTH", "OUT"}),
    "SYSTEM": (Life._readings, set()),
}


def _seconds(field: SimField | None) -> float:
    return _raw(field) / CLOCK_FREQUENCY


def _raw(field: SimField | None) -> int:
    return field.raw if isinstance(field, Register) else 0


def _counter_settings(fields: Fields) -> Limits:
    start, step, low, high = (_raw(fields.get(name)) for name in ("START", "STEP", "MIN", "MAX"))
    return start, step, low, high


def _drifting(field: Read, time: float) -> int:
    """Return a scalar near 40000 in raw units, a plain integer near 40."""
    middle, swing = (40_000, 500) if isinstance(field.codec, ScalarCodec) else (40, 3)
    phase = zlib.crc32(field.name.encode()) % 100
    return round(middle + swing * math.sin(time / 5 + phase))
