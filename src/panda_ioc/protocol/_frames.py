"""Many whole frames at once: what makes small frames cheap.

A frame is ``BIN``, a space, its length with this head in 4 bytes, and its samples. Both functions
copy samples, without the heads, to where the store ends; that they are there now is for the caller
to note. Both stop before a frame that is not whole, not as it should be, or too large for the room
that there is; what is wrong with it is found out in `_data`.
"""

import struct

import numpy as np

from panda_ioc.protocol._samples import HEAD_BYTES, SampleStore

HEAD = struct.Struct("<4sI")
FRAME = b"BIN "

_RUN_FRAMES = 16
_MAX_RUN = 1 << 12
_REPEATS = 4


def copy_run(store: SampleStore, data: memoryview, position: int, size: int) -> int:
    """Copy frames of `size` bytes each, all in a few steps; returns how many.

    None, if it is not worth the effort for so few.
    """
    length = size + HEAD_BYTES
    most = min((len(data) - position) // length, store.room // max(1, size), _MAX_RUN)
    if size == 0 or most < _RUN_FRAMES:
        return 0
    heads = np.ndarray(most, "<u8", data, position, (length,))
    other = np.flatnonzero(heads != int.from_bytes(HEAD.pack(FRAME, length), "little"))
    count = int(other[0]) if len(other) else most
    if count:
        samples = np.ndarray((count, size), np.uint8, data, position + HEAD_BYTES, (length, 1))
        np.ndarray((count, size), np.uint8, store.memory, store.end)[:] = samples
    return count


def copy_frames(store: SampleStore, data: memoryview, position: int) -> list[int]:
    """Copy frames of any size, one by one, until a run seems to begin; returns their sizes."""
    memory, fill, end = store.memory, store.end, len(data)
    limit, row, last = fill + store.room, store.row_bytes, -1
    repeats = 0
    sizes: list[int] = []
    while end - position >= HEAD_BYTES:
        tag, length = HEAD.unpack_from(data, position)
        size = length - HEAD_BYTES
        after, following = fill + size, position + length
        if tag != FRAME or following > end or after > limit or size < 0 or size % row:
            break
        repeats = repeats + 1 if size == last else 0
        if repeats == _REPEATS and end - position >= length * _RUN_FRAMES:
            break
        memory[fill:after] = data[position + HEAD_BYTES : following]
        fill, position, last = after, following, size
        sizes.append(size)
    return sizes
