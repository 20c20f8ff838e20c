"""The fenced blocks of the documentation, and the commands in them.

A block is run as it stands unless a comment in the line above says why that cannot be:

    <!-- test: docker -->

`panda-ioc demo` stands for every PandA and every prefix.

A `console` block holds commands after "$ ", each perhaps followed by what it prints. There "..."
stands for anything, amounts of white space do not matter, and what is not shown is not compared.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]

REASONS = ("install", "docker", "display", "tested apart")
"""Why a block is not run: it installs, needs a container engine, a display, has a test of its own
or is one."""

SERVES = re.compile(r"\bpanda-ioc (run .*)")
"""A command that does not end: it is run by test_deployment.py, until it serves."""

_FENCE = re.compile(
    r"(?:^<!-- test: (?P<reason>[^>]*?) -->\n)?^```(?P<language>\S*)[^\n]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        page: path of its file from the root of the repository
        line: where it begins
        language: after the fence
        reason: why it is not run, or ""
        text: what is in it
    """

    page: str
    line: int
    language: str
    reason: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[tuple[str, str]]:
        """Commands, with what the page says that they print, of a `console` block."""
        found: list[tuple[str, str]] = []
        for line in self.text.splitlines(keepends=True):
            if line.startswith("$ "):
                found.append((line[2:], ""))
            elif found and found[-1][0].endswith("\\\n"):
                found[-1] = (found[-1][0] + line.removeprefix("> "), "")
            elif found:
                found[-1] = (found[-1][0], found[-1][1] + line)
            else:
                raise ValueError(f"{self}: begins with output: {line}")
        return found

    @property
    def steps(self) -> list[tuple[str, str]]:
        """Commands to run here, with what they should print, or ""."""
        if self.reason:
            return []
        if self.language == "python":
            return [(f"python - <<'END'\n{self.text}\nEND\n", "")]
        if self.language == "console":
            return [(command, out) for command, out in self.commands if not SERVES.search(command)]
        return []


def pages() -> list[Path]:
    """All pages."""
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md")]
    return [*top, *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page."""
    text = page.read_text()
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        name = str(page.relative_to(ROOT))
        yield Block(name, line, match["language"], match["reason"] or "", match["text"])


def bridges() -> Iterator[list[str]]:
    """The arguments of every bridge that a page or a file in deploy/ starts."""
    for block in (block for page in pages() for block in blocks(page)):
        if block.language == "yaml":
            yield from commands_in(yaml.safe_load(block.text))
        elif block.language in ("console", "ini"):
            text = block.text.replace("\\\n", " ")
            yield from (shlex.split(command) for command in SERVES.findall(text))
    for file in (ROOT / "deploy").glob("*.yaml"):
        yield from commands_in(yaml.safe_load(file.read_text()))


def commands_in(tree: object) -> Iterator[list[str]]:
    """What compose files and charts give the entry point."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key in ("command", "args") and isinstance(value, list):
                yield [str(word) for word in value]
            yield from commands_in(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from commands_in(value)


def prints(expected: str, output: str) -> bool:
    """Whether this is what should have been printed."""
    pieces = [re.escape(" ".join(piece.split())) for piece in expected.split("...")]
    return re.fullmatch(r"\s*.*\s*".join(pieces), " ".join(output.split())) is not None
