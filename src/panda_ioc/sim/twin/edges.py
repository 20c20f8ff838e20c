"""Registers that choose an edge."""

RISING, FALLING, EITHER = 0, 1, 2


def edge_chosen(setting: int, level: int, spare: int | None = None) -> bool:
    """Tell whether an edge counts.

    Args:
        setting: the register, of which two bits matter.
        level: the level after the edge.
        spare: what a setting of 3 means to the block; None is no edge at all.
    """
    chosen = setting & 3
    if chosen == 3:
        if spare is None:
            return False
        chosen = spare
    return chosen == EITHER or chosen == (RISING if level else FALLING)
