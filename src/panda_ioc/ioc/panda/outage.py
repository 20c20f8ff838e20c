"""Logging of an outage: each reason once, however long it lasts."""

from dataclasses import dataclass, field

MOST_REASONS = 8
"""Reasons of one outage that are told; a PandA that talks nonsense has no end of them."""


@dataclass
class Outage:
    """The reasons logged since the PandA was last connected.

    Attributes:
        why: the reason that was told last
        reasons: all that were told
        is_answering: it has been told that the PandA answers
    """

    why: str = ""
    reasons: set[str] = field(default_factory=set)
    is_answering: bool = False

    def is_news(self, reason: str) -> bool:
        """Whether to log this reason; `why` is this reason from then on."""
        if reason in self.reasons or len(self.reasons) >= MOST_REASONS:
            return False
        self.reasons.add(reason)
        self.why = reason
        return True
