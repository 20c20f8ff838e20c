"""What a block declares: one line for each field, in the body of its class."""

from dataclasses import dataclass
from typing import Any

BIT_IN = "bit_in"
POS_IN = "pos_in"
REGISTER = "register"
STROBE = "strobe"
BIT_OUT = "bit_out"
POS_OUT = "pos_out"
READ = "read"

INPUTS = frozenset({BIT_IN, POS_IN})
WRITABLE = frozenset({REGISTER, STROBE})
OUTPUTS = frozenset({BIT_OUT, POS_OUT, READ})


@dataclass(frozen=True, slots=True)
class TwinField:
    """The role of a field, and whether its 32 bits hold a signed number."""

    role: str
    signed: bool = False


# The functions below return Any, as each block annotates its field with the type of the value
# that an instance holds: int for what comes in, BitOutput or PositionOutput for what goes out.


def bit_in() -> Any:
    """Declare an input from the bit bus: the block sees 0 or 1."""
    return TwinField(BIT_IN)


def pos_in() -> Any:
    """Declare an input from the position bus: the block sees a signed number."""
    return TwinField(POS_IN, signed=True)


def register(signed: bool = False) -> Any:
    """Declare a register whose value the block uses, without noticing the write."""
    return TwinField(REGISTER, signed)


def strobe(signed: bool = False) -> Any:
    """Declare a register whose write the block notices, even that of the same value."""
    return TwinField(STROBE, signed)


def bit_out() -> Any:
    """Declare an output to the bit bus."""
    return TwinField(BIT_OUT)


def pos_out() -> Any:
    """Declare an output to the position bus."""
    return TwinField(POS_OUT, signed=True)


def read() -> Any:
    """Declare a number that only the server reads, such as STATE."""
    return TwinField(READ)


def signed32(value: int) -> int:
    """Take the low 32 bits as a signed number."""
    return ((value + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000


def unsigned32(value: int) -> int:
    """Take the low 32 bits as an unsigned number."""
    return value & 0xFFFF_FFFF
