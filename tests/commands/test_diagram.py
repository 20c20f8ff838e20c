"""`panda-ioc diagram`, as users call it."""

import os
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from support.servers import PROGRAM, Sim

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="dot of Graphviz is absent")


def diagram(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run it."""
    env = os.environ if path is None else {**os.environ, "PATH": path}
    command = [*PROGRAM, "diagram", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env, check=False)


@pytest.fixture(scope="module")
def wired(sim: Sim) -> Sim:
    """A box with a design in it."""
    sim.put(
        "SEQ1.ENABLE=PCAP.ACTIVE",
        "SEQ1.POSA=INENC1.VAL",
        "PULSE2.TRIG=SEQ1.OUTA",
        "PULSE2.TRIG.DELAY=7",
        "TTLOUT3.VAL=PULSE2.OUT",
        "*METADATA.LABEL_PULSE2=Detector <1> & shutter",
    )
    return sim


def test_graph_of_a_box(wired: Sim, tmp_path: Path) -> None:
    done = diagram(wired.address, "-o", str(tmp_path / "wires.gv"))
    assert (done.returncode, done.stderr) == (0, "")
    text = (tmp_path / "wires.gv").read_text()
    assert "SEQ1:out_OUTA:e -> PULSE2:in_TRIG:w [" in text
    assert "+7" in text
    assert "INENC1:out_VAL:e -> SEQ1:in_POSA:w [" in text
    assert "Detector &lt;1&gt; &amp; shutter" in text
    assert "SRGATE" not in text, "it is not wired"


def test_a_saved_state_gives_the_same_graph(wired: Sim, tmp_path: Path) -> None:
    state, live, saved = (tmp_path / name for name in ("state", "live.gv", "saved.gv"))
    save = [*PROGRAM, "save", wired.address, str(state)]
    subprocess.run(save, check=True, timeout=60)
    assert diagram(wired.address, "-o", str(live)).returncode == 0
    assert diagram("--state", str(state), "-o", str(saved)).returncode == 0
    assert live.read_text() == saved.read_text()


@needs_dot
def test_picture_on_the_standard_output(wired: Sim) -> None:
    done = diagram(wired.address)
    assert done.returncode == 0, done.stderr
    picture = ElementTree.fromstring(done.stdout)  # noqa: S314 - our own
    space = {"svg": "http://www.w3.org/2000/svg"}
    texts = {e.text for e in picture.iterfind(".//svg:text", space)}
    assert {"SEQ1", "PULSE2", "Detector <1> & shutter", "OUTA", "TRIG"} <= texts
    wires = {e.findtext("svg:title", "", space) for e in picture.iterfind(".//svg:g", space)}
    assert {"SEQ1:e->PULSE2:w", "PULSE2:e->TTLOUT3:w"} <= wires


@needs_dot
@pytest.mark.parametrize(
    ("suffix", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")]
)
def test_pictures_of_several_kinds(wired: Sim, tmp_path: Path, suffix: str, start: bytes) -> None:
    file = tmp_path / f"wires.{suffix}"
    assert diagram(wired.address, "-o", str(file)).returncode == 0
    assert file.read_bytes().startswith(start)


def test_without_graphviz_it_says_what_to_install(wired: Sim, tmp_path: Path) -> None:
    done = diagram(wired.address, "-o", str(tmp_path / "wires.svg"), path=str(tmp_path))
    assert done.returncode == 1
    assert "install the package graphviz" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "wires.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--state", os.devnull, "-o", "/no/such/a.gv"], ": /no/such/a.gv: No such file or"),
        (["--state", "absent"], "absent"),
        (["127.0.0.1:1", "-o", "picture.jpeg"], "picture.jpeg"),
        (["127.0.0.1:1"], "127.0.0.1"),
    ],
)
def test_what_can_not_be_drawn(arguments: list[str], words: str) -> None:
    done = diagram(*arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_box_or_a_file(tmp_path: Path) -> None:
    assert diagram().returncode == 2
    assert diagram("127.0.0.1", "--state", str(tmp_path / "state")).returncode == 2
