"""Columns of a table as their records hold them: numbers, and labels as bytes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panda_ioc.device.tables import TableLayout

Columns = Mapping[str, NDArray[Any]]


def columns_of(layout: TableLayout, words: NDArray[np.uint32]) -> Columns:
    """Return the columns of a table, by name.

    Raises:
        BadValue: the words are no whole number of rows
    """
    columns = layout.unpack(words)
    labelled = {c.name: c for c in layout.columns if c.labels}
    return columns | {
        name: np.array([s.encode() for s in column.to_labels(columns[name])], "S40")
        for name, column in labelled.items()
    }


def words_of(layout: TableLayout, columns: Mapping[str, Any]) -> NDArray[np.uint32]:
    """Return the words that columns make up.

    Raises:
        BadValue: a value is none that its column can hold, or the columns differ in length
    """
    return layout.pack({name: _labels(values) for name, values in columns.items()})


def _labels(values: Any) -> Any:
    """Return a column as it is packed: labels as str."""
    if np.asarray(values).dtype.kind == "S":
        return [value.decode(errors="replace") for value in values.tolist()]
    return values
