"""The proxy's log."""

from enum import Enum

lines: list[tuple["Level", str]] = []
"""What was logged, oldest first."""


class Level(Enum):
    TRACE = 0
    DEBUG = 1
    INFO = 2
    WARN = 3
    ERROR = 4


def reset() -> None:
    lines.clear()


def write(level: Level, message: str) -> None:
    lines.append((level, message))
