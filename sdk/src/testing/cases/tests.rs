//! What the cases can be about is tried with a guest of the proxy's tests, natively and in the
//! sandbox.

use super::*;
use crate::testing;
use crate::{Exchange, Verdict};

/// Blocks addresses.
struct NoAddresses;

impl Filter for NoAddresses {
    type Config = Option<bool>;

    fn new(config: Option<bool>) -> Result<Self, Error> {
        match config {
            Some(_) => Err(Error::new("there is nothing to configure")),
            None => Ok(Self),
        }
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        Ok(match exchange.host().ip() {
            Some(_) => Verdict::block("a name is needed"),
            None => Verdict::next(),
        })
    }
}

const CASES: &str = "
[[case]]
host = '10.0.0.1'
expect = 'block'
reason = 'a name is needed'

[[case]]
name = 'an IPv6 address is one, too'
host = '[2001:db8::1]'
expect = 'next'
";

fn run(text: &str) -> Result<Report, String> {
    super::run::<NoAddresses>(text, "cases.toml")
}

#[test]
fn a_case_that_goes_otherwise_is_reported_with_its_line() {
    let report = run(CASES).unwrap();
    assert!(!report.is_ok());
    let said = report.to_string();
    assert_eq!(
        said,
        "\
ok    cases.toml:2  10.0.0.1
FAIL  cases.toml:7  an IPv6 address is one, too
        the verdict
          expected  next
          got       block with 403: a name is needed
NoAddresses: 1 of 2 cases did not go as expected"
    );
    assert!(run(&CASES.replace("next", "block")).unwrap().is_ok());
}

#[test]
fn what_was_there_before_is_gone() {
    testing::feed("left", ["over.example"]);
    crate::state::set("left", "over", None).unwrap();
    let case = "[[case]]\nhost = 'a'\nexpect = 'next'\nstate = { left = false }";
    assert!(run(case).unwrap().is_ok());
    assert_eq!(crate::feeds::names(), [""; 0]);
}

#[test]
fn a_file_or_configuration_that_cannot_be_used_is_no_case_that_failed() {
    let refused = run("[config]\na = 1\n[[case]]\nhost = 'a'\nexpect = 'next'");
    let said = refused.unwrap_err();
    assert!(
        said.starts_with("cases.toml: NoAddresses refuses its configuration: "),
        "{said}"
    );
    let said = run("[[case]]").unwrap_err();
    assert!(said.starts_with("cases.toml:1:1: a case asks"), "{said}");
}

#[test]
#[should_panic(expected = "FAIL  src/testing/cases/wrong.toml:2  a.example")]
fn a_case_that_fails_fails_the_test() {
    testing::cases::<NoAddresses>("src/testing/cases/wrong.toml");
}

#[test]
#[should_panic(expected = "cannot read no/such/file.toml")]
fn a_file_that_is_not_there_fails_the_test() {
    testing::cases::<NoAddresses>("no/such/file.toml");
}
