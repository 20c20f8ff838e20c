"""Tables in files: a line of the names of columns, then a line for each row.

Columns that are not named are 0, but a SEQ does each of its lines once. Labels may be written as
they are, or as their numbers.
"""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from panda_ioc.device.model import Device
from panda_ioc.device.tables import TableLayout
from panda_ioc.errors import BadValue, ConfigurationError
from panda_ioc.protocol.responses import TableFieldInfo

# What a column is when a file does not have it.
_DEFAULTS = {"REPEATS": 1}


def table_layout(device: Device, name: str) -> TableLayout:
    """Return the layout of a table: of `SEQ1`, or of `SEQ1.TABLE`.

    Raises:
        ConfigurationError: the PandA has no such table
    """
    wire = name if "." in name else f"{name}.TABLE"
    field = device.fields.get(wire)
    if field is None or not isinstance(field.info, TableFieldInfo):
        tables = (w for w, f in device.fields.items() if isinstance(f.info, TableFieldInfo))
        raise ConfigurationError(f"{wire} is no table; there are {', '.join(tables)}")
    return TableLayout.from_info(field.info, wire)


def read_table(path: Path, layout: TableLayout) -> NDArray[np.uint32]:
    """Read a table from a file.

    Raises:
        ConfigurationError: the file cannot be read, or holds no such table
    """
    try:
        rows = list(_rows(path))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"{path}: no CSV file: {error}") from error
    if len(rows) < 2:
        raise ConfigurationError(f"{path}: give a line of names of columns, and a line for a row")
    (_, names), *lines = rows
    names = [name.strip().upper() for name in names]
    _check(path, names, lines, layout)
    values = list(zip(*(line for _, line in lines), strict=True))
    given = {name: _numbers(values[place]) for place, name in enumerate(names)}
    columns = {
        column.name: given.get(column.name, [_DEFAULTS.get(column.name, 0)] * len(lines))
        for column in layout.columns
    }
    try:
        # A table that is too long at once may be streamed.
        return replace(layout, max_rows=None).pack(columns)
    except BadValue as error:
        raise ConfigurationError(f"{path}: {error}") from error


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    text = path.read_text(encoding="utf-8-sig")
    for number, row in enumerate(csv.reader(text.splitlines()), 1):
        if any(word.strip() for word in row) and not row[0].lstrip().startswith("#"):
            yield number, row


def _check(
    path: Path, names: list[str], lines: list[tuple[int, list[str]]], layout: TableLayout
) -> None:
    known = [column.name for column in layout.columns]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigurationError(
            f"{path}: {layout.name} has no column {unknown[0]!r}; there are {', '.join(known)}"
        )
    for number, line in lines:
        if len(line) != len(names):
            raise ConfigurationError(
                f"{path}, line {number}: {len(line)} values for {len(names)} columns"
            )


def _numbers(texts: tuple[str, ...]) -> list[int | str]:
    return [_number(text.strip()) for text in texts]


def _number(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text
