"""Who has sent the request."""

from dataclasses import dataclass


@dataclass
class Sender:
    address: str | None = None
    user: str | None = None


sender = Sender()
"""For tests to say: client.sender.address = "10.0.0.7"."""


def address() -> str | None:
    return sender.address


def user() -> str | None:
    return sender.user
