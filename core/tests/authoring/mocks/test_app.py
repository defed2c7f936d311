import unittest
from datetime import datetime, timezone

from app import JudgeHost, JudgeRequest, JudgeResponse
from componentize_py_types import Err
from portcullis import NEXT, block
from wit_world.imports import client, clock, metrics, request_headers, response_headers, verdict_cache
from wit_world.imports.types import Flow, Protocol, Request

SHOP = Flow("www.shop.co.uk", 443, Protocol.CONNECT)
REQUEST = Request("GET", "http://www.shop.co.uk/")


def at(*time):
    clock.time = datetime(*time, tzinfo=timezone.utc)


class App(unittest.TestCase):
    def setUp(self):
        verdict_cache.kept.clear()
        request_headers.fields.clear()

    def test_nobody_shops_during_working_hours(self):
        # A Monday, ten in Berlin.
        at(2026, 3, 2, 9)
        self.assertEqual(JudgeHost().judge(SHOP), block("back to work, whoever you are"))
        client.sender.address = "10.0.0.7"
        self.assertEqual(JudgeHost().judge(SHOP), block("back to work, 10.0.0.7"))
        self.assertEqual((metrics.values["sent_back"], metrics.values["hour"]), (2, 10))
        self.assertEqual(verdict_cache.kept, [])

    def test_who_works_may_shop_in_the_evening_and_on_sundays(self):
        for time in [(2026, 3, 2, 16), (2026, 3, 1, 9)]:
            at(*time)
            self.assertEqual(JudgeHost().judge(SHOP), NEXT)
            self.assertEqual(verdict_cache.kept.pop(), (verdict_cache.Scope.HOST, 60_000))

    def test_the_shop_does_not_learn_where_somebody_comes_from_and_robots_learn_nothing(self):
        request_headers.fields.give("referer", "http://a.example/")
        request_headers.fields.give("Accept", "*/*")
        self.assertEqual(JudgeRequest().judge(SHOP, REQUEST), NEXT)
        self.assertEqual(request_headers.names(), ["accept"])
        self.assertEqual(metrics.values["referer_bytes"], 17)
        self.assertEqual(JudgeResponse().judge(SHOP, REQUEST, 200), NEXT)
        self.assertEqual(response_headers.names(), ["x-robots-tag"])

    def test_what_belongs_to_the_proxy_is_its_own(self):
        for name, value, reason in [
            ("Host", b"b.example", "the field Host is the proxy's"),
            ("a b", b"c", "cannot be the name"),
            ("a", b"b\r\nc: d", "control characters"),
        ]:
            with self.assertRaises(Err) as refusal:
                request_headers.set(name, value)
            self.assertIn(reason, refusal.exception.value)
        self.assertEqual(request_headers.names(), [])
