"""PCOMP: pulses that it did not make, and settings that cannot work."""

from collections.abc import Iterator

from panda_ioc.commands.rehearse.checks.factor import units_hint
from panda_ioc.commands.rehearse.finding import Finding, Scene, error, warning

_DIRECTIONS = {0: "Positive", 1: "Negative", 2: "Either"}
_WAITS = {
    "WAIT_DIR": "to see in which direction the position moves",
    "WAIT_PRE_START": "for the position to be beyond PRE_START on the side where the scan begins",
    "WAIT_RISING": "for the position of the next pulse",
    "WAIT_FALLING": "for the end of a pulse",
}


def check(scene: Scene) -> Iterator[Finding]:
    """Find what is wrong with position compares."""
    for name in scene.bench.blocks("PCOMP"):
        if scene.course.recording.was_high(f"{name}.ACTIVE"):
            yield from _settings(scene, name)
            yield from _pulses(scene, name)


def _settings(scene: Scene, name: str) -> Iterator[Finding]:
    step, width, pulses = (scene.bench.raw(f"{name}.{key}") for key in ("STEP", "WIDTH", "PULSES"))
    if pulses != 1 and step <= width:
        yield error(
            name,
            f"STEP ({step}) is not larger than WIDTH ({width}): pulses are lost or run together",
            f"make {name}.WIDTH smaller than {name}.STEP",
        )


def _pulses(scene: Scene, name: str) -> Iterator[Finding]:
    recording = scene.course.recording
    made, wanted = recording.trace(f"{name}.PRODUCED"), scene.bench.raw(f"{name}.PULSES")
    count = max(made.values.tolist(), default=0)
    waits = _WAITS.get(scene.text(f"{name}.STATE"), "")
    if wanted and count < wanted:
        rest = f"; it waits {waits}" if waits else "; then it stopped"
        yield error(
            name,
            f"made {count} of {wanted} pulses{rest}: {_motion(scene, name)}",
            _remedy(scene, name),
        )
    elif not count:
        yield warning(name, f"made no pulse: {_motion(scene, name)}")


def _range(scene: Scene, name: str) -> tuple[int, int, int, int]:
    """Return where the position was at the arm, at the end, and its extremes."""
    source = scene.bench.wire(f"{name}.INP").source
    trace = scene.course.recording.trace(source)
    begin, end = trace.at(scene.course.armed), trace.at(scene.course.stopped)
    return begin, end, *scene.course.recording.extremes(source)


def _motion(scene: Scene, name: str) -> str:
    source = scene.bench.wire(f"{name}.INP").source
    begin, end, low, high = _range(scene, name)
    direction = _DIRECTIONS.get(scene.bench.raw(f"{name}.DIR"), "")
    start, step = scene.bench.raw(f"{name}.START"), scene.bench.raw(f"{name}.STEP")
    return (
        f"{source} goes from {begin} to {end}, between {low} and {high}; DIR is {direction},"
        f" START {start}, STEP {step}"
    )


def _remedy(scene: Scene, name: str) -> str:
    begin, end, low, high = _range(scene, name)
    direction = scene.bench.raw(f"{name}.DIR")
    wrong = (direction == 0 and end < begin) or (direction == 1 and end > begin)
    if wrong:
        return f"the position moves the other way: change {name}.DIR, or the motion"
    if high == low:
        return f"the position does not move: give --trajectory, or another {name}.INP"
    start, step, pulses = (scene.bench.raw(f"{name}.{key}") for key in ("START", "STEP", "PULSES"))
    far = max(abs(start), abs(start) + step * max(pulses - 1, 0))
    hint = units_hint(far / (high - low), f"{name}.START and STEP (they are in counts)")
    if low <= start + step * max(pulses - 1, 0) <= high:
        return ""
    return hint or "let the position run farther, beyond the last of the pulses"
