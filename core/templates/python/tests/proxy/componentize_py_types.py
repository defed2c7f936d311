"""What componentize-py has besides the contract."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Err(Exception):
    """The error of a hook, or of a call to the proxy."""

    value: str
