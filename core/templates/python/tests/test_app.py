import unittest

from app import JudgeHost, Lifecycle
from componentize_py_types import Err
from portcullis import NEXT, block
from wit_world.imports import log
from wit_world.reset import reset


def judge(host):
    return JudgeHost().judge(host, 443)


class App(unittest.TestCase):
    def setUp(self):
        reset()
        Lifecycle().init('{"domains": ["blocked.example"]}')

    def test_a_listed_domain_is_blocked_with_all_names_below_it(self):
        for host in ["blocked.example", "www.blocked.example"]:
            self.assertEqual(judge(host), block("blocked.example is blocked here"))
            self.assertEqual(log.lines.pop(), (log.Level.DEBUG, f"{host} is covered by blocked.example"))

    def test_other_hosts_are_none_of_its_business(self):
        for host in ["example", "notblocked.example", "192.0.2.1"]:
            self.assertEqual(judge(host), NEXT)

    def test_a_domain_is_written_in_any_case_and_an_address_is_only_itself(self):
        Lifecycle().init('{"domains": ["Blocked.Example", "0.0.1"]}')
        self.assertEqual(judge("www.blocked.example"), block("Blocked.Example is blocked here"))
        self.assertEqual(judge("10.0.0.1"), NEXT)

    def test_a_setting_that_does_not_fit_is_refused_by_its_name(self):
        for settings, reason in [
            ('{"domain": []}', "there is no setting domain, only domains"),
            ('{"domains": 1}', "domains: 1 is not a list"),
        ]:
            with self.assertRaises(Err) as refusal:
                Lifecycle().init(settings)
            self.assertEqual(refusal.exception.value, reason)
