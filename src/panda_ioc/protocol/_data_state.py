"""The states of a connection to the data port."""

from enum import Enum


class DataState(Enum):
    """What the next bytes are expected to be."""

    CONNECT = "the answer to the options"
    HEADER = "the header of the next acquisition"
    TAG = "the head of a frame, or the end"
    FRAME = "samples of a frame"
    END = "the rest of the END line"
    CLOSED = "nothing: the connection was closed"
    ERROR = "nothing: the connection failed"
