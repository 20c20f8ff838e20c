"""The operation that pvxs executes: taken away from QSRV, and answered.

The operation is a C++ object. While it is held it has another table of virtual functions, a copy of
its own in which `reply`, `error` and the deleting destructor are ours. The layout of that table is
not declared by pvxs, so only objects of the class that is known are taken, in versions that are
known. Nothing else of pvxs is changed.
"""

import ctypes
from collections.abc import Callable
from typing import Any, Self

VERSIONS = range(0x01050000, 0x01060000)
"""Versions of pvxs in which the class of operations is laid out as below."""

_CLASS = b"*N4pvxs4impl12_GLOBAL__N_113ServerGPRExecE"  # without the star it would be another's
_HEAD = 2  # words before the first function: offset, and type
_DELETE, _REPLY, _ERROR = 1, 2, 4  # places of functions
_FUNCTIONS = 8

_pointer = ctypes.c_void_p
_Call = ctypes.CFUNCTYPE(None, _pointer)
_CallText = ctypes.CFUNCTYPE(None, _pointer, _pointer)

# std::string as pvxs was compiled with it: a function with one in its name tells which.
_PROBE = "_ZN4pvxs6server6Server8removePVERK"
_STRINGS = {
    "Ss": ("_ZNSsC1EPKcmRKSaIcE", "_ZNSsD1Ev"),
    "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE": (
        "_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEC1EPKcmRKS3_",
        "_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEED1Ev",
    ),
}


class Pvxs:
    """The functions of pvxs, and the table of virtual functions of an operation that is held."""

    def __init__(self, current: Any, strings: tuple[str, str], let_go: Any) -> None:
        self._strings = strings
        self._original = 0
        self._table: Any = None
        self.current: Callable[[], int | None] = current
        ignore, ignore_text = _Call(_nothing), _CallText(_nothing)
        self._ours: dict[int, Any] = {_DELETE: _Call(let_go), _REPLY: ignore, _ERROR: ignore_text}

    @classmethod
    def load(cls, let_go: Callable[[int], None]) -> Self | None:
        """The pvxs that serves this process; None if it is not known."""
        library = ctypes.CDLL(None)  # softioc has loaded all of them
        try:
            is_known = library.pvxs_version_int() in VERSIONS
            current = library._ZN4pvxs3ioc9CurrentOp7currentEv
        except AttributeError:
            return None
        kinds = [names for kind, names in _STRINGS.items() if hasattr(library, _PROBE + kind)]
        if not is_known or not kinds:
            return None
        current.restype, current.argtypes = _pointer, ()
        return cls(current, kinds[0], let_go)

    def take(self, operation: int) -> bool:
        """Make the operation ignore QSRV's answer; False if it is of another class."""
        table = _word(operation)
        if self._original == 0 and self._is_known(table):
            self._original = table
            self._table = self._copy(table)
        if table != self._original:
            return False
        head = _HEAD * ctypes.sizeof(_pointer)
        ctypes.c_size_t.from_address(operation).value = ctypes.addressof(self._table) + head
        return True

    def finish(self, operation: int, text: str) -> None:
        """Answer, and delete the operation."""
        if text:
            with _String(self._strings, text) as string:
                _CallText(self._function(_ERROR))(operation, string)
        else:
            _Call(self._function(_REPLY))(operation)
        _Call(self._function(_DELETE))(operation)

    def _function(self, place: int) -> int:
        return _word(self._original + place * ctypes.sizeof(_pointer))

    def _is_known(self, table: int) -> bool:
        """Whether this is the table of the class that is known: its type says the name."""
        type_info = _word(table - ctypes.sizeof(_pointer))
        name = _word(type_info + ctypes.sizeof(_pointer))
        return ctypes.string_at(name) == _CLASS

    def _copy(self, table: int) -> Any:
        count = _HEAD + _FUNCTIONS
        copy = (ctypes.c_size_t * count)()
        size = ctypes.sizeof(copy)
        ctypes.memmove(copy, table - _HEAD * ctypes.sizeof(_pointer), size)
        for place, function in self._ours.items():
            copy[_HEAD + place] = ctypes.cast(function, _pointer).value or 0
        return copy


class _String:
    """A std::string; use as a context manager."""

    def __init__(self, functions: tuple[str, str], text: str) -> None:
        library = ctypes.CDLL("libstdc++.so.6")
        self._make, self._end = (getattr(library, name) for name in functions)
        self._make.restype = self._end.restype = None
        self._make.argtypes = (_pointer, ctypes.c_char_p, ctypes.c_size_t, _pointer)
        self._end.argtypes = (_pointer,)
        self._raw = text.encode()
        self._memory = ctypes.create_string_buffer(64)  # more than any has

    def __enter__(self) -> int:
        allocator = ctypes.create_string_buffer(8)  # it has no state
        self._make(self._memory, self._raw, len(self._raw), allocator)
        return ctypes.addressof(self._memory)

    def __exit__(self, *_: object) -> None:
        self._end(self._memory)


def _nothing(*_: object) -> None:
    pass


def _word(address: int) -> int:
    return ctypes.c_size_t.from_address(address).value
