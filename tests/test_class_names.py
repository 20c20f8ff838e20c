"""One word for one thing: whoever greps for a class finds that class and no other."""

import ast
from collections import defaultdict
from pathlib import Path

import panda_ioc

TWO_SIDES = {"Block"}
"""Two sides of one idea, which the docstrings of both say."""
PACKAGE = Path(panda_ioc.__file__).parent


def test_no_two_classes_share_a_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(PACKAGE)))
    assert len(places) > 100
    assert {name: found for name, found in places.items() if len(found) > 1}.keys() == TWO_SIDES
