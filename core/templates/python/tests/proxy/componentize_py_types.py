"""What componentize-py has besides the contract."""

from dataclasses import dataclass
from typing import Any


# Not frozen: an exception that is raised is given its traceback.
@dataclass
class Err(Exception):
    """The error of a hook, which is a text, or of a call to the proxy."""

    value: Any
