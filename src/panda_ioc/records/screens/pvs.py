"""How PVs are called on a screen, so that Phoebus finds them whatever the prefix is.

The prefix is the macro P. Phoebus takes a name that begins with = for a formula, text before ://
for a type of PV, and in the name of a structure / and ? for its own; so it is told more there.
"""

import json
from urllib.parse import quote

PLAIN = "$(P)"
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

    @property
    def expression(self) -> str:
        """What the name of a record begins with, as a text in an expression of a rule."""
        if "\\" not in self._prefix:
            return f'"{self._channel}{PLAIN}:"'
        return json.dumps(f"{self._channel}{self._prefix}:", ensure_ascii=False)

    @property
    def to_record(self) -> str:
        """What makes of the name of a structure that of its records, in Python."""
        changes = [(self._structure, self._channel), *([(self._whole, "")] if self._whole else [])]
        return "".join(f".replace({json.dumps(a)}, {json.dumps(b)})" for a, b in changes)
