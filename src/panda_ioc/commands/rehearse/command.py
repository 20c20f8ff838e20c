"""Carries out `panda-ioc rehearse`."""

import logging
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from panda_ioc import statefile
from panda_ioc.commands.rehearse import checks, report
from panda_ioc.commands.rehearse.against import Tolerance, compare, read_times
from panda_ioc.commands.rehearse.bench import Bench
from panda_ioc.commands.rehearse.finding import Finding, Scene, error, worst_first
from panda_ioc.commands.rehearse.motions import longest, start_motions
from panda_ioc.commands.rehearse.options import SIMULATOR, AddScan, Scan, scan_of
from panda_ioc.commands.rehearse.pictures import draw
from panda_ioc.commands.rehearse.progress import Progress
from panda_ioc.commands.rehearse.rows import RowStore
from panda_ioc.commands.rehearse.run import Course, Runner
from panda_ioc.commands.rehearse.tables import read_table, table_layout
from panda_ioc.device.tables import TableLayout
from panda_ioc.errors import ConfigurationError
from panda_ioc.sim.twin.trajectory import Trajectory
from panda_ioc.statefile import Loaded
from panda_ioc.timing.times import TICKS_PER_SECOND

_LONGEST = 60 * TICKS_PER_SECOND
# Ticks after the end of the motion.
_AFTER = TICKS_PER_SECOND


def run(options: Namespace, add_scan: AddScan, draw_rows: Callable[[Path, Path], None]) -> int:
    """Rehearse a layout; return the exit status: 1 if anything is wrong.

    Args:
        options: of the command line
        add_scan: adds the options that a layout may give, too
        draw_rows: draws a file of rows to another file
    """
    scan = scan_of(options, add_scan)
    with TemporaryDirectory(prefix="panda-ioc-") as spare:
        path = options.output
        if path is None and (options.plot or options.against):
            path = Path(spare) / "rehearsal.h5"
        scene = rehearse(scan, options.config_dir, path)
        findings = [*checks.all_findings(scene), *_compared(options, scene, path)]
        if options.plot and path and scene.rows:
            draw_rows(path, options.plot)
    draw(scene, scan.layout.stem, options)
    write = report.as_json if options.json else report.as_text
    sys.stdout.write(write(scan.layout.name, scene, worst_first(findings)))
    return int(report.failed(findings))


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep the protocol's log quiet: the report says which lines were refused."""
    protocol = logging.getLogger("panda_ioc.protocol")
    level = protocol.level
    protocol.setLevel(logging.ERROR)
    try:
        yield
    finally:
        protocol.setLevel(level)


def _compared(options: Namespace, scene: Scene, path: Path | None) -> list[Finding]:
    """Find where a file of a real PandA differs."""
    if options.against is None:
        return []
    theirs = read_times(options.against)
    tolerance = Tolerance(options.tolerance_time, options.tolerance_rows)
    if path is None or not scene.rows:
        return [error(theirs.path.name, f"has {theirs.rows} rows, the rehearsal none")]
    return list(compare(read_times(path), theirs, tolerance))


def rehearse(scan: Scan, config: Path | None = None, path: Path | None = None) -> Scene:
    """Set a PandA up, and run it; the rows go to a file if one is named."""
    bench = Bench(config)
    with _without_warnings():
        loaded = _set_up(bench, scan)
    motions = start_motions(bench, scan.trajectories)
    most = scan.duration
    if most is None:
        motion = longest(motions)
        most = _LONGEST if motion is None else motion + _AFTER
    rows, course = _run(bench, scan, motions, most, path)
    return Scene(
        bench,
        course,
        loaded,
        rows.count,
        rows.reason,
        scan.expected,
        dict(scan.dead_times),
    )


def _set_up(bench: Bench, scan: Scan) -> Loaded:
    loaded = bench.load(statefile.read(scan.layout, skipped=SIMULATOR))
    for name, file in scan.tables:
        layout = table_layout(bench.device, name)
        bench.write_table(layout.name, _whole(layout, read_table(Path(file), layout)))
    for name, file in scan.streams:
        layout = table_layout(bench.device, name)
        bench.stream_table(layout.name, read_table(Path(file), layout), layout.row_words)
    for name, value in scan.settings:
        bench.put(name, value)
    return loaded


def _whole(layout: TableLayout, words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Check that a table can be written whole."""
    rows = len(words) // layout.row_words
    if layout.max_rows is not None and rows > layout.max_rows:
        raise ConfigurationError(
            f"{layout.name}: {rows} lines are too many to be written whole, {layout.max_rows} are"
            " the most; stream them: --stream"
        )
    return words


def _run(
    bench: Bench, scan: Scan, motions: Mapping[str, Trajectory], most: int, path: Path | None
) -> tuple[RowStore, Course]:
    progress = Progress(most, scan.expected or 0)
    with RowStore(path, scan.expected or 0, scan.layout.name) as rows:
        try:
            course = Runner(bench, rows, motions, progress.show).run(most, scan.after_arm)
        finally:
            progress.end()
    return rows, course
