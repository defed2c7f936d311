"""Verdicts that need not be asked for again."""

from enum import Enum


class Scope(Enum):
    HOST = 0
    CLIENT_AND_HOST = 1


kept: list[tuple[Scope, int]] = []
"""What was said of verdicts, oldest first, each with its milliseconds."""


def keep(scope: Scope, ttl: int) -> None:
    kept.append((scope, ttl))
