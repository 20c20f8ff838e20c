"""Shorthand for the bridge's own records, so that a record is a row of a table.

What the arguments mean: `RecordSpec`; those in capitals are EPICS fields. Records that clients may
not put to show `value` until there is something to show.
"""

from dataclasses import replace

from panda_ioc.records.specs import FieldValue, RecordSpec


def shown(
    name: str,
    rtype: str,
    desc: str,
    value: FieldValue | None = None,
    *,
    labels: tuple[str, ...] = (),
    alias: str = "",
    **fields: FieldValue,
) -> RecordSpec:
    """A record that clients read; without a value it is undefined until it is posted."""
    return RecordSpec(
        name=name,
        rtype=rtype,
        desc=desc,
        fields=fields,
        labels=labels,
        aliases=(alias,) if alias else (),
        value=value,
    )


def setting(
    name: str,
    rtype: str,
    desc: str,
    value: FieldValue,
    *,
    labels: tuple[str, ...] = (),
    alias: str = "",
    **fields: FieldValue,
) -> RecordSpec:
    """A record that clients put to."""
    spec = shown(name, rtype, desc, value, labels=labels, alias=alias, **fields)
    return replace(spec, writable=True)


def count(name: str, desc: str) -> RecordSpec:
    """A whole number, which may be larger than a longin holds."""
    return shown(name, "ai", desc, 0, PREC=0)


def percent(name: str, desc: str) -> RecordSpec:
    """A record for a percentage in use."""
    return shown(name, "ai", desc, 0, PREC=1, EGU="%", HOPR=100)


def text(
    name: str, desc: str, length: int, *, writable: bool = False, alias: str = ""
) -> RecordSpec:
    """A text of up to length bytes."""
    return RecordSpec(
        name=name,
        rtype="waveform",
        writable=writable,
        desc=desc,
        ftvl="CHAR",
        length=length,
        aliases=(alias,) if alias else (),
        value="",
    )


def constant(name: str, desc: str, value: str) -> RecordSpec:
    """A text that never changes."""
    return replace(text(name, desc, len(value.encode()) + 1), value=value)


def action(name: str, desc: str) -> RecordSpec:
    """A record that triggers an action with any put."""
    return RecordSpec(name=name, rtype="bo", writable=True, desc=desc, pvi_access="x", value=0)
