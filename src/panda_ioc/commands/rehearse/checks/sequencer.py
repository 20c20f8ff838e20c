"""SEQ: lines that it never reached, or at which it waits for ever."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panda_ioc.commands.rehearse.checks.factor import units_hint
from panda_ioc.commands.rehearse.finding import Finding, Scene, error, note, warning
from panda_ioc.sim.twin.lines import POSITIONS, TableLine, make_line
from panda_ioc.timing.times import show_time

WORDS = 4
# Fixed tables that are shorter stay in the block.
IN_BLOCK = 4096
WAIT_TRIGGER = 2
_INPUTS = "ABC"

Words = NDArray[np.uint32]


@dataclass(frozen=True)
class Played:
    """One SEQ at the end of the rehearsal.

    Attributes:
        name: of the block
        lines: how many its table has
        line: the one it reached, from 1
        repeat: the repeat of that line
        table_repeat: the repeat of the table
        state: its STATE
    """

    name: str
    lines: int
    line: int
    repeat: int
    table_repeat: int
    state: str


def check(scene: Scene) -> Iterator[Finding]:
    """Find what is wrong with sequencers."""
    for name in scene.bench.blocks("SEQ"):
        words = scene.bench.table(f"{name}.TABLE")
        if not len(words):
            if scene.course.recording.was_high(f"{name}.ACTIVE"):
                yield error(name, "was enabled without a table")
        elif scene.course.recording.was_high(f"{name}.ACTIVE"):
            yield from _mode(scene, name, len(words) // WORDS)
            yield from _did_not_wait(scene, name, words)
            yield from _progress(scene, _sequence(scene, name, len(words) // WORDS))
        elif _is_used(scene, name):
            yield error(name, "has a table, but was never enabled", f"wire {name}.ENABLE")


def _sequence(scene: Scene, name: str, lines: int) -> Played:
    recording = scene.course.recording
    line, repeat, table = (
        recording.trace(f"{name}.{key}").at(scene.course.stopped)
        for key in ("TABLE_LINE", "LINE_REPEAT", "TABLE_REPEAT")
    )
    return Played(name, lines, line, repeat, table, scene.text(f"{name}.STATE"))


def _is_used(scene: Scene, name: str) -> bool:
    wires = scene.bench.wires()
    enabled = any(wire.target == f"{name}.ENABLE" for wire in wires)
    return enabled or any(wire.source.startswith(f"{name}.") for wire in wires)


def _mode(scene: Scene, name: str, lines: int) -> Iterator[Finding]:
    repeats, streams = scene.bench.raw(f"{name}.REPEATS"), f"{name}.TABLE" in scene.bench.streamed
    if streams and repeats != 1:
        yield warning(name, f"REPEATS is {repeats}, but a streaming table is played once")
    elif not streams and lines >= IN_BLOCK and repeats != 1:
        yield warning(
            name,
            f"a table of {lines} lines does not stay in the block ({IN_BLOCK - 1} do): it is read"
            " again for each repeat, and may come too late",
        )


def _did_not_wait(scene: Scene, name: str, words: Words) -> Iterator[Finding]:
    """Find lines whose position was reached before they began."""
    recording = scene.course.recording
    lines, repeats, active, state = (
        recording.trace(f"{name}.{key}")
        for key in ("TABLE_LINE", "TABLE_REPEAT", "ACTIVE", "STATE")
    )
    begins = np.unique(np.concatenate([lines.ticks, repeats.ticks, active.rises]))
    numbers, states = lines.levels(begins), state.levels(begins)
    here = (numbers >= 1) & (numbers <= len(words) // WORDS) & (states > WAIT_TRIGGER)
    begins, numbers = begins[here], numbers[here]
    triggers = words[WORDS * (numbers - 1)] >> 16 & 0xF
    at_once = (triggers >= POSITIONS.start) & (triggers < POSITIONS.stop)
    if at_once.any():
        tick, number = int(begins[at_once][0]), int(numbers[at_once][0])
        line = make_line(words[WORDS * (number - 1) : WORDS * number].tolist())
        source = _position(scene, name, line)
        yield error(
            name,
            f"line {number} does not wait for {_label(scene, name, line)}: {source} is"
            f" {scene.course.recording.value(source, tick)} when it begins, at"
            f" {show_time(scene.since_arm(tick))} ({int(at_once.sum())} times in all)",
            "is the direction of the motion, or the sense of the trigger, wrong, or is the motion"
            " faster than the sequence?",
        )


def _progress(scene: Scene, seq: Played) -> Iterator[Finding]:
    endless = scene.bench.raw(f"{seq.name}.REPEATS") == 0
    again = endless and seq.table_repeat > 1
    where = f"line {seq.line} of {seq.lines}, repeat {seq.repeat}"
    if seq.state == "WAIT_TRIGGER":
        line = _line(scene, seq)
        finding = note if again else error
        # Something may still come where the rehearsal was cut short.
        waits = "still waits" if scene.course.idle is None else "waits for ever"
        yield finding(
            seq.name,
            f"{waits} at {where}, for {_trigger(scene, seq.name, line)}{_never(seq)}",
            _remedy(scene, seq.name, line),
        )
    elif seq.state in ("PHASE1", "PHASE2"):
        if not again:
            yield error(
                seq.name,
                f"is still at {where} when the rehearsal ends after {show_time(scene.duration)}"
                f"{_never(seq)}",
                _too_slow(scene, seq),
            )
    elif seq.line < seq.lines and seq.table_repeat <= 1:
        yield error(seq.name, f"was disabled at {where}{_never(seq)}")


def _never(seq: Played) -> str:
    if seq.line >= seq.lines or seq.table_repeat > 1:
        return ""
    last = f" to {seq.lines}" if seq.lines > seq.line + 1 else ""
    return f"; line {seq.line + 1}{last} is never reached"


def _line(scene: Scene, seq: Played) -> TableLine:
    words: Sequence[int] = scene.bench.table(f"{seq.name}.TABLE").tolist()
    at = WORDS * max(seq.line - 1, 0)
    return make_line(words[at : at + WORDS])


def _trigger(scene: Scene, name: str, line: TableLine) -> str:
    trigger = _label(scene, name, line)
    if line.trigger not in POSITIONS:
        source = scene.bench.wire(f"{name}.{trigger.partition('=')[0]}").source
        return f"{trigger} ({source})"
    source = _position(scene, name, line)
    low, high = scene.course.recording.extremes(source)
    return f"{trigger} ({source} is between {low} and {high})"


def _label(scene: Scene, name: str, line: TableLine) -> str:
    columns = scene.bench.machine.state.fields[f"{name}.TABLE"].spec.columns
    labels = next(column for column in columns if column.name == "TRIGGER").labels
    return labels[line.trigger].replace("POSITION", str(line.position))


def _position(scene: Scene, name: str, line: TableLine) -> str:
    letter = _INPUTS[(line.trigger - POSITIONS.start) // 2]
    return scene.bench.wire(f"{name}.POS{letter}").source


def _remedy(scene: Scene, name: str, line: TableLine) -> str:
    if line.trigger not in POSITIONS:
        return ""
    low, high = scene.course.recording.extremes(_position(scene, name, line))
    if low == high:
        return "the position does not move: give --trajectory"
    is_falling = (line.trigger - POSITIONS.start) % 2
    if low <= line.position <= high:
        return (
            "the position was there before: is its direction, or the sense of the trigger, wrong?"
        )
    far = max(abs(low), abs(high), 1)
    hint = units_hint(abs(line.position) / far, f"POSITION of {name}.TABLE (it is in counts)")
    return hint or ("let it move farther down" if is_falling else "let it move farther up")


def _too_slow(scene: Scene, seq: Played) -> str:
    """Tell how long a whole table takes, if nothing makes it wait."""
    words = scene.bench.table(f"{seq.name}.TABLE").astype(np.int64).reshape(-1, WORDS)
    repeats, times = words[:, 0] & 0xFFFF, words[:, 2] + np.maximum(words[:, 3], 1)
    prescale = scene.bench.raw(f"{seq.name}.PRESCALE") or 1
    tables = scene.bench.raw(f"{seq.name}.REPEATS") or 1
    ticks = int((repeats * times).sum()) * prescale * tables
    units = scene.bench.units(f"{seq.name}.PRESCALE")
    return (
        f"its times add up to {show_time(ticks)}: are the units of {seq.name}.PRESCALE ({units})"
        " right? If so, give it longer with --for"
    )
