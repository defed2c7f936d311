"""Lists of domains."""

from componentize_py_types import Err
from portcullis import is_within

lists: dict[str, list[str]] = {}
"""The domains of each feed by its name, for tests to fill."""


def names() -> list[str]:
    return sorted(lists)


def lookup(feed: str, host: str) -> str | None:
    if feed not in lists:
        raise Err(f"there is no feed {feed}")
    covering = [domain for domain in lists[feed] if is_within(host, domain)]
    return max(covering, key=len, default=None)
