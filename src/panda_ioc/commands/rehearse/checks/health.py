"""HEALTH of all blocks that have one, over the whole rehearsal."""

from collections.abc import Iterator

from panda_ioc.commands.rehearse.finding import Finding, Scene, error


def healths(scene: Scene) -> dict[str, str]:
    """Return the worst HEALTH of each block, in the words of the PandA."""
    found = {}
    for name, field in scene.bench.machine.state.fields.items():
        block, _, key = name.rpartition(".")
        if key == "HEALTH":
            found[block] = _worst(scene, name) or str(field.get())
    return found


def _worst(scene: Scene, name: str) -> str:
    if name not in scene.course.recording.names:
        return ""
    trace = scene.course.recording.trace(name)
    return trace.text(max(trace.first, *trace.values.tolist(), 0))


def check(scene: Scene) -> Iterator[Finding]:
    """Find blocks that were not well."""
    for block, text in healths(scene).items():
        if text.upper() != "OK":
            yield error(block, f"HEALTH: {text}")
