"""The plain values of the contract."""

from dataclasses import dataclass
from enum import Enum
from typing import Tuple, Union


@dataclass
class IpAddress_Ipv4:
    value: Tuple[int, int, int, int]


@dataclass
class IpAddress_Ipv6:
    value: Tuple[int, int, int, int, int, int, int, int]


IpAddress = Union[IpAddress_Ipv4, IpAddress_Ipv6]


@dataclass
class Field:
    name: str
    value: bytes


@dataclass
class HeaderError_InvalidSyntax:
    pass


@dataclass
class HeaderError_Forbidden:
    pass


@dataclass
class HeaderError_Immutable:
    pass


@dataclass
class HeaderError_SizeExceeded:
    pass


@dataclass
class HeaderError_Other:
    value: str


HeaderError = Union[
    HeaderError_InvalidSyntax, HeaderError_Forbidden, HeaderError_Immutable, HeaderError_SizeExceeded, HeaderError_Other
]


@dataclass
class Refusal:
    status: int
    reason: str


@dataclass
class Redirection:
    status: int
    location: str


@dataclass
class Page:
    status: int
    content_type: str
    body: bytes


class Fallback(Enum):
    NEXT = 0
    BLOCK = 1


@dataclass
class Question:
    text: str
    otherwise: Fallback
    wait: int


@dataclass
class Verdict_Next:
    pass


@dataclass
class Verdict_Allow:
    pass


@dataclass
class Verdict_Block:
    value: Refusal


@dataclass
class Verdict_Redirect:
    value: Redirection


@dataclass
class Verdict_Replace:
    value: Page


@dataclass
class Verdict_Drop:
    pass


@dataclass
class Verdict_Ask:
    value: Question


Verdict = Union[
    Verdict_Next, Verdict_Allow, Verdict_Block, Verdict_Redirect, Verdict_Replace, Verdict_Drop, Verdict_Ask
]
