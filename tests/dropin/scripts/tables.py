"""Tables as words and as columns."""

import sys

import numpy as np

from panda_ioc.pandablocks.blocking import BlockingClient
from panda_ioc.pandablocks.commands import Append, Get, GetFieldInfo, GetMultiline, Put
from panda_ioc.pandablocks.responses import TableFieldDetails, TableFieldInfo
from panda_ioc.pandablocks.utils import table_to_words, words_to_table

with BlockingClient(sys.argv[1]) as client:
    info = client.send(GetFieldInfo("SEQ"))["TABLE"]
    assert isinstance(info, TableFieldInfo)
    print(list(info.fields)[:4], info.row_words, info.max_length, info.has_mode)
    print(isinstance(info.fields["TRIGGER"], TableFieldDetails), info.fields["TRIGGER"].labels[:2])
    some = {
        "REPEATS": np.array([1, 2, 3], np.uint16),
        "TRIGGER": ["Immediate", "BITA=1", "POSA>=POSITION"],
        "TIME1": ["10", "20", "30"],
        "POSITION": np.array([-1, 0, 1], np.int32).view(np.uint32),
        "OUTA1": [True, False, True],
    }
    some["POSITION"] = np.array([0, 5, 7], np.int32)
    words = table_to_words(some, info)
    print(words)
    client.send(Put("SEQ1.TABLE", words))
    again = words_to_table(client.send(GetMultiline("SEQ1.TABLE")), info, True)
    for name, column in again.items():
        print(name, list(map(str, column)), getattr(column, "dtype", None))
    plain = words_to_table(words, info)
    print(plain["TRIGGER"].tolist(), plain["POSITION"].dtype)
    print(table_to_words(plain, info) == words)
    client.send(Put("PGEN1.TABLE", []))
    client.send(Append("PGEN1.TABLE", ["1", "2"]))
    client.send(Append("PGEN1.TABLE", ["3"], last=True))
    client.send(Put("PGEN1.TABLE", []))
    print(client.send(Get("PGEN1.TABLE")), client.send(Get("SEQ1.TABLE"))[:4])
    try:
        table_to_words({"TRIGGER": ["Sometimes"]}, info)
    except ValueError:
        print("no such label")
