"""Timing diagrams of rehearsals: which signals, which window, and where the changes are."""

import re
import runpy
from pathlib import Path

import pytest

from panda_ioc.cli import main

TICK_NS = 8


def texts(path: Path) -> list[str]:
    """The words in a picture."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text())


def draw(tmp_path: Path, *options: str) -> list[str]:
    """The words in the picture that a rehearsal draws."""
    path = tmp_path / "diagram.svg"
    main(["rehearse", *options, "--svg", str(path)])
    return texts(path)


def lanes(found: list[str]) -> list[str]:
    return [text for text in found if re.fullmatch(r"[A-Z]+\d*\.[A-Z]+", text)]


def test_what_is_wired_or_captured_and_changes_is_drawn(tmp_path: Path) -> None:
    assert lanes(draw(tmp_path, "--example", "position-compare")) == [
        "PCAP.ACTIVE",
        "INENC1.VAL",
        "PCOMP1.ACTIVE",
        "PCOMP1.OUT",
        "PULSE1.OUT",
        "TTLOUT1.VAL",
    ]
    found = draw(tmp_path, "--example", "gated-mean", "--set", "PULSE2.TRIG=SEQ1.OUTC")
    assert "INENC1.VAL" in found
    assert "SEQ1.OUTC" not in found


def test_chosen_signals_are_drawn_in_their_order(tmp_path: Path) -> None:
    names = "TTLOUT1,SEQ1.STATE,SEQ1.OUTA"
    found = draw(tmp_path, "--example", "exposure-train", "--signals", names)
    assert lanes(found) == ["TTLOUT1.VAL", "SEQ1.STATE", "SEQ1.OUTA"]
    assert "PHASE1" in found


def test_a_window_has_the_captures_that_are_in_it(tmp_path: Path) -> None:
    found = draw(tmp_path, "--example", "exposure-train", "--from", "15ms", "--to", "45ms")
    assert [text for text in found if re.fullmatch("[0-9]", text)] == ["2", "3", "4"]


def test_around_an_event(tmp_path: Path) -> None:
    event = "SEQ1.OUTA rise 3 4ms"
    found = draw(tmp_path, "--example", "exposure-train", "--around", event)
    times = [float(text) for text in found if re.fullmatch(r"[0-9.]+\.[0-9]", text)]
    assert min(times) >= 18
    assert max(times) <= 22
    assert 20.0 in times


def test_a_lost_trigger_is_marked(tmp_path: Path) -> None:
    options = ["--example", "position-compare", "--set", "PCAP.TRIG_EDGE=Falling"]
    assert "lost" in draw(tmp_path, *options)
    assert "lost" not in draw(tmp_path, *options[:2])


def test_waveforms_have_each_change_at_its_tick(tmp_path: Path) -> None:
    """What the FPGA does: each hop of a bit takes three ticks."""
    path = tmp_path / "diagram.vcd"
    names = "PCAP.ACTIVE,SEQ1.OUTA,PULSE1.OUT,TTLOUT1"
    options = ["--example", "exposure-train", "--from", "0s", "--to", "1us"]
    assert main(["rehearse", *options, "--signals", names, "--vcd", str(path)]) == 0
    rises = re.findall(r"#(\d+)\n1(\S)", path.read_text())
    assert rises == [
        (str(1 * TICK_NS), "!"),
        (str(4 * TICK_NS), '"'),
        (str(7 * TICK_NS), "#"),
        (str(9 * TICK_NS), "$"),
    ]


def test_positions_are_exact_where_there_are_few(tmp_path: Path) -> None:
    path = tmp_path / "diagram.vcd"
    options = ["--example", "line-scan", "--trajectory", "INENC1=ramp:0,1000,1s"]
    window = ["--from", "10ms", "--to", "13500us", "--signals", "INENC1.VAL"]
    main(["rehearse", *options, *window, "--vcd", str(path)])
    assert re.findall(r"#(\d+)\nb([01]+) ", path.read_text()) == [
        # The motion starts four ticks after the arm.
        (str(4 * TICK_NS), "1010"),
        (str(1_000_000 + 4 * TICK_NS), "1011"),
        (str(2_000_000 + 4 * TICK_NS), "1100"),
        (str(3_000_000 + 4 * TICK_NS), "1101"),
    ]


def test_positions_fit_the_blocks_that_look_at_them(tmp_path: Path) -> None:
    """PCOMP shows two ticks after the bus that a position is reached."""
    path = tmp_path / "diagram.vcd"
    options = ["--example", "position-compare", "--around", "PCOMP1.OUT rise 3 2ms"]
    assert (
        main(["rehearse", *options, "--signals", "INENC1.VAL,PCOMP1.OUT", "--vcd", str(path)]) == 0
    )
    text = path.read_text()
    [reached] = re.findall(rf"#(\d+)\nb{1200:b} ", text)
    [rise] = re.findall(r'#(\d+)\n1"', text)
    assert int(rise) - int(reached) == 2 * TICK_NS


def test_a_picture_of_pixels(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "diagram.png"
    assert main(["rehearse", "--example", "snake-raster", "--png", str(path)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")


DOCS = Path(__file__).resolve().parents[2] / "docs"
PICTURES = runpy.run_path(str(DOCS / "pictures.py"))


@pytest.mark.parametrize("name", PICTURES["PICTURES"])
def test_pictures_of_the_documentation_are_current(tmp_path: Path, name: str) -> None:
    PICTURES["draw"](name, tmp_path / "picture.svg")
    committed = DOCS / "images" / f"{name}.svg"
    assert (tmp_path / "picture.svg").read_text() == committed.read_text(), (
        "run: python docs/pictures.py"
    )
