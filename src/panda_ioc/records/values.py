"""Whether a record can hold a value that comes from a file."""

from panda_ioc.errors import BadValue
from panda_ioc.records import limits
from panda_ioc.records.specs import FieldValue, RecordSpec

_INTEGER = range(-(2**31), 2**31)


def checked(spec: RecordSpec, value: object) -> FieldValue:
    """Return the value if the record can hold it.

    Raises:
        BadValue: it cannot
    """
    whole = _whole_numbers(spec)
    if whole is not None:
        if isinstance(value, int) and value in whole:
            return int(value)
        raise BadValue(f"{value!r} is not a whole number from {whole[0]} to {whole[-1]}")
    if spec.rtype == "ao":
        if isinstance(value, int | float):
            return float(value)
        raise BadValue(f"{value!r} is not a number")
    size = spec.length - 1 if spec.rtype == "waveform" else limits.STRING
    if isinstance(value, str) and "\0" not in value and limits.fits(value, size):
        return value
    raise BadValue(f"{value!r} is not a text of at most {size} bytes")


def _whole_numbers(spec: RecordSpec) -> range | None:
    """Return the range of whole numbers that the record can hold, or None if it holds something
    else."""
    if spec.rtype in ("bo", "mbbo"):
        return range(len(spec.labels))
    return _INTEGER if spec.rtype == "longout" else None
