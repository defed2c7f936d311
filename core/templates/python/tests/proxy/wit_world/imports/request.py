"""The HTTP request that the proxy forwards."""

from dataclasses import dataclass


@dataclass
class Facts:
    method: str = "GET"
    url: str = ""


facts = Facts()
"""For tests to give."""


def reset() -> None:
    facts.__init__()


def method() -> str:
    return facts.method


def url() -> str:
    return facts.url
