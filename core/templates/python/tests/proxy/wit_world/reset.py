"""Puts back what tests have set and what filters have done."""

from wit_world.imports import (
    answer,
    client,
    clock,
    domains,
    exchange,
    feeds,
    log,
    metrics,
    notes,
    outcome,
    random,
    request,
    request_headers,
    response_headers,
    state,
)

_ALL = [
    answer, client, clock, domains, exchange, feeds, log, metrics, notes, outcome, random, request, request_headers,
    response_headers, state,
]  # fmt: skip


def reset() -> None:
    """All is as before the first test, so that none depends on the one before: for setUp."""
    for mock in _ALL:
        mock.reset()
