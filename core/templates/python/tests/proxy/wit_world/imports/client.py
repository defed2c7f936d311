"""Who has sent the request."""

import ipaddress
from dataclasses import dataclass, field

from wit_world.imports.types import IpAddress, IpAddress_Ipv4, IpAddress_Ipv6


@dataclass
class Facts:
    address: str | None = None
    user: str | None = None
    groups: list[str] = field(default_factory=list)


facts = Facts()
"""For tests to say: client.facts.address = "10.0.0.7"."""


def reset() -> None:
    facts.__init__()


def address() -> IpAddress | None:
    if facts.address is None:
        return None
    packed = ipaddress.ip_address(facts.address).packed
    if len(packed) == 4:
        return IpAddress_Ipv4(tuple(packed))
    return IpAddress_Ipv6(tuple(int.from_bytes(packed[at : at + 2], "big") for at in range(0, 16, 2)))


def user() -> str | None:
    return facts.user


def groups() -> list[str]:
    return facts.groups
