"""SEQ, with tables that repeat and tables that come in chunks."""

import pytest

from twin.drive import drive

ENABLED = {20: {"ENABLE": 1}}
MORE = 1 << 31
BITA_IS_1, POSA_REACHES = 2, 7


def _line(
    repeats: int = 1,
    *,
    trigger: int = 0,
    position: int = 0,
    times: tuple[int, int] = (0, 1),
    outs: tuple[int, int] = (1, 2),
) -> list[int]:
    return [repeats | trigger << 16 | outs[0] << 20 | outs[1] << 26, position, *times]


def test_lines_wait_for_their_triggers_and_the_table_repeats() -> None:
    table = [
        *_line(2, trigger=BITA_IS_1, times=(3, 4)),
        *_line(1, trigger=POSA_REACHES, position=-3, times=(0, 2), outs=(5, 0)),
    ]
    steps = {
        1: {"TABLE_ADDRESS": 64, "PRESCALE": 2, "REPEATS": 2, "POSA": -4},
        2: {"TABLE_LENGTH": 8},
        **ENABLED,
        30: {"BITA": 1},
        50: {"POSA": -3},
        52: {"BITA": 0},
        60: {"BITA": 1},
    }
    assert drive("SEQ", steps, 150, {64: table}) == {
        "ACTIVE": [(21, 1), (95, 0)],
        "OUTA": [(31, 1), (37, 0), (45, 1), (51, 0), (63, 1), (69, 0), (77, 1), (83, 0)],
        "OUTB": [(37, 1), (45, 0), (51, 1), (59, 0), (69, 1), (77, 0), (83, 1), (91, 0)],
        "LINE_REPEAT": [(21, 1), (45, 2), (59, 1), (77, 2), (91, 1)],
        "TABLE_LINE": [(21, 1), (59, 2), (63, 1), (91, 2)],
        "TABLE_REPEAT": [(21, 1), (63, 2)],
        "STATE": [
            *[(14, 1), (21, 2), (31, 3), (37, 4), (45, 3), (51, 4)],
            *[(63, 3), (69, 4), (77, 3), (83, 4), (95, 1)],
        ],
    }


def test_a_disable_ends_a_line_and_a_new_prescaler_stretches_it() -> None:
    steps = {
        2: {"TABLE_LENGTH": 4},
        **ENABLED,
        30: {"ENABLE": 0},
        40: {"ENABLE": 1},
        45: {"PRESCALE": 3},
    }
    seen = drive("SEQ", steps, 80, {0: _line(0, times=(5, 5))})
    assert seen["ACTIVE"] == [(21, 1), (31, 0), (41, 1)]
    assert seen["OUTA"] == [(21, 1), (26, 0), (41, 1), (48, 0), (63, 1), (78, 0)]
    assert seen["OUTB"] == [(26, 1), (31, 0), (48, 1), (63, 0), (78, 1)]


CHUNKS = {0: _line(times=(0, 30)), 64: _line(times=(0, 10), outs=(0, 4))}
STREAM = {2: {"TABLE_LENGTH": 4 | MORE}, **ENABLED}


def test_chunks_follow_without_a_gap_until_the_last() -> None:
    steps = {**STREAM, 22: {"TABLE_ADDRESS": 64}, 23: {"TABLE_LENGTH": 4}}
    assert drive("SEQ", steps, 100, CHUNKS) == {
        "ACTIVE": [(21, 1), (61, 0)],
        "OUTB": [(21, 1), (51, 0)],
        "OUTC": [(51, 1), (61, 0)],
        "LINE_REPEAT": [(21, 1)],
        "TABLE_LINE": [(21, 1), (51, 2)],
        "TABLE_REPEAT": [(21, 1)],
        "STATE": [(14, 1), (21, 4), (61, 0)],
    }


@pytest.mark.parametrize(
    ("steps", "health"),
    [
        (STREAM, [(51, 1)]),
        ({2: {"TABLE_LENGTH": 4}, **ENABLED, 30: {"TABLE_LENGTH": 4}}, [(32, 2)]),
        ({**STREAM, 30: {"TABLE_LENGTH": 4}, 32: {"TABLE_LENGTH": 4}}, [(34, 2)]),
    ],
    ids=["no next chunk", "second table", "after the last chunk"],
)
def test_what_the_table_lacks_is_an_error(
    steps: dict[int, dict[str, int]], health: list[tuple[int, int]]
) -> None:
    seen = drive("SEQ", steps, 100, CHUNKS)
    assert seen["HEALTH"] == health
    assert seen["ACTIVE"] == [(21, 1), (health[0][0], 0)]
    assert seen["STATE"][-1] == (health[0][0], 0)


def test_a_table_of_length_0_clears_the_one_before() -> None:
    steps = {2: {"TABLE_LENGTH": 4}, 20: {"TABLE_LENGTH": 0}, 30: {"ENABLE": 1}}
    assert drive("SEQ", steps, 100, CHUNKS) == {"STATE": [(14, 1), (23, 0)]}


def test_a_table_that_is_longer_than_the_memory_is_read_again() -> None:
    lines = 4200
    table = [w for n in range(lines) for w in _line(times=(0, 6), outs=(0, n % 7 == 0))]
    steps = {2: {"TABLE_LENGTH": len(table)}, **ENABLED}
    seen = drive("SEQ", steps, 12 * lines + 100, {0: table})
    assert seen["TABLE_REPEAT"] == [(21, 1), (21 + 6 * lines, 2), (21 + 12 * lines, 3)]
    rises = [tick for tick, value in seen["OUTA"] if value]
    assert rises[:3] == [21, 63, 105]
    assert 21 + 6 * lines + 42 in rises
    assert "HEALTH" not in seen
