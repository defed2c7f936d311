import unittest

from portcullis import is_within


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
