"""RecSync: tells a RecCeiver, and so ChannelFinder, which records there are.

`messages` is the protocol without I/O, `place` where RecCeivers announce themselves, `finder` hears
them, `link` is a connection to one, `upload` is what it is told, and `part` is the part of the
bridge that does it.
"""
