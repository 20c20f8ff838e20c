"""How PVs are called on a screen, so that Phoebus finds them whatever the prefix is.

The prefix is the macro P. Phoebus takes a name that begins with = for a formula, text before ://
for a type of PV, and in the name of a structure / and ? for its own; so it is told more there.
"""

import json
from urllib.parse import quote

PLAIN = "$(P)"
_PREFIX = 'widget.getEffectiveMacros().getValue("P")'  # in Python
_PVA, _WHOLE = "pva://", "?request=field()"


class PvNames:
    """The PVs of one bridge on screens.

    Args:
        prefix: of all PVs

    Attributes:
        has_structures: Phoebus can show structures under this prefix
    """

    def __init__(self, prefix: str) -> None:
        self._channel = "ca://" if prefix.startswith("=") or "://" in prefix else ""
        self._structure = _PVA + ("/" if prefix.startswith("/") else "")
        self._whole = _WHOLE if "/" in prefix else ""
        self._prefix = prefix
        self.has_structures = "?" not in prefix

    def channel(self, name: str) -> str:
        """A record."""
        return f"{self._channel}{PLAIN}:{name}"

    def structure(self, name: str) -> str:
        """A PVA structure."""
        return f"{self._structure}{PLAIN}:{name}{self._whole}"

    def local(self, name: str) -> str:
        """A PV of the screen itself, which no screen of another PandA has."""
        is_plain = not set(self._prefix) & set("<(")
        return f"loc://{PLAIN if is_plain else quote(self._prefix, safe='')}_{name}"

    def waveform(self, name: str) -> str:
        """A waveform with as many elements as it has: over CA, Phoebus fills it up with zeros."""
        return self.structure(name) if self.has_structures else self.channel(name)

    def waveform_of(self, part: str) -> str:
        """The waveform whose name, without prefix, is `part` of an expression of a rule.

        Phoebus does not replace macros in expressions.
        """
        before, after = self.waveform("").split(PLAIN)
        end = after.removeprefix(":")
        pieces = [f'"{before}"', _PREFIX, f'":" + {part}', *([f'"{end}"'] if end else [])]
        return " + ".join(pieces)

    @property
    def to_record(self) -> str:
        """What makes of the name of a structure that of its records, in Python."""
        changes = [(self._structure, self._channel), *([(self._whole, "")] if self._whole else [])]
        return "".join(f".replace({json.dumps(a)}, {json.dumps(b)})" for a, b in changes)
