"""Who is connected to which port since when."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, eq=False)
class Visitor:
    """One connection; `port` is "config" or "data"."""

    port: str
    address: str
    since: datetime

    def line(self) -> str:
        """Return how `*WHO?` shows it."""
        milliseconds = self.since.microsecond // 1000
        return f"{self.since:%Y-%m-%dT%H:%M:%S}.{milliseconds:03}Z {self.port} {self.address} "


class Visitors:
    """All connections of both ports. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._there: list[Visitor] = []

    def come(self, port: str, address: object) -> Visitor:
        """Note a new connection from a socket address."""
        text = ":".join(map(str, address[:2])) if isinstance(address, tuple) else str(address)
        visitor = Visitor(port, text, datetime.now(UTC))
        with self._lock:
            self._there.append(visitor)
        return visitor

    def go(self, visitor: Visitor) -> None:
        """Forget a connection that has ended."""
        with self._lock:
            self._there.remove(visitor)

    @contextmanager
    def visit(self, port: str, address: object) -> Iterator[None]:
        """Note a connection for as long as this lasts."""
        visitor = self.come(port, address)
        try:
            yield
        finally:
            self.go(visitor)

    def lines(self) -> list[str]:
        """Return a line for each connection, the newest first."""
        with self._lock:
            return [visitor.line() for visitor in reversed(self._there)]
