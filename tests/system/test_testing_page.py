"""The page on testing plans: what it prints works, and its mistake is caught."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.docs_blocks import ROOT, blocks

PAGE = ROOT / "docs" / "how-to" / "testing.md"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The files of the page, as those of another project."""
    conftest, plan, test, _ = [b.text for b in blocks(PAGE) if b.language == "python"]
    for name, text in (("conftest", conftest), ("line_scan", plan), ("test_line_scan", test)):
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=110)


def test_the_test_of_the_page_passes(project: Path) -> None:
    done = run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_the_test_of_the_page_catches_the_lost_point(project: Path) -> None:
    plan = project / "line_scan.py"
    assert plan.read_text().count('"Rising"') == 1
    plan.write_text(plan.read_text().replace('"Rising"', '"Falling"'))
    done = run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "DATA:NUM_CAPTURED" in done.stdout
    assert 'name="panda-data-num_captured"), 9)' in done.stdout


def test_the_context_managers_of_the_page_work(tmp_path: Path) -> None:
    *_, code = [b.text for b in blocks(PAGE) if b.language == "python"]
    done = run(tmp_path, "-c", code)
    assert done.returncode == 0, done.stderr
    address, pv = done.stdout.split()
    assert address.startswith("127.0.0.1:")
    assert pv.endswith(":PULSE1:DELAY")
