"""How long each fuzz test goes on."""

from hypothesis import HealthCheck, settings


def examples(count: int) -> settings:
    """So many examples by default, more or fewer in proportion under another profile."""
    share = settings().max_examples / 200
    return settings(
        max_examples=max(1, int(count * share)), suppress_health_check=[HealthCheck.too_slow]
    )
