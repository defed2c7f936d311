"""What a filter remembers."""

from dataclasses import dataclass
from typing import Union

from componentize_py_types import Err
from wit_world.imports import clock


@dataclass
class StateError_Full:
    pass


@dataclass
class StateError_TooLarge:
    pass


@dataclass
class StateError_NotANumber:
    pass


@dataclass
class StateError_Unavailable:
    value: str


@dataclass
class StateError_Other:
    value: str


StateError = Union[StateError_Full, StateError_TooLarge, StateError_NotANumber, StateError_Unavailable, StateError_Other]


@dataclass
class Entry:
    value: bytes
    expires: int | None


entries: dict[str, Entry] = {}
"""By key, for tests to look at, and to clear."""


@dataclass
class Failure:
    value: StateError | None = None


failure = Failure()
"""Why every call fails, for tests to say:
state.failure.value = state.StateError_Unavailable("it is away").
"""


def reset() -> None:
    entries.clear()
    failure.value = None


def get(key: str) -> bytes | None:
    entry = _find(key)
    return entry.value if entry else None


def set(key: str, value: bytes, ttl: int | None) -> None:
    _find(key)
    _put(key, Entry(value, _expiry(ttl)))


def remove(key: str) -> None:
    _find(key)
    entries.pop(key, None)


def increment(key: str, by: int, ttl: int | None) -> int:
    entry = _find(key) or Entry(b"0", _expiry(ttl))
    try:
        sum = int(entry.value) + by
    except ValueError:
        raise Err(StateError_NotANumber()) from None
    if not -(1 << 63) <= sum < 1 << 63:
        raise Err(StateError_NotANumber())
    _put(key, Entry(str(sum).encode(), entry.expires))
    return sum


def compare_and_set(key: str, expected: bytes | None, new: bytes | None, ttl: int | None) -> bool:
    if get(key) != expected:
        return False
    if new is None:
        entries.pop(key, None)
    else:
        _put(key, Entry(new, _expiry(ttl)))
    return True


def _find(key: str) -> Entry | None:
    """Raises if a test says so. What has expired does not exist."""
    if failure.value is not None:
        raise Err(failure.value)
    entry = entries.get(key)
    if entry and entry.expires is not None and entry.expires <= clock.now():
        del entries[key]
    return entries.get(key)


def _expiry(ttl: int | None) -> int | None:
    return None if ttl is None else clock.now() + ttl


def _put(key: str, entry: Entry) -> None:
    if len(key.encode()) > 1024:
        raise Err(StateError_TooLarge())
    # Unless the operator gives a filter another limit. Each entry takes some memory besides its key
    # and its value.
    sizes = (200 + len(key.encode()) + max(20, len(entry.value)) for key, entry in (entries | {key: entry}).items())
    if sum(sizes) > 1 << 20:
        raise Err(StateError_Full())
    entries[key] = entry
