"""PGEN, a position for each trigger."""

from twin.drive import drive

MORE = 1 << 31
TABLE = {0: [5, 0xFFFFFFFF]}
ENABLED = {20: {"ENABLE": 1}}


def _triggers(number: int) -> dict[int, dict[str, int]]:
    return {30 + i: {"TRIG": 1 - i % 2} for i in range(2 * number)}


def test_a_table_repeats_and_the_last_position_ends_it() -> None:
    steps = {1: {"REPEATS": 2}, 2: {"TABLE_LENGTH": 2}, **ENABLED, **_triggers(6)}
    assert drive("PGEN", steps, 100, TABLE) == {
        "ACTIVE": [(21, 1), (37, 0)],
        "OUT": [(31, 5), (33, -1), (35, 5), (37, -1)],
        "STATE": [(11, 1), (21, 2), (37, 1)],
    }


def test_a_chunk_that_is_not_there_is_an_error() -> None:
    steps = {2: {"TABLE_LENGTH": 2 | MORE}, **ENABLED, **_triggers(6)}
    assert drive("PGEN", steps, 100, TABLE) == {
        "ACTIVE": [(21, 1), (35, 0)],
        "OUT": [(31, 5), (33, -1)],
        "HEALTH": [(35, 1)],
        "STATE": [(11, 1), (21, 2), (35, 0)],
    }


def test_a_length_that_nobody_waits_for_is_an_error() -> None:
    steps = {2: {"TABLE_LENGTH": 2}, **ENABLED, 25: {"TABLE_LENGTH": 2}, **_triggers(3)}
    assert drive("PGEN", steps, 100, TABLE) == {
        "ACTIVE": [(21, 1), (27, 0)],
        "HEALTH": [(27, 2)],
        "STATE": [(11, 1), (21, 2), (27, 0)],
    }


def test_a_table_that_is_longer_than_the_memory_is_read_again() -> None:
    table = list(range(1, 5001))
    steps = {2: {"TABLE_LENGTH": len(table)}, **ENABLED, **_triggers(6000)}
    positions = [value for _, value in drive("PGEN", steps, 13000, {0: table})["OUT"]]
    assert positions == [*table, *table[:1000]]
