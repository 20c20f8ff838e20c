"""Load databases with macros, whatever the prefix is.

EPICS would take a comma, an equals sign or a backslash in the value of a macro for its own. So the
macros are replaced here: in names by the value as it is, elsewhere as a string that EPICS reads.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import softioc
from softioc import imports

from panda_ioc.records.limits import cut
from panda_ioc.records.names import fits

STATISTICS = Path(softioc.__file__).parent / "iocStats" / "iocAdmin" / "Db" / "ioc.template"
"""Of devIocStats, which softioc brings."""

_TIME_FORMAT = "%m/%d/%Y %H:%M:%S"
_NAME = re.compile(r'^(\s*(?:record\(\s*(?:\w+|"\*")\s*,|alias\()\s*")([^"]*)', re.MULTILINE)
_DESCRIPTION = re.compile(r'(field\(DESC,\s*")([^"]*)')
_SUBSTITUTE = re.compile(r'^substitute "([^"]*)"|^include "([^"]*)"', re.MULTILINE)
_DESC = 40


def load_statistics(prefix: str, overrides: Path) -> bool:
    """Load devIocStats under `prefix:IOC`, and a database that changes it.

    False if that cannot be: some names are too long, or EPICS would take a link to one for an
    address of hardware.
    """
    macros = {"IOCNAME": f"{prefix}:IOC", "TODFORMAT": _TIME_FORMAT}
    texts = [_expand(text, {**macros, **more}) for text, more in _parts(STATISTICS)]
    texts.append(_expand(overrides.read_text(), {"P": prefix}))
    names = [found[2] for text in texts for found in _NAME.finditer(text)]
    if prefix[0] in "#@" or not all(fits(prefix, n.removeprefix(f"{prefix}:")) for n in names):
        return False
    for text in texts:
        _load(text)
    return True


def _parts(template: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The texts that a template includes, with the macros that it gives them; then its own."""
    text = template.read_text()
    macros: dict[str, str] = {}
    for found in _SUBSTITUTE.finditer(text):
        if found[1] is not None:
            macros = dict(pair.strip().split("=") for pair in found[1].split(","))
        else:
            yield (template.parent / found[2]).read_text(), macros
    yield _SUBSTITUTE.sub("", text), {}


def _expand(text: str, macros: Mapping[str, str]) -> str:
    """Replace macros."""
    names = _NAME.sub(lambda found: found[1] + _replace(found[2], macros), text)
    escaped = {name: value.replace("\\", "\\\\") for name, value in macros.items()}
    whole = _replace(names, escaped)
    return _DESCRIPTION.sub(lambda found: found[1] + cut(found[2], _DESC), whole)


def _replace(text: str, macros: Mapping[str, str]) -> str:
    for name, value in macros.items():
        text = text.replace(f"$({name})", value)
    return text


def _load(text: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".db", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        imports.dbLoadDatabase(file.name, None, None)
