import unittest

from componentize_py_types import Err
from portcullis import NEXT, ask, block, hook, ip, is_within, keep, redirect, replace
from wit_world.imports import answer, clock, request_headers
from wit_world.imports.types import (
    Fallback,
    Field,
    HeaderError_SizeExceeded,
    IpAddress_Ipv4,
    IpAddress_Ipv6,
    Page,
    Question,
    Refusal,
)
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

    def test_an_argument_that_does_not_fit_is_an_error_with_its_name(self):
        milliseconds = "and it has to be whole milliseconds"
        for call, text in [
            (lambda: block(5), "reason is 5, and it has to be a text"),
            (lambda: block("no", status="high"), "status is 'high', and it has to be 400 to 599"),
            (lambda: block("no", status=99999), "status is 99999, and it has to be 400 to 599"),
            (lambda: block("no", status=True), "status is True, and it has to be 400 to 599"),
            (lambda: block("no", retry_after=1.5), f"retry_after is 1.5, {milliseconds}"),
            (lambda: block("no", retry_after=-5), f"retry_after is -5, {milliseconds}"),
            (lambda: block("no", retry_after=1 << 64), f"retry_after is {1 << 64}, {milliseconds}"),
            (lambda: block("no", matched=7), "matched is 7, and it has to be a text"),
            (lambda: block("no", fields={"X-A": 7}), "fields['X-A'] is 7, and it has to be a text or bytes"),
            (lambda: block("", matched="", fields={7: ""}), "the name of a header field is 7, and it has to be a text"),
            (lambda: block("no", fields="X-A"), "fields is 'X-A', and it has to be a dict of header fields"),
            (lambda: redirect(None), "location is None, and it has to be a text"),
            (lambda: redirect("/", status=200), "status is 200, and it has to be 301, 302, 303, 307 or 308"),
            (lambda: replace(7, ""), "content_type is 7, and it has to be a text"),
            (lambda: replace("", 7), "body is 7, and it has to be a text or bytes"),
            (lambda: replace("", "", status=99), "status is 99, and it has to be 200 to 599"),
            (lambda: ask(7), "text is 7, and it has to be a text"),
            (lambda: ask("?", "next"), "otherwise is 'next', and it has to be Fallback.NEXT or Fallback.BLOCK"),
            (lambda: ask("?", wait=0.5), f"wait is 0.5, {milliseconds}"),
            (lambda: keep(None), f"time is None, {milliseconds}"),
        ]:
            with self.assertRaises(ValueError) as failure:
                call()
            self.assertEqual(str(failure.exception), text)
        self.assertEqual(answer.said, answer.Said())

    def test_a_field_that_cannot_be_added_is_named(self):
        for name, text in [
            ("Content-Length", "the field Content-Length belongs to the proxy and cannot be changed"),
            ("X A", "the field X A has a name or a value that is not possible in HTTP"),
        ]:
            with self.assertRaises(ValueError) as failure:
                block("no", fields={name: "1"})
            self.assertEqual(str(failure.exception), text)

    def test_a_field_that_is_more_than_the_proxy_takes_is_named(self):
        text = "the field X-Last is more than can be added to an answer: 1000 fields, and 64 KiB of names and values"
        many = {f"X-{n}": "" for n in range(1000)}
        large = {"X-Large": "x" * ((64 << 10) - len("X-Large"))}
        for fields in [many, large]:
            answer.clear()
            block("no", fields=fields)
            answer.clear()
            with self.assertRaises(ValueError) as failure:
                block("no", fields=fields | {"X-Last": ""})
            self.assertEqual(str(failure.exception), text)

    def test_more_fields_of_a_message_than_the_proxy_takes_change_nothing(self):
        request_headers.set_all([Field(f"X-{n}", b"") for n in range(1000)])
        self._is_full()
        request_headers.set("X-0", b"in place of one")

        reset()
        request_headers.append("X-Large", b"x" * ((64 << 10) - len("X-Large")))
        self._is_full()
        # What the message has is not added once more.
        request_headers.set_all(request_headers.all())

    def _is_full(self):
        before = request_headers.all()
        for change in [
            lambda: request_headers.append("X-Last", b""),
            lambda: request_headers.set("X-Last", b""),
            lambda: request_headers.set_all([*before, Field("X-Last", b"")]),
        ]:
            with self.assertRaises(Err) as failure:
                change()
            self.assertEqual(failure.exception.value, HeaderError_SizeExceeded())
            self.assertEqual(request_headers.all(), before)


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
            (lambda: block(None), r"ValueError: reason is None, and it has to be a text \(test_portcullis.py:\d+\)"),
            (refused, "not today"),
            (lambda: hook(judge)(None), "the hook answered 'block'; a verdict is NEXT, ALLOW, .*"),
        ]:
            with self.assertRaises(Err) as failure:
                hook(call)()
            self.assertRegex(failure.exception.value, f"^{text}$")

    def test_a_method_that_the_proxy_would_not_call_is_refused(self):
        def misspelt(self):
            return NEXT

        misspelt.__qualname__ = "JudgeHost.judge_host"
        with self.assertRaises(TypeError) as failure:
            hook(misspelt)
        self.assertEqual(
            str(failure.exception), "the method of JudgeHost is judge, and judge_host would never be called"
        )
        misspelt.__qualname__ = "JudgeHost.judge"
        self.assertIs(hook(misspelt).__wrapped__, misspelt)
