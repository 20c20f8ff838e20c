"""The datasets that a file will hold: names, types, attributes, and how to fill them.

Names are those that users of today's IOC find in their files (measured): a column is called
``FIELD.CAPTURE``, as ``COUNTER1.OUT.Value``, unless its field has been given a dataset name:

    captured             datasets of a field named "x"
    one kind             x
    Min Max              x-min x-max
    Min Max Mean         x-min x-max x
    any other set        x for Mean, or else Value; -kind, in small letters, for the others

A name that was given is always a dataset: a word of bits that has one is kept beside its bits.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panda_ioc.capture.scaling import Column, Rows
from panda_ioc.errors import CaptureError

ENTRY = "entry"
"""The NeXus group in each file, so no dataset may have this name."""

BitNames = Mapping[str, Sequence[str]]
"""Names of the bits of a PCAP.BITS field, least significant first; "" for those without."""


@dataclass(frozen=True)
class Dataset:
    """One dataset of a file.

    Attributes:
        name: in the root group
        dtype: of its values
        values: `Rows` -> values, shape (samples,), contiguous
        attributes: units, scale, offset, capture, panda_field and, of one bit, bit
        is_named: the name comes from the dataset name that its field has been given
    """

    name: str
    dtype: np.dtype[Any]
    values: Callable[[Rows], NDArray[Any]]
    attributes: dict[str, str | float] = field(default_factory=dict)
    is_named: bool = False

    @property
    def panda_field(self) -> str:
        """The field that the dataset was captured from."""
        return str(self.attributes["panda_field"])

    @property
    def capture(self) -> str:
        """What was captured of that field, for example "Mean"."""
        return str(self.attributes["capture"])


def datasets_of(
    columns: Sequence[Column], names: Mapping[str, str], bits: BitNames
) -> tuple[Dataset, ...]:
    """Return the datasets for these columns, in their order.

    Args:
        columns: of the acquisition
        names: dataset names by PandA field; empty ones do not count
        bits: fields whose named bits become boolean datasets, in place of words without a name

    Raises:
        CaptureError: two datasets with one name, or a name that cannot be
    """
    found = [item for column in columns for item in _of_column(column, columns, names, bits)]
    owner: dict[str, str] = {}
    for dataset in found:
        source = dataset.panda_field
        if dataset.name in owner:
            raise CaptureError(
                f"dataset name {dataset.name!r} of {source} is taken by {owner[dataset.name]}: "
                "give it another"
            )
        owner[dataset.name] = source
    return tuple(found)


def _of_column(
    column: Column, columns: Sequence[Column], names: Mapping[str, str], bits: BitNames
) -> list[Dataset]:
    labels = bits.get(column.field.name, ()) if column.field.scale is None else ()
    found = [_bit(column, number, label) for number, label in enumerate(labels) if label]
    is_named = bool(names.get(column.field.name))
    if is_named or not labels:
        name = _checked(_name(column, columns, names), column)
        attributes = _attributes(column)
        found.append(Dataset(name, column.dtype, column.values, attributes, is_named))
    return found


def _name(column: Column, columns: Sequence[Column], names: Mapping[str, str]) -> str:
    given = names.get(column.field.name)
    if not given:
        return column.name
    kinds = [other.field.capture for other in columns if other.field.name == column.field.name]
    plain = next((kind for kind in ("Mean", "Value") if kind in kinds), None)
    if len(kinds) == 1 or column.field.capture == plain:
        return given
    return f"{given}-{column.field.capture.lower()}"


def _checked(name: str, column: Column) -> str:
    check_name(name, column.name)
    return name


def check_name(name: str, source: str) -> None:
    """Raise `CaptureError` if no dataset, with the values of `source`, can have this name."""
    if not name.strip(".") or "/" in name or not name.isprintable():
        raise CaptureError(f"dataset name {name!r} of {source}: printable, without '/', please")
    if name == ENTRY:
        raise CaptureError(f"dataset name {name!r} of {source} is that of the NeXus group")


def _attributes(column: Column) -> dict[str, str | float]:
    source = column.field
    found: dict[str, str | float] = {"panda_field": source.name, "capture": source.capture}
    if source.scale is not None:
        found |= {
            "units": source.units or "",
            "scale": source.scale,
            "offset": source.offset or 0.0,
        }
    return found


def _bit(column: Column, number: int, label: str) -> Dataset:
    mask = np.uint32(1 << number)

    def values(rows: Rows) -> NDArray[Any]:
        is_set: NDArray[np.bool_] = (rows[column.name] & mask) != 0
        return is_set

    attributes = {**_attributes(column), "bit": number}
    return Dataset(_checked(label, column), np.dtype(bool), values, attributes)
