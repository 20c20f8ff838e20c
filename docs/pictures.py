"""The timing diagrams of the documentation, drawn by rehearsals: `python docs/pictures.py`.

tests/rehearse/test_pictures.py says which of them are not current.
"""

import contextlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from panda_ioc.cli import main

IMAGES = Path(__file__).parent / "images"
WINDOW = ("--from", "350ms", "--to", "800ms", "--signals")
LANES = "INENC1.VAL,INENC2.VAL,SEQ1.STATE,SEQ1.TABLE_LINE,SEQ1.OUTA,SEQ1.OUTB,TTLOUT1"

PICTURES: Mapping[str, Sequence[str]] = {
    "scan-line-scan": ("--example", "line-scan", "--from", "100ms", "--to", "240ms"),
    "scan-snake-raster": ("--example", "snake-raster"),
    "scan-exposure-train": ("--example", "exposure-train"),
    "scan-position-compare": ("--example", "position-compare"),
    "scan-long-table": ("--example", "long-table", "--from", "0ms", "--to", "8ms"),
    "scan-gated-mean": ("--example", "gated-mean", "--from", "0ms", "--to", "100ms"),
    "rehearse-window": ("--example", "snake-raster", *WINDOW, LANES),
}
"""What `panda-ioc rehearse` is told for each."""


def draw(name: str, path: Path) -> None:
    """Draw one of the pictures as an SVG file."""
    with contextlib.redirect_stdout(io.StringIO()):
        main(["rehearse", *PICTURES[name], "--svg", str(path)])


if __name__ == "__main__":
    for each in PICTURES:
        draw(each, IMAGES / f"{each}.svg")
