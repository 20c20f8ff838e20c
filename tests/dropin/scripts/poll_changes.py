"""Follow what somebody else changes."""

import sys

from panda_ioc.pandablocks.blocking import BlockingClient
from panda_ioc.pandablocks.commands import ChangeGroup, GetChanges, Put
from panda_ioc.pandablocks.responses import Changes

with BlockingClient(sys.argv[1]) as client, BlockingClient(sys.argv[1]) as other:
    everything = client.send(GetChanges())
    assert isinstance(everything, Changes)
    print(len(everything.values) > 500, "SEQ1.TABLE" in everything.no_value, everything.in_error)
    print(client.send(GetChanges(ChangeGroup.CONFIG)))
    other.send(Put("PULSE2.PULSES", "77"))
    other.send(Put("PULSE2.TRIG", "CLOCK1.OUT"))
    changes = client.send(GetChanges(ChangeGroup.CONFIG))
    print(sorted(changes.values.items()))
    other.send(Put("SEQ2.TABLE", ["5", "6", "7", "8"]))
    print(client.send(GetChanges(ChangeGroup.TABLE)))
    other.send(Put("SEQ2.TABLE", ["9", "10", "11", "12"]))
    print(client.send(GetChanges(ChangeGroup.TABLE, get_multiline=True)))
    other.send(Put("COUNTER3.OUT.CAPTURE", "Min Max"))
    print(client.send(GetChanges(ChangeGroup.ATTR, True)).values)
    other.send(Put("COUNTER3.OUT.CAPTURE", "No"))
    other.send(Put("*METADATA.DESIGN", "mine"))
    print(client.send(GetChanges(ChangeGroup.METADATA)))
