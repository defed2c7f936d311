"""What became of an exchange."""

from dataclasses import dataclass


@dataclass
class Facts:
    how: str = "passed"
    status: int | None = None
    bytes_from_client: int = 0
    bytes_to_client: int = 0
    duration: int = 0


facts = Facts()
"""For tests to say: outcome.facts.how = "blocked"."""


def reset() -> None:
    facts.__init__()


def how() -> str:
    return facts.how


def status() -> int | None:
    return facts.status


def bytes_from_client() -> int:
    return facts.bytes_from_client


def bytes_to_client() -> int:
    return facts.bytes_to_client


def duration() -> int:
    return facts.duration
