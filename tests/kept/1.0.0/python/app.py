"""Built for contract 1.0.0, with every hook; calls every function and gives every verdict. What it
answers is in ../languages.toml, and the filter in JavaScript answers the same.
"""

import json
import re

from componentize_py_types import Err
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
from wit_world.imports.metrics import Label
from wit_world.imports.types import (
    Fallback,
    Field,
    Page,
    Question,
    Redirection,
    Refusal,
    Verdict,
    Verdict_Allow,
    Verdict_Ask,
    Verdict_Block,
    Verdict_Drop,
    Verdict_Next,
    Verdict_Redirect,
    Verdict_Replace,
)

NEXT = Verdict_Next()
config = {}


def block(*parts) -> Verdict:
    parts = ["none" if part is None else str(part) for part in parts]
    return Verdict_Block(Refusal(403, " ".join(parts)))


def failure(call, *args) -> str:
    """The case of the error that the call answers with."""
    try:
        call(*args)
        return "none"
    except Err as error:
        case = type(error.value).__name__.rsplit("_")[-1]
        return re.sub("(?<!^)([A-Z])", r"-\1", case).lower()


class Lifecycle(exports.Lifecycle):
    def init(self, text: str) -> None:
        global config
        try:
            config = json.loads(text)
        except ValueError as error:
            raise Err(str(error)) from None


class Hosts:
    """By the first label of the host."""

    def allow(self) -> Verdict:
        return Verdict_Allow()

    def drop(self) -> Verdict:
        return Verdict_Drop()

    def redirect(self) -> Verdict:
        return Verdict_Redirect(Redirection(307, "http://other.example/"))

    def replace(self) -> Verdict:
        return Verdict_Replace(Page(201, "text/plain", b"page"))

    def ask(self) -> Verdict:
        return Verdict_Ask(Question("May it?", Fallback.NEXT, 1000))

    def block(self) -> Verdict:
        answer.add_field("X-Kept", b"yes")
        answer.retry_after(60_000)
        answer.matched("a rule")
        return block("kept")

    def keep(self) -> Verdict:
        client.user()
        answer.keep(1000)
        return NEXT

    def error(self) -> Verdict:
        raise Err("no answer")

    def exchange(self) -> Verdict:
        exchange.id()
        started = "later" if exchange.started() > clock.now() else "before"
        words = [exchange.protocol(), exchange.found_in()]
        return block(
            exchange.host(), exchange.port(), *words, exchange.server_name(), exchange.listener(), started
        )

    def client(self) -> Verdict:
        address = client.address()
        kind = type(address).__name__.rsplit("_")[-1].lower()
        return block(kind, ".".join(str(part) for part in address.value), client.user(), "+".join(client.groups()))

    def feeds(self) -> Verdict:
        found = feeds.find(exchange.host())
        excepted = feeds.find_in(["list"], "ok.example")
        unknown = failure(feeds.find_in, ["other"], "ok.example")
        kinds = [found.kind.name.lower(), excepted.kind.name.lower()]
        return block("+".join(feeds.names()), found.feed, found.rule, *kinds, unknown)

    def state(self) -> Verdict:
        created = state.compare_and_set("number", None, b"1", None)
        total = state.increment("number", 2, 1000)
        state.set("word", b"text", 1000)
        not_a_number = failure(state.increment, "word", 1, None)
        state.remove("word")
        return block(
            "created" if created else "there", total, not_a_number, state.get("word"), state.get("number").decode()
        )

    def clock(self) -> Verdict:
        time = clock.local("Europe/Berlin")
        parts = [time.year, time.month, time.day, time.weekday, time.hour, time.minute, time.second]
        here = clock.local(None).year
        unknown = failure(clock.local, "Nowhere")
        return block(clock.now(), *parts, here, "known" if unknown == "none" else "unknown")

    def random(self) -> Verdict:
        return block("same" if random.number() == random.number() else "other", len(random.bytes(4)))

    def domains(self) -> Verdict:
        return block(domains.registrable("www.example.co.uk"), domains.registrable("192.0.2.1"))

    def log(self) -> Verdict:
        for level in [log.Level.DEBUG, log.Level.INFO, log.Level.WARN, log.Level.ERROR]:
            log.write(level, f"a line of {level.name.lower()}")
        return NEXT

    def metrics(self) -> Verdict:
        metrics.count("counter", 2, [Label("label", "value")])
        metrics.gauge("gauge", -1.5, [])
        metrics.observe("histogram", 0.5, [])
        return NEXT


class JudgeHost(exports.JudgeHost):
    def judge(self, host: str, port: int) -> Verdict:
        notes.set("host", f"{host}:{port}")
        judge = vars(Hosts).get(host.split(".")[0])
        return judge(self) if callable(judge) else NEXT


def edit(headers, failed: str) -> None:
    try:
        headers.set("X-Failure", failed.encode())
        names = sorted(name for name in headers.names() if name.startswith("x-"))
        headers.append("X-Names", ",".join(names).encode())
        headers.remove("X-Remove")
        old = headers.get("X-Old")
        headers.set_all([*headers.all(), Field("X-More", old[0] if old else b"none")])
    except Err as error:
        raise Err(f"a field was not changed: {error.value}") from error


class JudgeRequest(exports.JudgeRequest):
    def judge(self, method: str, url: str) -> Verdict:
        if method == "POST":
            return block(request.method(), request.url(), method, url, notes.get("host"))
        edit(request_headers, failure(request_headers.set, "Host", b"other.example"))
        return NEXT


class JudgeResponse(exports.JudgeResponse):
    def judge(self, status: int) -> Verdict:
        if status == 500:
            return block(status, request.method(), *(value.decode() for value in request_headers.get("X-Failure")))
        edit(response_headers, failure(request_headers.set, "X-Late", b"1"))
        return NEXT


class ExchangeEnded(exports.ExchangeEnded):
    def ended(self) -> None:
        status = outcome.status()
        labels = [
            Label("how", outcome.how()),
            Label("status", "none" if status is None else str(status)),
            Label("host", notes.get("host") or "none"),
        ]
        metrics.count("bytes", outcome.bytes_from_client() + outcome.bytes_to_client(), labels)
        metrics.gauge("seconds", outcome.duration() / 1000, [])


class Tick(exports.Tick):
    def tick(self) -> int | None:
        return None if config.get("rests") else 60_000
