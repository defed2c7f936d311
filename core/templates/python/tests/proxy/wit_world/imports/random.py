"""Numbers that cannot be predicted."""

import os

numbers: list[int] = []
"""The next numbers, for tests that need to know them. The others are random."""


def reset() -> None:
    numbers.clear()


def number() -> int:
    return numbers.pop(0) if numbers else int.from_bytes(os.urandom(8), "big")


def bytes(count: int) -> bytes:
    return os.urandom(min(count, 4096))
