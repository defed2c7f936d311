import unittest

from app import ExchangeEnded, JudgeHost, JudgeRequest, JudgeResponse, Lifecycle, Tick
from portcullis import NEXT, block
from wit_world.imports import (
    answer,
    client,
    exchange,
    metrics,
    notes,
    outcome,
    request_headers,
    response_headers,
    state,
)
from wit_world.imports.types import Field
from wit_world.reset import reset


class App(unittest.TestCase):
    def setUp(self):
        reset()
        Lifecycle().init("{}")

    def test_mail_is_refused_over_ipv6_alone_and_each_answer_holds_for_ten_minutes(self):
        client.facts.address = "2001:db8::7"
        self.assertEqual(JudgeHost().judge("mail.example", 25), block("not by mail"))
        self.assertEqual(answer.said.keep, 600_000)
        self.assertEqual(answer.said.fields, [Field("Cache-Control", b"no-store")])
        self.assertEqual(JudgeHost().judge("mail.example", 443), NEXT)
        client.facts.address = "10.0.0.7"
        self.assertEqual(JudgeHost().judge("mail.example", 25), NEXT)
        self.assertEqual(answer.said.keep, 600_000)

    def test_a_request_loses_a_field_and_its_kind_is_noted(self):
        for method, kind in [("GET", "read"), ("POST", "write")]:
            request_headers.fields.give("X-Client-Data", "CAE=")
            self.assertEqual(JudgeRequest().judge(method, "http://www.example/"), NEXT)
            self.assertEqual(request_headers.names(), [])
            self.assertEqual(notes.values["kind"], kind)

    def test_a_response_says_which_servers_it_comes_from(self):
        response_headers.fields.give("Server", "cache")
        response_headers.fields.give("Server", "shop")
        self.assertEqual(JudgeResponse().judge(200), NEXT)
        self.assertEqual(response_headers.get("X-Seen"), [b"cache,shop"])

    def test_the_bytes_of_an_exchange_are_counted_by_its_end_and_its_kind(self):
        exchange.facts.host = "www.example"
        outcome.facts.how = "passed"
        outcome.facts.bytes_to_client = 512
        self.assertIsNone(ExchangeEnded().ended())
        notes.values["kind"] = "read"
        self.assertIsNone(ExchangeEnded().ended())
        self.assertEqual(metrics.values['bytes{how="passed",kind="none"}'], 512)
        self.assertEqual(metrics.values['bytes{how="passed",kind="read"}'], 512)
        self.assertEqual(state.get("www.example"), b"2")

    def test_it_works_once_a_minute(self):
        self.assertEqual(Tick().tick(), 60_000)
