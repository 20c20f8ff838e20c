"""What EPICS serves, as its own database has it: the records of devIocStats are among them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from epicscorelibs import version

from panda_ioc.ioc.epics import dbcore


@dataclass(frozen=True)
class Served:
    """One record.

    Attributes:
        name: with the prefix
        rtype: its record type
        desc: its DESC
        aliases: further names
        info: its info tags
    """

    name: str
    rtype: str
    desc: str
    aliases: tuple[str, ...]
    info: Mapping[str, str]


def served_records() -> list[Served]:
    """All records; to be called after iocInit, when they change no more."""
    entry = dbcore.alloc_entry(dbcore.database)
    try:
        return list(_walk(entry))
    finally:
        dbcore.free_entry(entry)


def epics_version() -> str:
    """The version of EPICS base."""
    return str(version.base_version)


def environment(names: Iterable[str]) -> dict[str, str]:
    """The variables of these names that are set, also those that EPICS has set."""
    found = {name: _decoded(dbcore.getenv(name.encode())) for name in names}
    return {name: text for name, text in found.items() if text}


def _walk(entry: int) -> Iterator[Served]:
    """Records type by type; an alias may come before its record."""
    for _ in _each(entry, dbcore.first_type, dbcore.next_type):
        found: list[Served] = []
        aliases: dict[str, list[str]] = {}
        rtype = _decoded(dbcore.type_name(entry))
        for _ in _each(entry, dbcore.first_record, dbcore.next_record):
            name = _decoded(dbcore.record_name(entry))
            if dbcore.is_alias(entry):
                aliases.setdefault(_field(entry, b"NAME"), []).append(name)
            else:
                found.append(Served(name, rtype, _field(entry, b"DESC"), (), _info(entry)))
        for each in found:
            names = tuple(aliases.get(each.name, ()))
            yield Served(each.name, rtype, each.desc, names, each.info)


def _info(entry: int) -> Mapping[str, str]:
    return {
        _decoded(dbcore.info_name(entry)): _decoded(dbcore.info_text(entry))
        for _ in _each(entry, dbcore.first_info, dbcore.next_info)
    }


def _each(
    entry: int, first: Callable[[int], Any], following: Callable[[int], Any]
) -> Iterator[None]:
    """Move the entry from one to the next; both functions return 0 while there is one."""
    status = first(entry)
    while not status:
        yield
        status = following(entry)


def _field(entry: int, name: bytes) -> str:
    return "" if dbcore.find_field(entry, name) else _decoded(dbcore.field_text(entry))


def _decoded(text: bytes | None) -> str:
    return (text or b"").decode(errors="replace")
