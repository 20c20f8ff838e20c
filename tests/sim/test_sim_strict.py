"""What a server of version 4.1 answered to commands that are just right, or just wrong.

Lines of a command are separated by `|`, those of a reply by blanks; `@FF` is a byte. The order of
the commands matters where one shows what another did.
"""

import re

import pytest
from wire import Wire, control

from panda_ioc.sim import SimulatedPandA

RANGE = "ERR Error converting number: (34) Numerical result out of range"
AFTER = "ERR Unexpected character after input"
REPLIES: dict[str, list[tuple[str, str]]] = {
    "numbers": [
        ("PULSE1.DELAY=1 ", AFTER),
        ("PULSE1.DELAY=-1 ", "ERR Time setting out of range"),
        ("PULSE1.DELAY= 0x10", "OK"),
        ("PULSE1.DELAY=1e400", RANGE),
        ("PULSE1.DELAY=1e-320", RANGE),
        ("PULSE1.DELAY=nan", "ERR Time setting out of range"),
        ("PULSE1.DELAY=-1e-9", "ERR Time setting out of range"),
        ("PULSE1.DELAY=,", "ERR Number missing"),
        ("PULSE1.DELAY=2251799.8137", "ERR Time setting out of range"),
        ("PULSE1.DELAY.RAW=18446744073709551615", "OK"),
        ("PULSE1.DELAY.RAW=18446744073709551616", RANGE),
        ("PULSE1.DELAY.UNITS=s ", "ERR Invalid time units"),
        ("PULSE1.PULSES=010", "OK"),
        ("PULSE1.PULSES=08", AFTER),
        ("PULSE1.PULSES=-1", "OK"),
        ("PULSE1.PULSES=99999999999999999999", RANGE),
        ("PULSE1.TRIG=TTLIN1.VAL ", "ERR Invalid bit bus selection"),
        ("PULSE1.TRIG.DELAY=32", "ERR Delay too long"),
        ("PULSE1.TRIG.DELAY=32 ", AFTER),
        ("PULSE1.OUT=1", "ERR Field not writeable"),
        ("COUNTER1.START=9223372036854775807", "OK"),
        ("COUNTER1.START=9223372036854775808", RANGE),
        ("CALC1.SHIFT=7 ", "ERR Number out of range"),
        ("CALC1.SHIFT=999 ", "ERR Number out of range"),
        ("CALC1.SHIFT=999", "ERR Number out of range"),
        ("BITS.A=2", "ERR Invalid bit value"),
        ("BITS.A=1x", AFTER),
        ("SRGATE1.FORCE_SET=1", AFTER),
        ("SRGATE1.FORCE_SET?", "ERR Field not readable"),
        ("SYSTEM.TEMP_ZYNQ.RAW=1", "ERR Register cannot be written"),
        ("SYSTEM.TEMP_ZYNQ.RAW=x", "ERR Number missing"),
    ],
    "functions": [
        ("LUT1.FUNC=A=B&C", "OK"),
        ("LUT1.FUNC.RAW?", "OK =0xF00000F0"),
        ("LUT1.FUNC=A==B", "OK"),
        ("LUT1.FUNC=A B", "ERR Missing operator between values"),
        ("LUT1.FUNC=(A", "ERR Missing close bracket"),
        ("LUT1.FUNC=A)", "ERR Missing open bracket"),
        ("LUT1.FUNC=A?B", "ERR Missing : after ?"),
        ("LUT1.FUNC=A:B", "ERR Missing ? before :"),
        ("LUT1.FUNC=A&", "ERR Missing value"),
        ("LUT1.FUNC=!A", "ERR Invalid token"),
        ("LUT1.FUNC=0x", "ERR Bad LUT number"),
        ("LUT1.FUNC=0x5 ", "ERR Bad LUT number"),
        (
            "LUT1.FUNC=((((((((((((((((((((((((((((((((((((((((A))))))))))))))))))))))))))))))))))))))))",
            "ERR Expression too complex",
        ),
    ],
    "captures": [
        ("INENC1.VAL.CAPTURE=Value,Mean", "ERR No name found"),
        ("INENC1.VAL.CAPTURE=Value  Mean ", "OK"),
        ("INENC1.VAL.CAPTURE= Value", "ERR No name found"),
        ("INENC1.VAL.CAPTURE=value", 'ERR Unknown capture option "value"'),
        ("INENC1.VAL.CAPTURE=", "OK"),
        ("PCAP.TS_TRIG.CAPTURE=Value ", "ERR Invalid capture option"),
        ("INENC1.VAL.SCALE=nan(12)", "OK"),
        ("INENC1.VAL.SCALE=0x1p3", "OK"),
        ("INENC1.VAL.SCALE?", "OK =8"),
    ],
    "texts": [
        ("INENC1.VAL.UNITS=@FF", "ERR Malformed UTF-8 encoding"),
        ("INENC1.VAL.UNITS=@EF@BF@BF", "ERR Malformed UTF-8 encoding"),
        ("*METADATA.DESIGN=@C0@AF", "ERR Malformed UTF-8 encoding"),
        ("*METADATA.LAYOUT<|good|@FF|good|", "ERR Malformed UTF-8 encoding"),
        ("*METADATA.LAYOUT=x", "ERR Cannot write to this field"),
        ("*METADATA.APPNAME=x", "ERR Cannot write to this field"),
        ("*METADATA.DESIGN<|", "ERR Not a multi-line field"),
        ("*METADATA.DESIGN.X?", AFTER),
        ("*METADATA.?", "ERR No name found"),
        ("*METADATA.NOPE=@FF", "ERR Malformed UTF-8 encoding"),
    ],
    "names": [
        ("PULSE?", "ERR Missing field name"),
        ("PULSE9?", "ERR Invalid block number"),
        ("PULSE.DELAY?", "ERR Missing block number"),
        ("PULSE0.DELAY?", "ERR Invalid block number"),
        ("PULSE9.NOPE?", "ERR Invalid block number"),
        ("PULSE01.OUT?", "OK =0"),
        ("PULSE08.DELAY?", "ERR Invalid block number"),
        ("PULSE.NOPE?", "ERR No such field"),
        ("PULSE1.DELAY.NOPE?", "ERR No such attribute"),
        ("PULSE1.DELAY.UNITS.X?", AFTER),
        ("PULSE1.DELAY.RAW1?", AFTER),
        ("PULSE1.DELAY.*X?", AFTER),
        ("PULSE1.*=1", "ERR Field not writeable"),
        ("PULSE1.DELAY.*=1", "ERR Field not writeable"),
        ("PULSE1.A234567890123456789012345678901?", "ERR No such field"),
        ("PULSE1.A2345678901234567890123456789012?", "ERR Name too long"),
        ("PULSE99999999999999999999.DELAY?", RANGE),
        ("pulse1.delay?", "ERR No such block"),
        (" PULSE1.DELAY?", "ERR No name found"),
        ("PULSE1.DELAY ?", AFTER),
        ("PULSE1.DELAY?x", "ERR Unexpected text after command"),
    ],
    "system": [
        ("*?", "ERR No name found"),
        ("*idn?", "ERR Unknown command"),
        ("*IDN.X?", AFTER),
        ("*IDN=", "ERR Command not writeable"),
        ("*BLOCKS ?", AFTER),
        ("*ECHO?", "ERR Character ' ' expected"),
        ("*ECHOx?", "ERR Unknown command"),
        ("*SAVESTATE?", "ERR Command not readable"),
        ("*SAVESTATE=1", AFTER),
        ("*SAVESTATE.X=", AFTER),
        ("*VERBOSE?", "ERR Command not readable"),
        ("*VERBOSE=x", "ERR Number missing"),
        ("*VERBOSE=0x", AFTER),
        ("*VERBOSE=0", "OK"),
        ("*WHO=", "ERR Command not writeable"),
        ("*CHANGES.NOPE?", "ERR Unknown changes selection"),
        ("*CHANGES.?", "ERR No name found"),
        ("*CHANGES.CONFIG.X?", AFTER),
        ("*CHANGES=X", "ERR Invalid reset option"),
        ("*CHANGES=EE", AFTER),
        ("*CAPTURE.NOPE?", "ERR Invalid *CAPTURE option"),
        ("*CAPTURE.*X?", AFTER),
        ("*CAPTURE=1", AFTER),
        ("*PCAP.STATUS.X?", "OK =Idle 0 0"),
        ("*PCAP.NOPE?", "ERR Invalid *PCAP field"),
        ("*PCAP.NOPE=x", AFTER),
        ("*PCAP.ARM=1", AFTER),
        ("*DESC.PULSE9?", "ERR Invalid block number"),
        ("*DESC.PULSE.*?", "ERR No name found"),
        ("*DESC.SEQ.TABLE[]?", "ERR Character '.' expected"),
        ("*DESC.SEQ.TABLE[?", "ERR Character ']' expected"),
        ("*DESC.SEQ.TABLE[].NOPE?", "ERR Table sub-field not found"),
        ("*DESC.PULSE.DELAY[].X?", "ERR Field is not a table"),
        ("*ENUMS.PULSE.DELAY?", "ERR Field is not an enumeration"),
        ("*ENUMS.PULSE.DELAY.RAW?", "ERR Attribute is not an enumeration"),
        ("*ENUMS.PULSE?", "ERR Missing field name"),
        ("*ENUMS.SEQ.TABLE[].REPEATS?", "ERR Table sub-field is not an enumeration"),
        ("*BLOCKS<|1|", "ERR Not a table"),
        ("*NOPE<|1|", "ERR Unknown command"),
        ("*METADATA.LAYOUT<<|1|", "ERR Streaming mode not supported"),
        ("*METADATA.LAYOUT<B|1|", "ERR Binary writes not supported"),
    ],
    "tables": [
        ("SEQ1.TABLE<|1 2 3 4 |", "ERR Number missing"),
        ("SEQ1.TABLE<|1 2 3 4,|", "ERR Number missing"),
        ("SEQ1.TABLE<| |", "ERR Number missing"),
        ("SEQ1.TABLE<|1-2-3-4|", "OK"),
        ("SEQ1.TABLE?", "!1 !4294967294 !4294967293 !4294967292 ."),
        ("SEQ1.TABLE<|1 2 3|x|99999999999999999999|", "ERR Number missing"),
        ("SEQ1.TABLE<|99999999999999999999 x|", RANGE),
        ("SEQ1.TABLE<B|AQAAAAIA|AAADAAAABAAAAA==|", "ERR Invalid data length"),
        ("SEQ1.TABLE<B|AQAAAA==|AgAAAA==|AwAAAA==|BAAAAA|", "OK"),
        ("SEQ1.TABLE.B?", "!AQAAAAIAAAADAAAABAAAAA== ."),
        ("SEQ1.TABLE<B|AQAAAA==AgAAAA==|", "ERR Malformed base64 string"),
        ("SEQ1.TABLE<B|AQ==|", "ERR Invalid data length"),
        ("SEQ1.TABLE<B|AQAAA|", "ERR Malformed base64 string"),
        ("SEQ1.TABLE<B| AQAAAA==|", "ERR Malformed base64 string"),
        ("SEQ1.TABLE<B|====|", "ERR Malformed base64 string"),
        ("SEQ1.TABLE<B|AQAAAA|", "ERR Table write is not a whole number of rows"),
        ("SEQ1.TABLE<x|1|", AFTER),
        ("SEQ1.TABLE<|B|1|", "ERR Number missing"),
        ("SEQ9.TABLE<x|1|", AFTER),
        ("SEQ.TABLE<|1|", "ERR Missing block number"),
        ("SEQ1.NOPE<|1|", "ERR No such field"),
        ("SEQ1.TABLE.B<|1|", "ERR Field not a table"),
        ("SEQ1.*<|1|", "ERR Field not a table"),
        ("SEQ1<|1|", "ERR Missing field name"),
        ("PULSE1.DELAY<|1|", "ERR Field is not a table"),
    ],
}


def wire_bytes(command: str) -> bytes:
    text = command.replace("|", "\n") if re.match(r"[^?=]*<", command) else command
    raw = re.sub(rb"@([0-9A-F]{2})", lambda match: bytes.fromhex(match[1].decode()), text.encode())
    return raw + b"\n"


async def reply(client: Wire, command: bytes) -> str:
    client.writer.write(command)
    lines = [await client.line()]
    while lines[-1].startswith("!"):
        lines.append(await client.line())
    return " ".join(lines)


@pytest.mark.parametrize("subject", REPLIES)
async def test_replies_are_those_of_the_server(subject: str) -> None:
    async with SimulatedPandA(alive=False) as panda, control(panda) as client:
        got = [
            (command, await reply(client, wire_bytes(command))) for command, _ in REPLIES[subject]
        ]
    assert got == REPLIES[subject]
