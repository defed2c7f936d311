"""Lists of domains."""

from dataclasses import dataclass
from enum import Enum
from typing import Union

from componentize_py_types import Err
from portcullis import is_within

lists: dict[str, list[str]] = {}
"""The entries of each feed by its name, for tests to fill.

Each covers a domain with all names below it; @@ excepts:
lists["malware"] = ["evil.example", "@@good.evil.example"].
"""

not_granted: set[str] = set()
"""The names of feeds that exist and are not granted, for tests to add to."""


class Kind(Enum):
    LISTED = 0
    EXCEPTED = 1


@dataclass
class Match:
    feed: str
    source: str
    rule: str
    line: int | None
    kind: Kind


@dataclass
class FeedError_Unknown:
    value: str


@dataclass
class FeedError_NotGranted:
    value: str


@dataclass
class FeedError_Other:
    value: str


FeedError = Union[FeedError_Unknown, FeedError_NotGranted, FeedError_Other]


def reset() -> None:
    lists.clear()
    not_granted.clear()


def names() -> list[str]:
    return sorted(lists)


def find(host: str) -> Match | None:
    return find_in(names(), host)


def find_in(feeds: list[str], host: str) -> Match | None:
    matches = [match for match in (_match(feed, host) for feed in feeds) if match]
    listed = (match for match in matches if match.kind == Kind.LISTED)
    return next(listed, matches[0] if matches else None)


def _match(feed: str, host: str) -> Match | None:
    """An exception decides, or else another entry; of several the longest."""
    if feed not in lists:
        raise Err(FeedError_NotGranted(feed) if feed in not_granted else FeedError_Unknown(feed))
    entries = enumerate(lists[feed], start=1)
    covering = [(rule, line) for line, rule in entries if is_within(host, rule.removeprefix("@@"))]
    if not covering:
        return None
    rule, line = max(covering, key=lambda entry: (entry[0].startswith("@@"), len(entry[0])))
    return Match(feed, f"{feed}.txt", rule, line, Kind.EXCEPTED if rule.startswith("@@") else Kind.LISTED)
