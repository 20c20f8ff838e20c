"""Timing diagrams of a rehearsal."""

from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from panda_ioc.commands.rehearse.checks.spacing import signal
from panda_ioc.commands.rehearse.finding import Scene
from panda_ioc.errors import BadValue, ConfigurationError
from panda_ioc.sim.captured import PosOut
from panda_ioc.sim.twin_hardware.assembly import PASSIVE
from panda_ioc.timing.diagram import Diagram, Marks
from panda_ioc.timing.lanes import picture_of
from panda_ioc.timing.png import write_png
from panda_ioc.timing.svg import svg
from panda_ioc.timing.vcd import vcd
from panda_ioc.timing.window import around, parse_event

# Lanes that are chosen by themselves, at most.
_LANES = 24
# Part of the time that is shown before and after the acquisition.
_MARGIN = 40
_CAPTURES, _LOST = "captures", "lost"


def draw(scene: Scene, layout: str, options: Namespace) -> None:
    """Write the diagrams that are asked for.

    Raises:
        ConfigurationError: there is no such signal or event, or a picture cannot be made
    """
    if not (options.svg or options.png or options.vcd):
        return
    try:
        diagram = _diagram(scene, layout, options)
    except BadValue as error:
        raise ConfigurationError(str(error)) from error
    if options.svg:
        _write(options.svg, [svg(picture_of(diagram))])
    if options.png:
        write_png(picture_of(diagram), options.png)
    if options.vcd:
        _write(options.vcd, (f"{line}\n" for line in vcd(diagram)))


def _write(path: Path, parts: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(parts)


def _diagram(scene: Scene, layout: str, options: Namespace) -> Diagram:
    start, end = _window(scene, options)
    names = options.signals or list(chosen(scene))
    traces = [signal(scene, name, (start, end)) for name in map(_full_name, names)]
    return Diagram(layout, traces, scene.course.armed, start, end, _marks(scene))


def _full_name(name: str) -> str:
    return name if "." in name else f"{name}.VAL"


def _marks(scene: Scene) -> Sequence[Marks]:
    triggers = scene.course.triggers
    marks = [Marks(_CAPTURES, triggers.captured)]
    if len(triggers.lost):
        marks.append(Marks(_LOST, triggers.lost, is_bad=True))
    return marks


def _window(scene: Scene, options: Namespace) -> tuple[int, int]:
    armed = scene.course.armed
    if options.around:
        name, what, number, width = parse_event(options.around)
        return around(signal(scene, _full_name(name)), what, number, width, armed)
    last = scene.course.ended or scene.course.stopped
    margin = max((last - armed) // _MARGIN, 1)
    start = armed - margin if options.start is None else armed + options.start
    end = last + margin if options.end is None else armed + options.end
    if start >= end:
        raise BadValue("the diagram ends before it begins: --from has to be before --to")
    return start, end


def chosen(scene: Scene) -> Iterator[str]:
    """Yield what is wired or captured and changes, terminals last."""
    names = list(dict.fromkeys([*_sources(scene), *_terminals(scene)]))
    yield from [name for name in names if _moves(scene, name)][:_LANES]


def _moves(scene: Scene, name: str) -> bool:
    course = scene.course
    trace = signal(scene, name)
    return bool(((trace.ticks >= course.armed) & (trace.ticks < course.stopped)).any())


def _sources(scene: Scene) -> list[str]:
    wires = scene.bench.wires()
    order = {name: number for number, name in enumerate(scene.course.recording.names)}
    depths = _depths(scene)
    found = {wire.source for wire in wires} | {"PCAP.ACTIVE", *_captured(scene)}
    return sorted(found, key=lambda name: (depths.get(_block(name), 0), order.get(name, 0)))


def _captured(scene: Scene) -> Iterator[str]:
    for field in scene.bench.machine.state.captured:
        if isinstance(field, PosOut) and field.kinds:
            yield field.name


def _block(name: str) -> str:
    return name.partition(".")[0]


def _depths(scene: Scene) -> dict[str, int]:
    """Count how many blocks are before each; PCAP begins it all."""
    wires = [(_block(w.source), _block(w.target)) for w in scene.bench.wires()]
    depths = {"PCAP": -1}
    for _ in range(len(wires)):
        before = dict(depths)
        for source, target in wires:
            if target != "PCAP" and source != target:
                depths[target] = max(depths.get(target, 0), depths.get(source, 0) + 1)
        if depths == before or max(depths.values()) > len(wires):
            break
    return depths


def _terminals(scene: Scene) -> Iterator[str]:
    for wire in scene.bench.wires():
        if wire.is_bit and _block(wire.target).rstrip("0123456789") in PASSIVE:
            yield wire.target
