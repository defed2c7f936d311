"""The header fields of a message."""

import re

from componentize_py_types import Err
from wit_world.imports.types import Field, HeaderError_Forbidden, HeaderError_Immutable, HeaderError_InvalidSyntax

# They belong to the connection, to the framing of the message, or to the proxy itself, so a filter
# cannot change them.
OWNED = {
    "connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
    "proxy-status", "te", "trailer", "transfer-encoding", "upgrade", "via",
}  # fmt: skip


class Fields:
    def __init__(self):
        self._list: list[Field] = []
        self.immutable = False
        """For tests to say: the hook that runs cannot change them."""

    def give(self, name: str, value: str) -> None:
        """The message comes with this field."""
        self._list.append(Field(name, value.encode()))

    def clear(self) -> None:
        """There are none, as before the first test."""
        self.__init__()

    def get(self, name: str) -> list[bytes]:
        return [field.value for field in self._list if field.name.lower() == name.lower()]

    def names(self) -> list[str]:
        return list(dict.fromkeys(field.name.lower() for field in self._list))

    def all(self) -> list[Field]:
        # A filter cannot rely on the case of names, so they are not as they were given.
        return [Field(name, value) for name in self.names() for value in self.get(name)]

    def set(self, name: str, value: bytes) -> None:
        self._check(name, value)
        self._list = [*self._without(name), Field(name, value)]

    def append(self, name: str, value: bytes) -> None:
        self._check(name, value)
        self._list.append(Field(name, value))

    def remove(self, name: str) -> None:
        self._check(name)
        self._list = self._without(name)

    def set_all(self, fields: list[Field]) -> None:
        theirs = [field for field in fields if not _is_owned(field.name)]
        for field in theirs:
            self._check(field.name, field.value)
        self._list = [*(field for field in self._list if _is_owned(field.name)), *theirs]

    def _without(self, name: str) -> list[Field]:
        return [field for field in self._list if field.name.lower() != name.lower()]

    def _check(self, name: str, value: bytes = b"") -> None:
        if self.immutable:
            raise Err(HeaderError_Immutable())
        check(name, value)


def check(name: str, value: bytes = b"") -> None:
    """Raises unless a filter may have such a field in a message."""
    is_name = re.fullmatch(r"[a-zA-Z0-9_!#$%&'*+.^`|~-]{1,256}", name)
    if not is_name or any(byte != 0x09 and (byte < 0x20 or byte == 0x7F) for byte in value):
        raise Err(HeaderError_InvalidSyntax())
    if _is_owned(name):
        raise Err(HeaderError_Forbidden())


def _is_owned(name: str) -> bool:
    return name.lower() in OWNED
