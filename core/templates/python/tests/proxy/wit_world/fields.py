"""The header fields of a message."""

import re
from collections import Counter

from componentize_py_types import Err
from wit_world.imports.types import (
    Field,
    HeaderError_Forbidden,
    HeaderError_Immutable,
    HeaderError_InvalidSyntax,
    HeaderError_SizeExceeded,
)

# They belong to the connection, to the framing of the message, or to the proxy itself, so a filter
# cannot change them.
OWNED = {
    "connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
    "proxy-status", "te", "trailer", "transfer-encoding", "upgrade", "via",
}  # fmt: skip


class Fields:
    def __init__(self):
        self._list: list[Field] = []
        # How much the filter has added, in bytes.
        self._added = 0
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
        field = Field(name, value)
        self._become([*self._without(name), field], [field])

    def append(self, name: str, value: bytes) -> None:
        self._check(name, value)
        field = Field(name, value)
        self._become([*self._list, field], [field])

    def remove(self, name: str) -> None:
        self._check(name)
        self._list = self._without(name)

    def set_all(self, fields: list[Field]) -> None:
        theirs = [field for field in fields if not _is_owned(field.name)]
        for field in theirs:
            self._check(field.name, field.value)
        # Only what the list has more often than the message is added.
        left = Counter(map(_text, self._list))
        added = []
        for field in theirs:
            left[_text(field)] -= 1
            if left[_text(field)] < 0:
                added.append(field)
        self._become([*(field for field in self._list if _is_owned(field.name)), *theirs], added)

    def _become(self, fields: list[Field], added: list[Field]) -> None:
        # This is for one call, and where a test makes several, clear() begins the next one.
        size_added = self._added + size(added)
        check_room(len(fields), size_added)
        self._list, self._added = fields, size_added

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


def _text(field: Field) -> tuple[str, bytes]:
    return field.name.lower(), bytes(field.value)


def size(fields: list[Field]) -> int:
    """What the names and values take, in bytes."""
    return sum(len(field.name) + len(field.value) for field in fields)


def check_room(count: int, added: int) -> None:
    """Raises unless there may be so many fields, and so many bytes of them that a filter has added."""
    if count > 1000 or added > 64 << 10:
        raise Err(HeaderError_SizeExceeded())
