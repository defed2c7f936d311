"""What a filter writes down about an exchange."""

import re

values: dict[str, str] = {}
"""By key, for tests to set, to look at, and to clear."""


def reset() -> None:
    values.clear()


def get(key: str) -> str | None:
    return values.get(key)


def set(key: str, value: str) -> None:
    # The proxy drops what goes beyond, too.
    fits = re.fullmatch("[a-z0-9_]{1,64}", key) and len(value.encode()) <= 1024
    if fits and (key in values or len(values) < 16):
        values[key] = value
