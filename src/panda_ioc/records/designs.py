"""`DESIGN:*`: all settings of the PandA saved to files and loaded, for screens and sequencers."""

from panda_ioc.records import own
from panda_ioc.records.shorthand import action, shown, text

PATH_LENGTH = 4096
NAME_LENGTH = 256

DESIGN = (
    text(own.DESIGN_DIRECTORY, "Where designs are saved; fixed", PATH_LENGTH),
    text(own.DESIGN_FILE_NAME, "File of a design, in the directory", NAME_LENGTH, writable=True),
    action(own.DESIGN_SAVE, "Write all settings to the file"),
    action(own.DESIGN_LOAD, "Set the PandA from the file"),
    text(own.DESIGN_STATUS, "How the last save or load ended", 1024),
    shown(own.DESIGN_REFUSED, "longin", "Settings that the last load lost", 0),
)
