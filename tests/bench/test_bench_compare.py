"""The command that prints the table works; what it measures is not judged here."""

import subprocess
import sys

from bench import serving
from support.docs_blocks import ROOT


def test_the_table_has_a_result_in_every_row_without_the_peer() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.compare", "--only", "control", "--puts", "50"],
        cwd=ROOT,
        env={"PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "the peer is not measured: give --peer-python or --make-peer" in done.stdout
    lines = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    results = {cells[0].removeprefix("| "): cells[1] for cells in lines[1:]}
    assert list(results) == [row.what for row in serving.ROWS]
    assert results["starts on this PandA"] == "yes"
    assert results["refused put"].startswith("failed put")
    assert not {"-", "never"} & set(results.values())
