"""A factor of 1000: most often a unit that somebody took for another."""

_LOW, _HIGH = 300.0, 3000.0


def units_hint(ratio: float, what: str) -> str:
    """Return a question about units if a ratio is close to 1000 or a thousandth.

    Args:
        ratio: of what is to what should be
        what: whose units are in doubt
    """
    factor = ratio if ratio >= 1 else 1 / ratio if ratio > 0 else 0.0
    if not _LOW <= factor <= _HIGH:
        return ""
    return f"that is a factor of about 1000: are the units of {what} right?"
