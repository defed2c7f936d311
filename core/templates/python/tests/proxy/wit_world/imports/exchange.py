"""The exchange that the running hook is about."""

from dataclasses import dataclass


@dataclass
class Facts:
    id: str = "1"
    host: str = ""
    port: int = 0
    protocol: str = "connect"
    found_in: str = "request"
    server_name: str | None = None
    listener: str = "main"
    started: int = 0


facts = Facts()
"""For tests to say: exchange.facts.found_in = "server-name"."""


def reset() -> None:
    facts.__init__()


def id() -> str:
    return facts.id


def host() -> str:
    return facts.host


def port() -> int:
    return facts.port


def protocol() -> str:
    return facts.protocol


def found_in() -> str:
    return facts.found_in


def server_name() -> str | None:
    return facts.server_name


def listener() -> str:
    return facts.listener


def started() -> int:
    return facts.started
