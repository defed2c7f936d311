"""Numbers about what a filter does."""

import re
from dataclasses import dataclass
from typing import Any

values: dict[str, Any] = {}
"""What was counted and measured.

The keys are names with their labels: `blocked` and `blocked{feed="malware",kind="listed"}`; of a
histogram, the value is a list of all observations.
"""


@dataclass
class Label:
    name: str
    value: str


def reset() -> None:
    values.clear()


def count(name: str, by: int, labels: list[Label]) -> None:
    _change(name, labels, lambda before: (before or 0) + by)


def gauge(name: str, value: float, labels: list[Label]) -> None:
    _change(name, labels, lambda _: value)


def observe(name: str, value: float, labels: list[Label]) -> None:
    _change(name, labels, lambda before: [*(before or []), value])


def _change(name: str, labels: list[Label], change) -> None:
    pairs = ",".join(f'{label.name}="{label.value}"' for label in labels)
    key = f"{name}{{{pairs}}}" if labels else name
    metrics = {key.split("{")[0] for key in values} | {name}
    # The proxy drops what goes beyond the limits, too.
    has_room = key in values or len(values) < 1000 and len(metrics) <= 100
    if _is_name(name) and len(labels) <= 3 and all(_is_label(label) for label in labels) and has_room:
        values[key] = change(values.get(key))


def _is_name(name: str) -> bool:
    return re.fullmatch("[a-z0-9_]{1,64}", name) is not None


def _is_label(label: Label) -> bool:
    return _is_name(label.name) and len(label.value.encode()) <= 64
