"""Any bytes into the data port decoder give events or the one error, and splits change nothing."""

from fuzzing import examples
from hypothesis import given
from hypothesis import strategies as st

from panda_ioc.errors import PandAError
from support.controlstream import pieces
from support.datastream import acquisition, decode, header, random_rows, same

COLUMNS = [("A.B", "int32", "Value"), ("C.D", "double", "Value")]
ROWS = random_rows(COLUMNS, 60)
GOOD = b"OK\n" + acquisition(COLUMNS, ROWS, [1] * 20 + [3, 5, 7])
PREFIXES = [b"", b"OK\n", b"OK\n" + header(COLUMNS, 12), GOOD]
SPLITS = st.lists(st.integers(0, 400), max_size=30)


@examples(2000)
@given(st.sampled_from(PREFIXES), st.binary(max_size=400), SPLITS, st.booleans(), st.booleans())
def test_parse_it_or_raise_the_one_error(
    prefix: bytes, junk: bytes, sizes: list[int], every: bool, direct: bool
) -> None:
    whole, error = decode([prefix + junk], every)
    assert error is None or isinstance(error, PandAError)
    split, again = decode(pieces(prefix + junk, sizes), every, direct)
    assert type(error) is type(again)
    assert same(whole, split)


@examples(2500)
@given(st.data())
def test_one_damaged_byte(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(GOOD) - 1))
    stream = bytearray(GOOD)
    stream[place] = data.draw(st.integers(0, 255))
    _, error = decode([bytes(stream)])
    assert error is None or isinstance(error, PandAError)
    _, error = decode(pieces(bytes(stream), [100, 500, 1, 7]), every=False, direct=True)
    assert error is None or isinstance(error, PandAError)


@examples(1500)
@given(st.lists(st.integers(0, 30), max_size=40), SPLITS, st.booleans(), st.booleans())
def test_frames_of_any_size_in_any_split(
    frames: list[int], sizes: list[int], every: bool, direct: bool
) -> None:
    rows = random_rows(COLUMNS, sum(frames))
    stream = b"OK\n" + acquisition(COLUMNS, rows, frames)
    events, error = decode(pieces(stream, sizes), every, direct, slab_bytes=256)
    assert error is None
    got = b"".join(event.data.tobytes() for event in events if hasattr(event, "data"))
    assert got == rows.tobytes()
