"""QDEC, by edges of A, B and Z."""

from twin.drive import drive

LINK = {1: {"LINKUP_INCR": 1}}


def test_each_edge_counts_three_ticks_later() -> None:
    steps = {**LINK, 2: {"SETP": -5}, 5: {"A": 1}, 8: {"B": 1}, 11: {"A": 0}, 14: {"A": 1}}
    assert drive("QDEC", steps, 40) == {
        "HOMED": [(3, 1)],
        "OUT": [(3, -5), (8, -4), (11, -3), (14, -2), (17, -3)],
    }


def test_of_edges_in_neighbouring_ticks_the_second_is_lost() -> None:
    forward = {**LINK, 10: {"A": 1}, 11: {"B": 1}, 12: {"A": 0}}
    assert drive("QDEC", forward, 40)["OUT"] == [(13, 1), (15, 2)]


def test_a_step_back_after_a_lost_one_counts_forward() -> None:
    steps = {**LINK, 10: {"A": 1}, 11: {"A": 0}, 12: {"B": 1}}
    assert drive("QDEC", steps, 40)["OUT"] == [(13, 1), (15, 2)]


def test_z_and_a_lost_link_reset() -> None:
    steps = {**LINK, 2: {"RST_ON_Z": 1}, 10: {"A": 1}, 20: {"Z": 1}, 30: {"LINKUP_INCR": 0}}
    assert drive("QDEC", steps, 40) == {
        "HOMED": [(21, 1), (31, 0)],
        "OUT": [(13, 1), (21, 0)],
    }
