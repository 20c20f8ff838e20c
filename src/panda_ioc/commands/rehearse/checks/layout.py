"""Settings of the layout that the PandA did not take."""

from collections.abc import Iterator

from panda_ioc.commands.rehearse.finding import Finding, Scene, error, note, warning


def check(scene: Scene) -> Iterator[Finding]:
    """Find what was refused, and what cannot be rehearsed."""
    foreign: list[str] = []
    for each in scene.loaded.refused:
        block = each.line.partition(".")[0].rstrip("0123456789")
        if each.line.startswith("*") or block in scene.bench.machine.state.blocks:
            yield error(_name(each.line), f"{each.line[:80]}: {each.reason}", _remedy(each.reason))
        else:
            foreign.append(block)
    if foreign:
        names = ", ".join(sorted(set(foreign)))
        yield warning(
            "layout",
            f"{len(foreign)} settings are of blocks that this PandA does not have: {names}",
            "give the application of your PandA with --config-dir",
        )
    if scene.loaded.left_out:
        yield note("layout", scene.loaded.told())


def _name(line: str) -> str:
    return line.partition("=")[0].partition("<")[0]


def _remedy(reason: str) -> str:
    if "long" in reason or "many" in reason:
        return "a table that is too long to be written at once can be streamed: --stream"
    return ""
