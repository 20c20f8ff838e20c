"""NTEnums for what EPICS has no states for: muxes, and enumerations too long for an mbbo.

Beside the string record, which CA clients and PVI use, there is a PVA structure `NAME:ENUM` with
all choices, from which a screen makes a combo box. It is made up of the records `NAME:INDEX` and
`NAME:CHOICES`.
"""

from collections.abc import Iterator

from panda_ioc.device.codecs import CodecName, codec_for
from panda_ioc.records import limits
from panda_ioc.records.specs import RecordSpec
from panda_ioc.records.tables import READ_ONLY_MEMBER

ENUM, INDEX, CHOICES = "ENUM", "INDEX", "CHOICES"


def choice_records(prefix: str, spec: RecordSpec) -> Iterator[RecordSpec]:
    """Return the records of the NTEnum beside a record with `choices`, or none without choices."""
    if spec.choices:
        group = f"{prefix}:{spec.name}:{ENUM}"
        yield _index(spec, group)
        yield _choices(spec, group)


def _index(spec: RecordSpec, group: str) -> RecordSpec:
    return RecordSpec(
        name=f"{spec.name}:{INDEX}",
        rtype="longout" if spec.writable else "longin",
        writable=spec.writable,
        desc=f"{spec.desc}: number of the choice" if spec.desc else "Number of the choice",
        fields={"LOPR": 0, "HOPR": len(spec.choices) - 1},
        info={
            "Q:group": {
                group: {
                    "+id": "epics:nt/NTEnum:1.0",
                    # Without an order clients are warned at each put; of VAL it would process.
                    "": {
                        "+type": "meta",
                        "+channel": "SEVR",
                        "+putorder": 0,
                        "+trigger": "",
                    },
                    "value": {"+type": "structure", "+id": "enum_t"},
                    "value.index": {
                        "+type": "plain",
                        "+channel": "VAL",
                        "+putorder": 1,
                        "+trigger": "*",
                    },
                }
            }
        },
        wire=spec.wire,
        codec=codec_for(CodecName.CHOICE, spec.choices),
        good=spec.good,
    )


def _choices(spec: RecordSpec, group: str) -> RecordSpec:
    return RecordSpec(
        name=f"{spec.name}:{CHOICES}",
        rtype="waveform",
        ftvl="STRING",
        length=len(spec.choices),
        desc=f"What {spec.name} can be set to" if spec.writable else f"What {spec.name} can be",
        fields=READ_ONLY_MEMBER,
        info={
            "Q:group": {
                group: {"value.choices": {"+type": "plain", "+channel": "VAL", "+trigger": ""}}
            }
        },
        value=tuple(limits.cut(choice, limits.STRING) for choice in spec.choices),
    )
