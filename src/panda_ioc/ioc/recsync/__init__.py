"""RecSync: tells a RecCeiver, and so ChannelFinder, which records there are.

`messages` is the protocol without I/O, `finder` hears RecCeivers announce themselves, `link` is a
connection to one, `upload` is what it is told, and `part` is the part of the bridge that does it.
"""
