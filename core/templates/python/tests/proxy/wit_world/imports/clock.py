"""What time it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from componentize_py_types import Err

time = datetime(1970, 1, 1, tzinfo=timezone.utc)
"""The clock, which stands still, for tests to set:
clock.time = datetime(2026, 3, 2, 9, tzinfo=timezone.utc).
"""

_BEGINNING = time


@dataclass
class LocalTime:
    year: int
    month: int
    day: int
    weekday: int
    hour: int
    minute: int
    second: int


def reset() -> None:
    global time
    time = _BEGINNING


def now() -> int:
    return (time - _BEGINNING) // timedelta(milliseconds=1)


def local(zone: str | None) -> LocalTime:
    """The zone of the machine is UTC here."""
    try:
        there = time.astimezone(ZoneInfo(zone) if zone else timezone.utc)
    except (KeyError, ValueError):
        raise Err(f"there is no time zone {zone}; names are like Europe/Berlin") from None
    return LocalTime(there.year, there.month, there.day, there.isoweekday(), there.hour, there.minute, there.second)
