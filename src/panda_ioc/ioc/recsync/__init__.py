"""RecSync: tells a RecCeiver, and so ChannelFinder, which records there are.

* `messages`: the protocol, without I/O
* `place`: where RecCeivers announce themselves
* `finder`: hears them
* `link`: a connection to one
* `upload`: what it is told
* `part`: the part of the bridge that does all this
"""
