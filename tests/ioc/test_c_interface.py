"""What `ioc/epics` declares of C is what the headers of the EPICS in use say."""

import ctypes
import re
from pathlib import Path
from typing import Any

import epicscorelibs
import pytest

from panda_ioc.ioc.epics import dbcore, layouts

OF_C_ITSELF = {"getenv", "fflush"}
POINTERS = {"asTrapWriteId", "asTrapWriteListener"}
TYPES = {
    "void": None,
    "int": ctypes.c_int,
    "unsigned": ctypes.c_uint,
    "unsigned int": ctypes.c_uint,
    "short": ctypes.c_short,
    "unsigned short": ctypes.c_ushort,
    "long": ctypes.c_long,
    "size_t": ctypes.c_size_t,
    "ELLNODE": ctypes.c_void_p * 2,
    "ellCheckNode": layouts.EllCheckNode,
    "notifyStatus": ctypes.c_int,
    "notifyRequestType": ctypes.c_int,
}
NOTE = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
FUNCTIONS = {
    value.__name__: value
    for value in vars(dbcore).values()
    if isinstance(value, ctypes._CFuncPtr) and value.__name__ not in OF_C_ITSELF  # type: ignore[attr-defined]
}


@pytest.fixture(scope="module")
def headers() -> str:
    """All headers of EPICS, without comments."""
    folder = Path(epicscorelibs.__file__).parent / "include"
    return NOTE.sub("", "\n".join(path.read_text() for path in sorted(folder.glob("*.h"))))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_declared_as_in_the_header(name: str, headers: str) -> None:
    found = re.search(
        rf"(?:DBCORE|LIBCOM)_API\s+([\w\s*]+?)(?:epicsStdCall\s+)?\b{name}\s*\(([^)]*)\)", headers
    )
    assert found is not None
    arguments = [each for each in found[2].split(",") if each.strip() != "void"]
    ours = FUNCTIONS[name]
    assert _category(ours.restype) == _category(_type(found[1]))
    assert [_category(each) for each in ours.argtypes] == [
        _category(_type(_without_name(each))) for each in arguments
    ]


@pytest.mark.parametrize(
    ("structure", "name"),
    [
        (layouts.EllCheckNode, "ellCheckNode"),
        (layouts.ProcessNotify, "processNotify"),
        (layouts.DbAddr, "dbAddr"),
        (layouts.AsTrapWriteMessage, "asTrapWriteMessage"),
    ],
)
def test_structures_lie_as_in_the_header(
    structure: type[ctypes.Structure], name: str, headers: str
) -> None:
    theirs = _structure(name, headers)
    assert _places(structure) == _places(theirs)
    assert ctypes.sizeof(structure) == ctypes.sizeof(theirs)


def test_a_channel_begins_with_its_name_and_address(headers: str) -> None:
    begin = re.search(r"struct dbChannel \{([^}]*)\}", headers)
    assert begin is not None
    assert [" ".join(each.split()) for each in begin[1].split(";")[:2]] == [
        "const char *name",
        "dbAddr addr",
    ]
    assert layouts.DbChannel.address.offset == ctypes.sizeof(ctypes.c_void_p)


@pytest.mark.parametrize(
    ("enum", "name", "value"),
    [
        ("notifyStatus", "notifyOK", layouts.NOTIFY_OK),
        ("notifyStatus", "notifyError", layouts.NOTIFY_ERROR),
        ("notifyRequestType", "processGetRequest", layouts.PROCESS_AND_GET),
        ("dbfType", "DBF_CHAR", layouts.DBF_CHAR),
        ("dbfType", "DBF_USHORT", layouts.DBF_USHORT),
        ("dbfType", "DBF_ENUM", layouts.DBF_ENUM),
    ],
)
def test_numbers_are_those_of_the_header(enum: str, name: str, value: int, headers: str) -> None:
    found = re.search(rf"enum\s*\w*\s*\{{([^}}]*)\}}\s*{enum}\s*;", headers)
    assert found is not None
    names = [each.partition("=")[0].strip() for each in found[1].split(",")]
    assert names.index(name) == value


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("DBE_VALUE", dbcore.DBE_VALUE),
        ("DBE_ARCHIVE", dbcore.DBE_LOG),
        ("DBE_PROPERTY", dbcore.DBE_PROPERTY),
    ],
)
def test_masks_are_those_of_the_header(name: str, mask: int, headers: str) -> None:
    found = re.search(rf"#define {name}\s+\(1<<(\d)\)", headers)
    assert found is not None
    assert mask == 1 << int(found[1])


def _type(words: str) -> Any:
    """The type of ctypes that these words of C mean; every pointer is the same."""
    if "*" in words or words.strip() in POINTERS:
        return ctypes.c_void_p
    return TYPES[" ".join(words.split())]


def _without_name(argument: str) -> str:
    """An argument without its name, if it has one."""
    bare = argument.strip()
    return bare if bare in TYPES or bare.endswith("*") else re.sub(r"\w+$", "", bare)


def _category(kind: Any) -> Any:
    """A type, but one for all pointers."""
    is_pointer = kind is ctypes.c_char_p or (
        kind is not None and issubclass(kind, ctypes._Pointer | ctypes._CFuncPtr)  # type: ignore[attr-defined]
    )
    return ctypes.c_void_p if is_pointer else kind


def _structure(name: str, headers: str) -> type[ctypes.Structure]:
    """A structure made of what the header says."""
    found = re.search(rf"struct {name}\s*\{{([^}}]*)\}}", headers)
    assert found is not None
    members = [each.strip() for each in found[1].split(";") if each.strip()]
    types = [_type(each if "(" in each else _without_name(each)) for each in members]
    fields = [(f"field{number}", each) for number, each in enumerate(types)]
    return type(name, (ctypes.Structure,), {"_fields_": fields})


def _places(structure: type[ctypes.Structure]) -> list[tuple[int, int]]:
    """Where the fields of a structure begin, and their sizes."""
    fields = [getattr(structure, name) for name, _ in structure._fields_]  # type: ignore[misc]
    return [(field.offset, field.size) for field in fields]
