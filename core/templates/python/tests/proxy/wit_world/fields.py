"""The header fields of a message."""

import re

from componentize_py_types import Err

# They belong to the connection, to the framing of the message, or to the proxy itself, so a filter cannot change them.
OWNED = {
    "connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
    "proxy-status", "te", "trailer", "transfer-encoding", "upgrade", "via",
}  # fmt: skip


class Fields:
    def __init__(self):
        # Lower-case names with their values.
        self._list: list[tuple[str, bytes]] = []

    def give(self, name: str, value: str) -> None:
        """The message comes with this field."""
        self._list.append((name.lower(), value.encode()))

    def clear(self) -> None:
        """There are none, as before the first test."""
        self._list = []

    def get(self, name: str) -> list[bytes]:
        return [value for found, value in self._list if found == name.lower()]

    def names(self) -> list[str]:
        return list(dict.fromkeys(name for name, _ in self._list))

    def set(self, name: str, value: bytes) -> None:
        _check(name, value)
        self.remove(name)
        self.append(name, value)

    def append(self, name: str, value: bytes) -> None:
        _check(name, value)
        self._list.append((name.lower(), value))

    def remove(self, name: str) -> None:
        _check(name)
        self._list = [field for field in self._list if field[0] != name.lower()]


def _check(name: str, value: bytes = b"") -> None:
    if not re.fullmatch(r"[a-zA-Z0-9_!#$%&'*+.^`|~-]+", name):
        raise Err(f"`{name}` cannot be the name of a header field")
    if name.lower() in OWNED:
        raise Err(f"the field {name} is the proxy's and cannot be changed")
    if any(byte != 0x09 and (byte < 0x20 or byte == 0x7F) for byte in value):
        raise Err(f"the value of {name} has control characters")
