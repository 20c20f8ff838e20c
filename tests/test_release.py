"""A release: its workflow names things that exist, its notes are those of the changelog."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from support.docs_blocks import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of a checkout as the release notes are made from."""
    for name in ("deploy/release-notes", "pyproject.toml", "CHANGELOG.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def _notes(checkout: Path, tag: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "deploy/release-notes", tag]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


def test_the_notes_are_the_section_of_the_version(checkout: Path) -> None:
    changelog = checkout / "CHANGELOG.md"
    sections = ["# Changelog", "## [Unreleased]", f"## [{VERSION}] - 2026-12-01", "- New."]
    changelog.write_text("\n\n".join([*sections, "## [0.0.1]", "- Old.\n"]))
    done = _notes(checkout, f"v{VERSION}")
    assert (done.returncode, done.stdout) == (0, "- New.\n")


def test_a_tag_of_another_version_is_refused(checkout: Path) -> None:
    done = _notes(checkout, "v99.0.0")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"v99.0.0 is not v{VERSION}" in done.stderr


def test_a_version_without_a_section_is_refused(checkout: Path) -> None:
    (checkout / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n")
    done = _notes(checkout, f"v{VERSION}")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"no section [{VERSION}]" in done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_uses_what_exists(path: Path) -> None:
    jobs = yaml.safe_load(path.read_text())["jobs"]
    text = path.read_text()
    for name in re.findall(r"\b(?:deploy|\.ci|\.github/workflows)/[\w.-]+", text):
        assert (ROOT / name).exists(), name
    for job in jobs.values():
        needs = job.get("needs", [])
        assert set([needs] if isinstance(needs, str) else needs) <= set(jobs)
