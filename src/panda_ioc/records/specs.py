"""What a record is, before there is an EPICS to make it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from panda_ioc.device.codecs import Codec

FieldValue = str | int | float


class Settle(Enum):
    """What has to happen after the PandA's OK before a put is reported as done."""

    NOTHING = auto()
    """The PandA keeps what it was sent."""
    READ_BACK = auto()
    """It may have rounded or rewritten it: ask for the value."""
    POLL = auto()
    """Other records change with it: wait until they have been read."""


@dataclass(frozen=True, kw_only=True)
class RecordSpec:
    """One record.

    Attributes:
        name: without the prefix, "PULSE1:DELAY"
        rtype: EPICS record type
        writable: clients may put to it
        readable: the PandA tells its value; if not, it shows what was put last
        desc: whole description; the DESC field gets what fits
        fields: EPICS fields apart from DESC
        labels: states of mbbi and mbbo, ZNAM and ONAM of bi and bo
        choices: labels that do not fit into states; an NTEnum shows them
        ftvl, length: element type and number of elements of a waveform
        aliases: further names, without the prefix
        info: info tags
        pvi: name of its entry in the block's PVI structure; "" for none
        pvi_target: the PV, with prefix, that the entry names; "" for the record itself
        pvi_access: "r", "rw" or "x" (to be triggered); "" for what `writable` says
        wire: the field or attribute whose value it shows; "" for the bridge's own records
        codec: of that value; None for the bridge's own records
        scaled_by: names on the wire of scale and offset to apply to it, or ()
        units_from: name on the wire of the units that EGU follows, or ""
        good: the text that raises no alarm; "" if none does
        settle: what a put waits for
        value: of a constant, or to begin with
        saved: a setting of the bridge that survives a restart
        full: bytes of a text that fill the record, so that EPICS may have cut what was put; 0 where
            that does not matter
    """

    name: str
    rtype: str
    writable: bool = False
    readable: bool = True
    desc: str = ""
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    ftvl: str = ""
    length: int = 1
    aliases: tuple[str, ...] = ()
    info: Mapping[str, object] = field(default_factory=dict)
    pvi: str = ""
    pvi_target: str = ""
    pvi_access: str = ""
    wire: str = ""
    codec: Codec | None = None
    scaled_by: tuple[str, ...] = ()
    units_from: str = ""
    good: str = ""
    settle: Settle = Settle.NOTHING
    value: FieldValue | tuple[str, ...] | None = None
    saved: bool = False
    full: int = 0

    @property
    def block(self) -> str:
        """The part of the name that all records of one block share."""
        return self.name.partition(":")[0]


def pv_name(wire: str) -> str:
    """Return the PV, without prefix, of a field or attribute: "." becomes ":"."""
    return wire.replace(".", ":")


def pvi_name(name: str) -> str:
    """Return the PVI entry of a record: its name in its block, in lower case."""
    return name.partition(":")[2].replace(":", "_").lower()
