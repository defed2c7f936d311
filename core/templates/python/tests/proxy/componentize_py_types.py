"""What componentize-py has besides the contract."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Err(Exception):
    """The error of a hook, which is a text, or of a call to the proxy."""

    value: Any
