"""`DESIGN:*`: all settings of the PandA saved to files and loaded, for screens and sequencers."""

from panda_ioc.records.shorthand import action, shown, text

PATH_LENGTH = 4096
NAME_LENGTH = 256

DESIGN = (
    text("DESIGN:DIRECTORY", "Where designs are saved; fixed", PATH_LENGTH),
    text("DESIGN:FILE_NAME", "File of a design, in the directory", NAME_LENGTH, writable=True),
    action("DESIGN:SAVE", "Write all settings to the file"),
    action("DESIGN:LOAD", "Set the PandA from the file"),
    text("DESIGN:STATUS", "How the last save or load ended", 1024),
    shown("DESIGN:REFUSED", "longin", "Settings that the last load lost", 0),
)
