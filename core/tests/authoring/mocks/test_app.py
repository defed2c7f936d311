import unittest
from copy import deepcopy
from datetime import datetime, timedelta, timezone

from app import ExchangeEnded, JudgeHost, JudgeRequest, JudgeResponse, Lifecycle, Tick
from componentize_py_types import Err
from portcullis import ALLOW, DROP, NEXT, ask, block, redirect
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
from wit_world.imports.types import (
    Fallback,
    Field,
    HeaderError_Forbidden,
    HeaderError_Immutable,
    HeaderError_InvalidSyntax,
)
from wit_world.reset import reset

SHOP = ("www.shop.co.uk", 443)
# Ten in Berlin.
MONDAY = datetime(2026, 3, 2, 9, tzinfo=timezone.utc)


class App(unittest.TestCase):
    def setUp(self):
        reset()
        clock.time = MONDAY

    def test_a_client_may_shop_twice_during_working_hours(self):
        client.facts.address = "10.0.0.7"
        self.assertEqual(JudgeHost().judge(*SHOP), NEXT)
        self.assertEqual(JudgeHost().judge(*SHOP), NEXT)
        self.assertEqual(JudgeHost().judge(*SHOP), block("back to work, 10.0.0.7", status=429))
        self.assertEqual(answer.said, answer.Said(retry_after=25_200_000))
        self.assertEqual(metrics.values["hour"], 10)
        self.assertEqual(log.lines.pop(), (log.Level.INFO, "1: visit 3 of 10.0.0.7, found in request"))

        client.facts.address = "2001:db8::7"
        self.assertEqual(JudgeHost().judge(*SHOP), NEXT)
        self.assertEqual(notes.values["visits"], "1")
        client.facts.groups = ["staff", "buyers"]
        self.assertEqual(JudgeHost().judge(*SHOP), ALLOW)

    def test_visits_are_forgotten_after_a_day_and_the_settings_say_how_many_there_may_be(self):
        Lifecycle().init('{"visits": 1}')
        client.facts.user = "ann"
        self.assertEqual(JudgeHost().judge(*SHOP), NEXT)
        self.assertNotEqual(JudgeHost().judge(*SHOP), NEXT)
        clock.time = MONDAY + timedelta(days=1)
        self.assertEqual(JudgeHost().judge(*SHOP), NEXT)
        Lifecycle().init("{}")

    def test_everyone_may_shop_in_the_evening_and_on_sundays(self):
        for time in [MONDAY + timedelta(hours=7), MONDAY - timedelta(days=1)]:
            clock.time = time
            answer.clear()
            self.assertEqual(JudgeHost().judge(*SHOP), NEXT)
            self.assertEqual(answer.said.keep, 60_000)

    def test_where_visits_cannot_be_counted_a_person_is_asked_or_the_hook_fails(self):
        state.failure.value = state.StateError_Full()
        question = ask("May local shop now?", otherwise=Fallback.NEXT, wait=5000)
        self.assertEqual(JudgeHost().judge(*SHOP), question)
        state.failure.value = state.StateError_Unavailable("it is away")
        with self.assertRaises(Err) as failure:
            JudgeHost().judge(*SHOP)
        self.assertRegex(failure.exception.value, r"^the proxy answers unavailable: it is away \(app.py:\d+\)$")

    def test_an_entry_of_a_list_decides_unless_it_is_an_exception(self):
        feeds.lists["malware"] = ["evil.example", "@@good.evil.example", "bad.good.evil.example"]
        self.assertEqual(JudgeHost().judge("www.evil.example", 80), block("www.evil.example is on a list"))
        self.assertEqual(answer.said.matched, "evil.example (line 1)")
        self.assertEqual(metrics.values['listed{feed="malware"}'], 1)
        for host in ["good.evil.example", "bad.good.evil.example"]:
            self.assertEqual(JudgeHost().judge(host, 80), NEXT)

    def test_a_shop_does_not_learn_where_its_visitors_come_from(self):
        request_headers.fields.give("referer", "http://a.example/")
        request_headers.fields.give("Accept", "*/*")
        random.numbers.append(255)
        self.assertEqual(JudgeRequest().judge("GET", "http://www.shop.co.uk/"), NEXT)
        self.assertEqual(request_headers.names(), ["accept", "x-request"])
        self.assertEqual(request_headers.get("X-Request"), [b"ff"])
        self.assertEqual(metrics.values['referer_bytes{method="GET"}'], [17])

    def test_other_requests_are_dropped_or_go_elsewhere(self):
        self.assertEqual(JudgeRequest().judge("TRACE", "http://www.shop.co.uk/"), DROP)
        elsewhere = redirect("https://intranet.example/", status=303)
        self.assertEqual(JudgeRequest().judge("GET", "http://www.shop.co.uk/checkout"), elsewhere)
        self.assertEqual(answer.said.fields, [Field("Set-Cookie", b"basket=; Max-Age=0")])

    def test_a_page_that_is_not_there_is_replaced_and_others_lose_their_own_fields(self):
        request.facts.url = "http://www.shop.co.uk/a"
        request_headers.fields.give("X-Request", "7")
        page = JudgeResponse().judge(404).value
        self.assertEqual((page.status, page.body.decode()), (410, "Es gibt http://www.shop.co.uk/a nicht – 7"))

        for name in ["Via", "X-Powered-By", "Server"]:
            response_headers.fields.give(name, "shop")
        self.assertEqual(JudgeResponse().judge(200), NEXT)
        names = [field.name for field in response_headers.all()]
        self.assertEqual(names, ["via", "server", "x-robots-tag"])

    def test_the_end_of_an_exchange_is_measured(self):
        outcome.facts.how = "blocked"
        outcome.facts.status = 429
        outcome.facts.duration = 1500
        notes.values["visits"] = "3"
        self.assertIsNone(ExchangeEnded().ended())
        self.assertEqual(metrics.values['seconds{how="blocked"}'], [1.5])
        self.assertEqual(log.lines.pop(), (log.Level.DEBUG, "status 429 after visit 3"))

    def test_one_tick_is_enough_if_another_instance_was_first(self):
        self.assertEqual(Tick().tick(), 60_000)
        self.assertIsNone(Tick().tick())
        self.assertEqual(log.lines.pop(), (log.Level.DEBUG, "began at 1772442000000"))

    def test_what_the_proxy_would_not_do_is_not_done(self):
        def fails(reason, call, *arguments):
            with self.assertRaises(Err) as failure:
                call(*arguments)
            self.assertEqual(failure.exception.value, reason)

        fails(HeaderError_Forbidden(), request_headers.set, "Host", b"b.example")
        fails(HeaderError_InvalidSyntax(), request_headers.append, "a b", b"c")
        fails(HeaderError_InvalidSyntax(), request_headers.set, "a", b"b\r\nc: d")
        request_headers.fields.immutable = True
        fails(HeaderError_Immutable(), request_headers.remove, "Accept")
        fails(state.StateError_TooLarge(), state.set, "k" * 1025, b"", None)
        fails(state.StateError_Full(), state.set, "k", bytes(1 << 20), None)
        state.set("k", b"one", None)
        fails(state.StateError_NotANumber(), state.increment, "k", 1, None)
        self.assertEqual(request_headers.names(), [])

    def test_nothing_is_left_of_what_a_test_has_set_and_a_filter_has_done(self):
        def all():
            return deepcopy([
                answer.said, client.facts, clock.now(), domains.suffixes, exchange.facts, feeds.lists, feeds.not_granted, log.lines,
                metrics.values, notes.values, outcome.facts, random.numbers, request.facts, request_headers.all(),
                request_headers.fields.immutable, response_headers.all(), state.entries, state.failure,
            ])  # fmt: skip

        reset()
        before = all()
        answer.keep(1)
        client.facts.groups.append("buyers")
        clock.time = MONDAY
        domains.suffixes.add("gov.uk")
        exchange.facts.host = "a.example"
        feeds.lists["malware"] = ["evil.example"]
        feeds.not_granted.add("ads")
        log.write(log.Level.INFO, "here")
        metrics.count("visits", 1, [])
        notes.set("visits", "1")
        outcome.facts.status = 200
        random.numbers.append(1)
        request.facts.method = "POST"
        request_headers.fields.give("Accept", "*/*")
        request_headers.fields.immutable = True
        response_headers.set("Server", b"shop")
        state.set("visits", b"1", None)
        state.failure.value = state.StateError_Full()
        for value, value_before in zip(all(), before):
            self.assertNotEqual(value, value_before)
        reset()
        self.assertEqual(all(), before)
