"""More about the answer that the running hook will give."""

from dataclasses import dataclass, field

from wit_world.fields import check, check_room, size
from wit_world.imports.types import Field


@dataclass
class Said:
    keep: int | None = None
    retry_after: int | None = None
    matched: str | None = None
    fields: list[Field] = field(default_factory=list)


said = Said()
"""What was said of the answer, for tests to look at. Times are in milliseconds."""


def clear() -> None:
    """Nothing was said, as before each call."""
    said.__init__()


reset = clear


def keep(time: int) -> None:
    said.keep = time


def add_field(name: str, value: bytes) -> None:
    check(name, value)
    fields = [*said.fields, Field(name, value)]
    # This is for one call, and where a test makes several, clear() begins the next one.
    check_room(len(fields), size(fields))
    said.fields = fields


def retry_after(time: int) -> None:
    said.retry_after = time


def matched(rule: str) -> None:
    said.matched = rule
