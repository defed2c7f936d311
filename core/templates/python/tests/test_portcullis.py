import unittest

from componentize_py_types import Err
from portcullis import NEXT, ask, block, hook, ip, is_within, keep, replace
from wit_world.imports import answer, clock, request_headers
from wit_world.imports.types import Fallback, Field, IpAddress_Ipv4, IpAddress_Ipv6, Page, Question, Refusal
from wit_world.reset import reset


class Domains(unittest.TestCase):
    def test_a_name_is_within_itself_and_what_it_lies_below(self):
        for host, domain in [
            ("evil.example", "evil.example"),
            ("www.evil.example", "evil.example"),
            ("a.b.c.evil.example", "example"),
            ("www.evil.example", ".eVIL.exAMPLE."),
            ("localhost", "localhost"),
            ("10.0.0.1", "10.0.0.1"),
            ("2001:db8::1", "2001:DB8::1"),
        ]:
            self.assertTrue(is_within(host, domain), f"{host} in {domain}")

    def test_a_common_ending_is_not_enough(self):
        for host, domain in [
            ("notevil.example", "evil.example"),
            ("evil.example", "www.evil.example"),
            ("evil.example.org", "evil.example"),
            ("evil.example", "xample"),
            ("evil.example", ""),
            ("evil.example", "."),
            ("evil.example", "é.example"),
            ("10.0.0.1", "0.0.1"),
            ("10.0.0.1", "1"),
            ("2001:db8::10.0.0.1", "0.0.1"),
        ]:
            self.assertFalse(is_within(host, domain), f"{host} in {domain}")

    def test_an_address_is_that_of_pythons_library(self):
        self.assertEqual(str(ip(IpAddress_Ipv4((10, 0, 0, 7)))), "10.0.0.7")
        self.assertEqual(str(ip(IpAddress_Ipv6((0x2001, 0xDB8, 0, 0, 0, 0, 0, 1)))), "2001:db8::1")


class Verdicts(unittest.TestCase):
    def setUp(self):
        reset()

    def test_a_verdict_can_say_more_than_its_case_does(self):
        more = {"Cache-Control": "no-store", "X-Rule": b"7"}
        verdict = block("later", status=429, retry_after=1500, matched="limit", fields=more)
        self.assertEqual(verdict.value, Refusal(429, "later"))
        keep(60_000)
        fields = [Field("Cache-Control", b"no-store"), Field("X-Rule", b"7")]
        self.assertEqual(answer.said, answer.Said(60_000, 1500, "limit", fields))
        self.assertEqual(replace("text/plain", "é").value, Page(200, "text/plain", "é".encode()))
        question = ask("Is this all right?", otherwise=Fallback.NEXT).value
        self.assertEqual(question, Question("Is this all right?", Fallback.NEXT, 60_000))


class Errors(unittest.TestCase):
    def test_what_goes_wrong_is_told_with_its_place(self):
        def judge(self):
            return "block"

        def refused():
            raise Err("not today")

        for call, text in [
            (lambda: NEXT.status, r"AttributeError: .*'status' \(test_portcullis.py:\d+\)"),
            (lambda: request_headers.set("Host", b"a"), r"the proxy answers forbidden \(test_portcullis.py:\d+\)"),
            (lambda: clock.local("Nowhere"), "there is no time zone Nowhere; .*"),
            (lambda: block(None), r"TypeError: the verdict lacks its reason \(test_portcullis.py:\d+\)"),
            (refused, "not today"),
            (lambda: hook(judge)(None), "the hook answered 'block'; a verdict is NEXT, ALLOW, .*"),
        ]:
            with self.assertRaises(Err) as failure:
                hook(call)()
            self.assertRegex(failure.exception.value, f"^{text}$")
