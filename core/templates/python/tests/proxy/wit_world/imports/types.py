"""The plain values of the contract."""

from dataclasses import dataclass
from enum import Enum
from typing import Union


class Protocol(Enum):
    HTTP = 0
    CONNECT = 1
    SOCKS = 2
    TLS = 3


@dataclass
class Flow:
    host: str
    port: int
    protocol: Protocol


@dataclass
class Request:
    method: str
    url: str


@dataclass
class Block:
    status: int
    reason: str


@dataclass
class Redirect:
    status: int
    location: str


@dataclass
class Page:
    status: int
    content_type: str
    body: bytes


@dataclass
class Verdict_Next:
    pass


@dataclass
class Verdict_Allow:
    pass


@dataclass
class Verdict_Block:
    value: Block


@dataclass
class Verdict_Redirect:
    value: Redirect


@dataclass
class Verdict_Replace:
    value: Page


Verdict = Union[Verdict_Next, Verdict_Allow, Verdict_Block, Verdict_Redirect, Verdict_Replace]
