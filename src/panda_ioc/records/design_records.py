"""`DESIGN:*`: all settings of the PandA saved to files and loaded, for screens and sequencers."""

from panda_ioc.records.specs import RecordSpec

PATH_LENGTH = 4096
NAME_LENGTH = 256


def _text(name: str, desc: str, length: int, *, writable: bool = False) -> RecordSpec:
    return RecordSpec(
        name=f"DESIGN:{name}",
        rtype="waveform",
        ftvl="CHAR",
        length=length,
        writable=writable,
        desc=desc,
        value="",
    )


def _action(name: str, desc: str) -> RecordSpec:
    return RecordSpec(
        name=f"DESIGN:{name}", rtype="bo", writable=True, desc=desc, pvi_access="x", value=0
    )


DESIGN = (
    _text("DIRECTORY", "Where designs are saved; fixed", PATH_LENGTH),
    _text("FILE_NAME", "File of a design, in the directory", NAME_LENGTH, writable=True),
    _action("SAVE", "Write all settings to the file"),
    _action("LOAD", "Set the PandA from the file"),
    _text("STATUS", "How the last save or load ended", 1024),
    RecordSpec(
        name="DESIGN:REFUSED", rtype="longin", desc="Settings that the last load lost", value=0
    ),
)
