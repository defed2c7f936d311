"""Uses all that the proxy offers: it limits how often a client shops during working hours, and does
not tell shops where their visitors come from.
"""

from dataclasses import dataclass

from componentize_py_types import Err
from portcullis import ALLOW, DROP, NEXT, ask, block, hook, ip, keep, redirect, replace, settings
from wit_world import exports
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
from wit_world.imports.types import Fallback, Field, Verdict

DAY = 86_400_000


@dataclass
class Config:
    visits: int = 2


config = Config()


class Lifecycle(exports.Lifecycle):
    @hook
    def init(self, json: str) -> None:
        global config
        config = settings(json, Config)


class JudgeHost(exports.JudgeHost):
    @hook
    def judge(self, host: str, port: int) -> Verdict:
        match = feeds.find(host)
        if match and match.kind == feeds.Kind.LISTED:
            metrics.count("listed", 1, [metrics.Label("feed", match.feed)])
            return block(f"{host} is on a list", matched=f"{match.rule} (line {match.line})")
        now = clock.local("Europe/Berlin")
        metrics.gauge("hour", now.hour, [])
        if domains.registrable(host) != "shop.co.uk" or port != 443 or now.weekday > 5 or now.hour >= 17:
            keep(60_000)
            return NEXT
        return ALLOW if "buyers" in client.groups() else visit(17 - now.hour)


def visit(hours_left: int) -> Verdict:
    """A client without an address counts as `local`."""
    address = client.address()
    who = client.user() or (str(ip(address)) if address else "local")
    try:
        visits = state.increment(f"visits {who}", 1, DAY)
    except Err as error:
        if isinstance(error.value, state.StateError_Full):
            return ask(f"May {who} shop now?", otherwise=Fallback.NEXT, wait=5000)
        raise
    notes.set("visits", str(visits))
    log.write(log.Level.INFO, f"{exchange.id()}: visit {visits} of {who}, found in {exchange.found_in()}")
    if visits <= config.visits:
        return NEXT
    return block(f"back to work, {who}", status=429, retry_after=hours_left * 3_600_000)


class JudgeRequest(exports.JudgeRequest):
    @hook
    def judge(self, method: str, url: str) -> Verdict:
        if method == "TRACE":
            return DROP
        if url.endswith("/checkout"):
            answer.add_field("Set-Cookie", b"basket=; Max-Age=0")
            return redirect("https://intranet.example/", status=303)
        for referer in request_headers.get("Referer"):
            metrics.observe("referer_bytes", len(referer), [metrics.Label("method", method)])
        request_headers.remove("Referer")
        request_headers.set("X-Request", f"{random.number():x}".encode())
        return NEXT


class JudgeResponse(exports.JudgeResponse):
    @hook
    def judge(self, status: int) -> Verdict:
        if status == 404:
            number = request_headers.get("x-request")[0].decode()
            return replace("text/plain; charset=utf-8", f"Es gibt {request.url()} nicht – {number}", status=410)
        fields = [field for field in response_headers.all() if not field.name.lower().startswith("x-")]
        response_headers.set_all([*fields, Field("X-Robots-Tag", b"none")])
        return NEXT


class ExchangeEnded(exports.ExchangeEnded):
    @hook
    def ended(self) -> None:
        metrics.observe("seconds", outcome.duration() / 1000, [metrics.Label("how", outcome.how())])
        log.write(log.Level.DEBUG, f"status {outcome.status()} after visit {notes.get('visits')}")


class Tick(exports.Tick):
    @hook
    def tick(self) -> int | None:
        # Only the first instance that comes writes down when.
        first = state.compare_and_set("began", None, str(clock.now()).encode(), None)
        log.write(log.Level.DEBUG, f"began at {(state.get('began') or b'').decode()}")
        return 60_000 if first else None
