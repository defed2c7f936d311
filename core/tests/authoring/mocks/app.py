"""Asks the proxy for much of what it offers: whoever shops before five is sent back to work, and nobody tells shops where they come from."""

from portcullis import NEXT, block, hook
from wit_world import exports
from wit_world.imports import client, clock, domains, metrics, request_headers, response_headers, verdict_cache
from wit_world.imports.types import Flow, Request, Verdict


class Lifecycle(exports.Lifecycle):
    @hook
    def init(self, json: str) -> None:
        pass


class JudgeHost(exports.JudgeHost):
    @hook
    def judge(self, flow: Flow) -> Verdict:
        now = clock.local("Europe/Berlin")
        metrics.gauge("hour", now.hour)
        if domains.registrable(flow.host) != "shop.co.uk" or now.weekday > 5 or now.hour >= 17:
            verdict_cache.keep(verdict_cache.Scope.HOST, 60_000)
            return NEXT
        metrics.count("sent_back", 1)
        return block(f"back to work, {client.address() or 'whoever you are'}")


class JudgeRequest(exports.JudgeRequest):
    @hook
    def judge(self, flow: Flow, request: Request) -> Verdict:
        for referer in request_headers.get("Referer"):
            metrics.count("referer_bytes", len(referer))
        request_headers.remove("Referer")
        return NEXT


class JudgeResponse(exports.JudgeResponse):
    @hook
    def judge(self, flow: Flow, request: Request, status: int) -> Verdict:
        response_headers.append("X-Robots-Tag", b"none")
        return NEXT
