"""Run timing files through the twin: `python -m tests.twin.replay FILE...`."""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from panda_ioc.errors import TwinError
from panda_ioc.sim.twin.network import Network

from .cases import Case, Change, load

Difference = tuple[int, str, int | None, int | None]


def first_difference(case: Case, slices: int | None = None) -> Difference | None:
    """Run a sequence and find what differs first, as (tick, name, expected, got)."""
    network = case.build()
    names = case.checked or [
        output.name
        for block in network.blocks.values()
        if block.name != "EXT"
        for output in block.outputs.values()
    ]
    recorder = network.record(names)
    case.run(network, slices)
    differences = [
        *_level_differences(case, names, recorder.changes(case.until)),
        *_word_differences(case, network),
    ]
    if not differences:
        return None
    tick, name, expected, got = min(differences, key=lambda d: d[:2])
    return tick - case.offset, name, expected, got


def _level_differences(
    case: Case, names: list[str], changes: Iterable[Change]
) -> Iterable[Difference]:
    expected, got = _levels(case.changes), _levels(changes)
    for name in {*names, *expected}:
        want = case.start.get(name, 0)
        have = 0
        for tick in sorted({0, *expected[name], *got[name]}):
            want = expected[name].get(tick, want)
            have = got[name].get(tick, have)
            if tick >= 0 and (want - have) % 2**32:
                yield tick, name, want, have
                break


def _levels(changes: Iterable[Change]) -> dict[str, dict[int, int]]:
    levels: dict[str, dict[int, int]] = defaultdict(dict)
    for tick, name, value in changes:
        levels[name][tick] = value
    return levels


def _word_differences(case: Case, network: Network) -> Iterable[Difference]:
    streams = [block.stream for block in network.blocks.values() if hasattr(block, "stream")]
    got = dict(word for stream in streams for word in stream.words(case.until))
    expected = dict(case.data)
    for tick in sorted({*expected, *got}):
        want, have = expected.get(tick), got.get(tick)
        if want is None or have is None or (want - have) % 2**32:
            yield tick, "DATA", want, have
            return


def replay(path: Path, slices: int | None) -> tuple[int, int]:
    """Run a file, print what came of it, return the numbers of right and of all sequences."""
    right, cases, first = 0, list(load(path)), ""
    for case in cases:
        try:
            difference = first_difference(case, slices)
        except TwinError as error:
            first = first or f"{case.name}: {error}"
            continue
        right += difference is None
        if difference is not None and not first:
            tick, name, expected, got = difference
            first = f"{case.name}: tick {tick}, {name}: expected {expected}, got {got}"
    print(f"{path}: {right} of {len(cases)}" + (f"; first difference: {first}" if first else ""))
    return right, len(cases)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path)
    parser.add_argument("--slices", metavar="SEED", type=int, help="run in random slices of ticks")
    options = parser.parse_args(arguments)
    missing = [str(path) for path in options.files if not path.is_file()]
    if missing:
        parser.error(f"no such file: {', '.join(missing)}")
    counts = [replay(path, options.slices) for path in options.files]
    right, total = (sum(column) for column in zip(*counts, strict=True))
    print(f"{right} of {total} sequences")
    return 0 if right == total else 1


if __name__ == "__main__":
    sys.exit(main())
