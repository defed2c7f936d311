"""Numbers about what a filter does."""

import re

values: dict[str, float] = {}
"""What was counted and measured, by name."""


def count(name: str, by: int) -> None:
    _keep(name, values.get(name, 0) + by)


def gauge(name: str, value: float) -> None:
    _keep(name, value)


def _keep(name: str, value: float) -> None:
    # The proxy drops other names, too.
    if re.fullmatch("[a-z0-9_]{1,64}", name):
        values[name] = value
