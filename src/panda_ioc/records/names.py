"""Names of PVs: which prefixes EPICS takes, and which names fit under one.

EPICS takes every character in the name of a record but those in `FORBIDDEN`, and 60 bytes. A name
that is longer under the prefix is left out, and with it the structures that need it.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from panda_ioc.errors import ConfigurationError
from panda_ioc.records.limits import NAME
from panda_ioc.records.own import STATUS
from panda_ioc.records.specs import RecordSpec

FORBIDDEN = "\"'$."
"""Apart from blanks and what cannot be printed."""

NEEDED = STATUS
"""The record without which there is no bridge."""

_MACRO = re.compile(r"\$\(\w+\)|\$\{\w+\}", re.ASCII)
_GROUPS = "Q:group"


def check_prefix(prefix: str, may_have_macros: bool = False) -> None:
    """Check that records can have this prefix.

    Args:
        prefix: of all PVs
        may_have_macros: it is for a database that is loaded later

    Raises:
        ConfigurationError: there cannot
    """
    plain = _MACRO.sub("", prefix)
    if plain != prefix and not may_have_macros:
        raise ConfigurationError(f"prefix {prefix}: give the text that the macro stands for")
    if not prefix:
        raise ConfigurationError("the prefix is empty: give one, as BL01I-EA-PANDA-01")
    bad = sorted({c for c in plain if c in FORBIDDEN or not c.isprintable() or c.isspace()})
    if bad:
        shown = " ".join(map(repr, bad))
        raise ConfigurationError(
            f"prefix {prefix!r}: EPICS takes no {shown} in names: leave out blanks and \" ' $ ."
        )
    most = NAME - len(f":{NEEDED}")
    if len(prefix.encode()) > most:
        raise ConfigurationError(
            f"prefix {prefix}: {len(prefix.encode())} bytes, but EPICS leaves room for {most}"
        )


def fits(prefix: str, name: str) -> bool:
    """Whether EPICS can have a record of this name under the prefix."""
    return len(f"{prefix}:{name}".encode()) <= NAME


def fit(prefix: str, specs: Iterable[RecordSpec]) -> tuple[list[RecordSpec], list[RecordSpec]]:
    """Return the records that are served, and those left out because their names are too long."""
    kept, left_out = [], []
    for spec in specs:
        aliases = tuple(alias for alias in spec.aliases if fits(prefix, alias))
        if not fits(prefix, spec.name):
            left_out.append(spec)
        elif aliases == spec.aliases:
            kept.append(spec)
        else:
            kept.append(replace(spec, aliases=aliases))
    return kept, left_out


def without_structures(spec: RecordSpec, broken: Collection[str]) -> RecordSpec:
    """Return the record without its place in structures of which another part is left out."""
    groups = {name: part for name, part in _groups(spec).items() if name not in broken}
    if spec.pvi_target in broken:
        spec = replace(spec, pvi="", pvi_target="")
    if len(groups) == len(_groups(spec)):
        return spec
    info = {tag: value for tag, value in spec.info.items() if tag != _GROUPS}
    return replace(spec, info={**info, _GROUPS: groups} if groups else info)


def structures(specs: Iterable[RecordSpec]) -> set[str]:
    """Return the full names of the PVA structures that records have a place in."""
    return {name for spec in specs for name in _groups(spec)}


def _groups(spec: RecordSpec) -> Mapping[str, object]:
    groups = spec.info.get(_GROUPS, {})
    return groups if isinstance(groups, Mapping) else {}
