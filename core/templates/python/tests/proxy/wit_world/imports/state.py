"""What a filter remembers. Nothing expires here."""

values: dict[str, bytes] = {}


def get(key: str) -> bytes | None:
    return values.get(key)


def set(key: str, value: bytes, ttl: int | None) -> None:
    values[key] = value


def increment(key: str, by: int, ttl: int | None) -> int:
    sum = int(values.get(key, b"0")) + by
    values[key] = str(sum).encode()
    return sum


def compare_and_set(key: str, expected: bytes | None, new: bytes | None, ttl: int | None) -> bool:
    if values.get(key) != expected:
        return False
    if new is None:
        values.pop(key, None)
    else:
        values[key] = new
    return True
