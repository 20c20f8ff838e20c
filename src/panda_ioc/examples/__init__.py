"""Layouts that show how a PandA is set up for common scans."""

from pathlib import Path

EXAMPLES = Path(__file__).parent
SUFFIX = ".panda"


def examples() -> list[str]:
    """Return the names of the layouts that are part of the package."""
    return sorted(path.name.removesuffix(SUFFIX) for path in EXAMPLES.glob(f"*{SUFFIX}"))
