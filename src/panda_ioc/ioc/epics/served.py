"""What EPICS serves, as its own database has it: the records of devIocStats are among them."""

import ctypes
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from epicscorelibs import version
from epicscorelibs.ioc import dbCore

from panda_ioc.ioc.epics.dbcore import database_function


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


_pointer = ctypes.c_void_p
_text = ctypes.c_char_p
_alloc = database_function("dbAllocEntry", _pointer, _pointer)
_free = database_function("dbFreeEntry", None, _pointer)
_first_type = database_function("dbFirstRecordType", ctypes.c_long, _pointer)
_next_type = database_function("dbNextRecordType", ctypes.c_long, _pointer)
_type_name = database_function("dbGetRecordTypeName", _text, _pointer)
_first_record = database_function("dbFirstRecord", ctypes.c_long, _pointer)
_next_record = database_function("dbNextRecord", ctypes.c_long, _pointer)
_record_name = database_function("dbGetRecordName", _text, _pointer)
_is_alias = database_function("dbIsAlias", ctypes.c_int, _pointer)
_first_info = database_function("dbFirstInfo", ctypes.c_long, _pointer)
_next_info = database_function("dbNextInfo", ctypes.c_long, _pointer)
_info_name = database_function("dbGetInfoName", _text, _pointer)
_info_text = database_function("dbGetInfoString", _text, _pointer)
_find_field = database_function("dbFindField", ctypes.c_long, _pointer, _text)
_get_string = database_function("dbGetString", _text, _pointer)

_getenv = ctypes.CDLL(None).getenv
_getenv.restype, _getenv.argtypes = _text, (_text,)


def served_records() -> list[Served]:
    """All records; to be called after iocInit, when they change no more."""
    entry = _alloc(_pointer.in_dll(dbCore, "pdbbase"))
    try:
        return list(_walk(entry))
    finally:
        _free(entry)


def epics_version() -> str:
    """The version of EPICS base."""
    return str(version.base_version)


def environment(names: Iterable[str]) -> dict[str, str]:
    """The variables of these names that are set, also those that EPICS has set."""
    found = {name: _decoded(_getenv(name.encode())) for name in names}
    return {name: text for name, text in found.items() if text}


def _walk(entry: int) -> Iterator[Served]:
    """Records type by type; an alias may come before its record."""
    for _ in _each(entry, _first_type, _next_type):
        found: list[Served] = []
        aliases: dict[str, list[str]] = {}
        rtype = _decoded(_type_name(entry))
        for _ in _each(entry, _first_record, _next_record):
            name = _decoded(_record_name(entry))
            if _is_alias(entry):
                aliases.setdefault(_field(entry, b"NAME"), []).append(name)
            else:
                found.append(Served(name, rtype, _field(entry, b"DESC"), (), _info(entry)))
        for each in found:
            names = tuple(aliases.get(each.name, ()))
            yield Served(each.name, rtype, each.desc, names, each.info)


def _info(entry: int) -> Mapping[str, str]:
    return {
        _decoded(_info_name(entry)): _decoded(_info_text(entry))
        for _ in _each(entry, _first_info, _next_info)
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
    return "" if _find_field(entry, name) else _decoded(_get_string(entry))


def _decoded(text: bytes | None) -> str:
    return (text or b"").decode(errors="replace")
