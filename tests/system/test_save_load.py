"""All settings of a PandA to a file and back: from the command line and by the PVs DESIGN:*."""

import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from panda_ioc import statefile
from panda_ioc.errors import ConfigurationError
from panda_ioc.statefile.lines import lines_of
from support.servers import PROGRAM, EpicsPorts, Ioc, Sim, Starter

INVALID, MAJOR = 3, 2
TABLES = [[], ["1 2 3 4", "1 0 0 7"], ["1", "2", "3", "4"] * 40]


def program(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def save(sim: Sim, path: Path) -> list[str]:
    done = program("save", f"{sim.host}:{sim.port}", str(path))
    assert done.returncode == 0, done.stderr
    return path.read_text().splitlines()


def load(sim: Sim, path: Path) -> subprocess.CompletedProcess[str]:
    return program("load", f"{sim.host}:{sim.port}", str(path))


def scramble(sim: Sim, seed: int) -> None:
    """Set some of what there is to something else, as far as the box takes it."""
    chance = random.Random(seed)
    lines = [line[1:] for line in sim.ask("*CHANGES?")[:-1]]
    settings = [line for line in lines if "=" in line]
    for line in chance.sample(settings, 300):
        name, _, text = line.partition("=")
        sim.ask(f"{name}={chance.choice(candidates(sim, name, text))}")
    for name in (line[:-1] for line in lines if line.endswith("<") and line[0] != "*"):
        sim.ask(f"{name}<", *chance.choice(TABLES), "")
    sim.put("*METADATA.LABEL_PULSE1=shutter = <open>?")


def candidates(sim: Sim, name: str, text: str) -> list[str]:
    labels = [line[1:] for line in sim.ask(f"*ENUMS.{name}?")[:-1]]
    return labels or [text, "1", "0", "2.5", "17", "Some text"]


# -- the command line ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_box_that_lost_its_settings_has_them_again(
    start_sim: Starter[Sim], tmp_path: Path, seed: int
) -> None:
    first = start_sim("--no-alive")
    defaults = save(first, tmp_path / "defaults")
    scramble(first, seed)
    saved = save(first, tmp_path / "saved")
    assert saved != defaults
    first.kill()
    second = start_sim("--no-alive")
    done = load(second, tmp_path / "saved")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert save(second, tmp_path / "again") == saved


def test_what_is_refused_is_said_and_the_rest_is_set(sim: Sim, tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text(
        "# a comment\n\nPULSE1.WIDTH.UNITS=ms\nPULSE1.WIDTH=-5\nNONE1.X=1\nPULSE1.DELAY=3\n"
        "SEQ1.TABLE<\n1\n2\n3\n\nPULSE1.PULSES=9\n"
    )
    done = load(sim, path)
    assert done.returncode == 1
    assert [line.split(": ", 1)[1] for line in done.stderr.splitlines()] == [
        "PULSE1.WIDTH=-5: Time setting out of range",
        "NONE1.X=1: No such block",
        "SEQ1.TABLE< (3 lines): Table write is not a whole number of rows",
    ]
    assert sim.ask("PULSE1.PULSES?") == ["OK =9"]
    assert sim.ask("PULSE1.WIDTH.UNITS?") == ["OK =ms"]


def kept_by_the_server(sim: Sim) -> list[str]:
    """What a PandA's server keeps of its settings in its own file, an order of its own included."""
    lines = []
    for group in ("ATTR", "CONFIG", "TABLE", "METADATA"):
        sim.put(f"*CHANGES.{group}=S")
        for line in sim.ask(f"*CHANGES.{group}?")[:-1]:
            name = line[1:].removesuffix("<")
            lines.append(line[1:] + ("B" if group == "TABLE" else ""))
            if line.endswith("<"):
                value = sim.ask(f"{name}.B?" if group == "TABLE" else f"{name}?")
                lines += [*(each[1:] for each in value[:-1]), ""]
    return lines


WAYS = {
    "as the server writes it": ("\n", "", "\n"),
    "joined": ("\n", "", ""),
    "by an editor of Windows": ("\r\n", "\ufeff", "\r\n"),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_file_that_a_server_keeps_its_settings_in_is_loaded(
    start_sim: Starter[Sim], tmp_path: Path, way: str
) -> None:
    first, second = start_sim("--no-alive"), start_sim("--no-alive")
    scramble(first, 7)
    between, begin, end = WAYS[way]
    kept = kept_by_the_server(first)
    assert "SEQ1.TABLE.QUEUED_LINES=0" in kept
    path = tmp_path / "persistent"
    path.write_text(begin + between.join(kept) + end, newline="")
    done = load(second, path)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "0 settings refused" in done.stdout
    assert "4 settings left out, as no PandA takes them: " in done.stdout
    assert save(second, tmp_path / "second") == save(first, tmp_path / "first")
    assert "QUEUED_LINES" not in (tmp_path / "first").read_text()


def test_a_reply_that_lists_changes_is_loaded_as_far_as_it_goes(
    start_sim: Starter[Sim], tmp_path: Path
) -> None:
    first, second = start_sim("--no-alive"), start_sim("--no-alive")
    first.put("PULSE1.WIDTH.UNITS=ms", "PULSE1.WIDTH=17")
    second.put("PULSE1.WIDTH.UNITS=us")
    assert second.ask("SEQ1.TABLE<", "1 2 3 4", "") == ["OK"]
    lines = first.ask("*CHANGES?")[:-1]
    assert lines.index("!PULSE1.WIDTH=17") < lines.index("!PULSE1.WIDTH.UNITS=ms")
    path = tmp_path / "changes"
    path.write_text("\n".join([*lines, "!SYSTEM.TEMP_ZYNQ (error)", "."]))
    done = load(second, path)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert second.ask("PULSE1.WIDTH?") == ["OK =17"]
    assert second.ask("SEQ1.TABLE?") == ["!1", "!2", "!3", "!4", "."], "it was not emptied"


def test_a_table_that_streams_is_replaced(sim: Sim, tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text("PGEN1.TABLE<\n7\n8\n\nPULSE1.PULSES=3\n")
    assert sim.ask("PGEN1.TABLE<", "") == ["OK"]
    assert sim.ask("PGEN1.TABLE<<|", "1", "") == ["OK"]
    done = load(sim, path)
    assert (done.returncode, done.stderr) == (0, "")
    assert sim.ask("PGEN1.TABLE?") == ["!7", "!8", "."]
    assert sim.ask("PGEN1.TABLE.MODE?") == ["OK =FIXED"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("*PCAP.ARM=\n", "line 1: '*PCAP.ARM='"),
        ("PULSE1.DELAY=1\nPULSE1.DELAY?\n", "line 2: 'PULSE1.DELAY?'"),
        ("SEQ1.TABLE<<\n1\n\n", "line 1: 'SEQ1.TABLE<<'"),
        ("SEQ1.TABLE<\n1\nPULSE1.DELAY=1\n", "line 3: 'PULSE1.DELAY=1' is no line of SEQ1.TABLE<"),
        ("nonsense\n", "line 1: 'nonsense'"),
    ],
)
def test_a_file_that_is_no_state_is_refused_whole(
    sim: Sim, tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "state"
    path.write_bytes(text.encode())
    before = sim.ask("PULSE1.DELAY?")
    done = load(sim, path)
    assert done.returncode == 1
    assert f"{path}: {words}" in done.stderr
    assert sim.ask("PULSE1.DELAY?") == before


def test_files_that_can_not_be_used_are_named(sim: Sim, tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for name, words in (("none", "No such file"), ("bytes", "not text")):
        done = load(sim, tmp_path / name)
        assert done.returncode == 1
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    done = program("save", f"{sim.host}:{sim.port}", str(tmp_path / "none" / "state"))
    assert done.returncode == 1
    assert str(tmp_path / "none" / "state") in done.stderr


def test_a_file_that_can_not_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "state"
    statefile.write(path, ["PULSE1.DELAY=1"])
    with pytest.raises(UnicodeEncodeError):
        statefile.write(path, ["PULSE1.DELAY=2", "*METADATA.LABEL_PULSE1=\ud800"])
    assert lines_of(statefile.read(path)) == ["PULSE1.DELAY=1"]
    assert [each.name for each in tmp_path.iterdir()] == ["state"]


def test_a_directory_is_no_state_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="directory"):
        statefile.read(tmp_path)


# -- DESIGN:* -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def designs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("designs")


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, epics_ports: EpicsPorts, sim: Sim, designs: Path
) -> Iterator[Ioc]:
    log = tmp_path_factory.mktemp("server") / "log"
    with Ioc(log, epics_ports, sim.address, "--design-dir", str(designs)) as server:
        yield server


class Design:
    """Puts and gets under `DESIGN:`."""

    def __init__(self, ca: Any, ioc: Ioc) -> None:
        self._ca = ca
        self._ioc = ioc

    async def text(self, name: str) -> str:
        return str(await self._ca.caget(self._ioc.pv(name), datatype=self._ca.DBR_CHAR_STR))

    async def name(self, name: str) -> None:
        await self._put("FILE_NAME", name, datatype=self._ca.DBR_CHAR_STR)

    async def act(self, action: str) -> None:
        await self._put(action, 1)

    async def refused(self, put: Callable[[str], Any], value: str) -> str:
        with pytest.raises(self._ca.CANothing):
            await put(value)
        return await self.text("ERROR")

    async def severity(self, name: str) -> int:
        pv = self._ioc.pv(f"DESIGN:{name}")
        return int((await self._ca.caget(pv, format=self._ca.FORMAT_TIME)).severity)

    async def _put(self, name: str, value: Any, **keywords: Any) -> None:
        pv = self._ioc.pv(f"DESIGN:{name}")
        await self._ca.caput(pv, value, wait=True, timeout=30, **keywords)


async def test_a_sequencer_switches_between_designs(
    sim: Sim, server: Ioc, designs: Path, ca: Any
) -> None:
    design = Design(ca, server)
    assert await design.text("DESIGN:DIRECTORY") == str(designs)
    for name, delay in (("fast", 1), ("slow", 250)):
        sim.put("PULSE1.DELAY.UNITS=ms", f"PULSE1.DELAY={delay}")
        await design.name(f"{name}.txt")
        await design.act("SAVE")
        assert (await design.text("DESIGN:STATUS")).startswith(f"Saved {name}.txt")
    for name, delay in (("fast", 1), ("slow", 250)):
        await design.name(f"{name}.txt")
        await design.act("LOAD")
        assert sim.ask("PULSE1.DELAY?") == [f"OK ={delay}"]
        assert await ca.caget(server.pv("PULSE1:DELAY")) == delay
        assert await design.text("DESIGN:STATUS") == f"Loaded {name}.txt"
        assert await ca.caget(server.pv("DESIGN:REFUSED")) == 0


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "a/../../out", ".", "link/out", "no/x"])
async def test_paths_that_escape_are_refused(
    server: Ioc, designs: Path, tmp_path: Path, ca: Any, name: str
) -> None:
    design = Design(ca, server)
    await design.name("good.txt")
    link = designs / "link"
    link.unlink(missing_ok=True)
    link.symlink_to(tmp_path)
    assert name in await design.refused(design.name, name)
    assert await design.text("DESIGN:FILE_NAME") == "good.txt"
    await design.act("SAVE")
    assert not (tmp_path / "out").exists()
    assert (designs / "good.txt").exists()


async def test_a_load_with_refused_lines_fails_and_says_which(
    sim: Sim, server: Ioc, designs: Path, ca: Any
) -> None:
    design = Design(ca, server)
    (designs / "bad.txt").write_text("PULSE1.DELAY=-1\nPULSE1.PULSES=4\nNONE1.X=1\n")
    await design.name("bad.txt")
    error = await design.refused(design.act, "LOAD")
    assert "2 settings refused: PULSE1.DELAY=-1: Time setting out of range; NONE1.X=1" in error
    assert sim.ask("PULSE1.PULSES?") == ["OK =4"]
    assert await ca.caget(server.pv("DESIGN:REFUSED")) == 2
    assert await design.severity("REFUSED") == MAJOR
    assert await design.severity("STATUS") == MAJOR
    assert await design.severity("LOAD") == INVALID
    await design.name("good.txt")
    await design.act("SAVE")
    await design.act("LOAD")
    assert await design.severity("STATUS") == await design.severity("LOAD") == 0


async def test_lines_that_no_panda_takes_fail_no_load(
    sim: Sim, server: Ioc, designs: Path, ca: Any
) -> None:
    design = Design(ca, server)
    lines = ["SEQ1.TABLE.QUEUED_LINES=0", "TTLIN1.VAL=1", "PCAP1.BITS0=3", "PULSE1.DELAY.INFO=x"]
    (designs / "other.ini").write_text("\n".join([*lines, "PULSE1.PULSES=6", "SEQ1.TABLE<B"]))
    await design.name("other.ini")
    await design.act("LOAD")
    assert sim.ask("PULSE1.PULSES?") == ["OK =6"]
    status = await design.text("DESIGN:STATUS")
    assert status.startswith("Loaded other.ini; 4 settings left out, as no PandA takes them: ")
    assert await design.severity("STATUS") == 0
    assert await ca.caget(server.pv("DESIGN:REFUSED")) == 0


async def test_a_file_that_is_not_there_fails_the_put(server: Ioc, ca: Any) -> None:
    design = Design(ca, server)
    await design.name("never.txt")
    assert "No such file" in await design.refused(design.act, "LOAD")


async def test_without_a_directory_designs_are_refused(ioc: Ioc, ca: Any) -> None:
    design = Design(ca, ioc)
    assert "--design-dir" in await design.refused(design.act, "SAVE")
    assert "--design-dir" in await design.refused(design.name, "x")
