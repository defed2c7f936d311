//! Hosts that look like a brand's. What looks like what is decided in `policy`; this file only has
//! the answers remembered, for they take long and never change.

mod policy;

use std::time::Duration;

use policy::{Config, Policy};
use portcullis_sdk::{Error, Exchange, Filter, Verdict, filter};

/// The answer depends on the host and the settings alone, and what was cached goes with the
/// settings.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

struct Lookalike(Policy);

#[filter]
impl Filter for Lookalike {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Error> {
        Ok(Self(Policy::new(config)?))
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        let verdict = self.0.judge(exchange.host());
        Ok(verdict.keep(KEPT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_sdk::testing;

    const BRANDS: &str = r#"{"brands": ["paypal.com", "microsoft.com", "coca-cola.com", "ing.com", "example.co.uk"]}"#;

    /// The host may be in any script; the proxy hands over A-labels.
    fn judge(config: &str, host: &str) -> Verdict {
        let filter: Lookalike = testing::init(config).unwrap();
        let host = host.split('.').map(a_label).collect::<Vec<_>>().join(".");
        filter.judge_host(&testing::exchange(&host)).unwrap()
    }

    fn a_label(label: &str) -> String {
        if label.is_ascii() {
            label.into()
        } else {
            format!("xn--{}", idna::punycode::encode_str(label).unwrap())
        }
    }

    fn passes(config: &str, host: &str) -> bool {
        judge(config, host) == Verdict::next().keep(KEPT)
    }

    fn refusal(config: &str) -> String {
        let filter: Result<Lookalike, Error> = testing::init(config);
        filter.err().unwrap().to_string()
    }

    #[test]
    fn a_host_that_looks_like_a_brand_is_blocked_and_the_answer_may_be_kept() {
        assert_eq!(
            judge(BRANDS, "www.paypa1.com"),
            Verdict::block("www.paypa1.com looks like paypal.com").keep(KEPT)
        );
    }

    #[test]
    fn names_in_other_letters_that_look_the_same_are_blocked() {
        for host in [
            // All Cyrillic, then one letter of it.
            "раураӏ.com",
            "www.p\u{430}ypal.test",
            // With marks.
            "pạypál.com",
            "mi\u{107}rosoft.com",
            "rnicrosoft.com",
            "micr0s0ft.test",
            "mıcrosoft.com",
            "ıng.test",
        ] {
            assert!(!passes(BRANDS, host), "{host}");
        }
    }

    #[test]
    fn names_a_slip_of_the_finger_away_are_blocked_if_they_are_long_enough() {
        for host in [
            "paypol.com",
            "paypall.com",
            "papyal.test",
            "aypal.com",
            "microsfot.com",
            "coca-kola.com",
            "cocacola.com",
            "www.exampel.co.uk",
        ] {
            assert!(!passes(BRANDS, host), "{host}");
        }
        for host in [
            "pypol.com",
            "pay.com",
            "inq.com",
            "ink.com",
            "microsystem.com",
        ] {
            assert!(passes(BRANDS, host), "{host}");
        }
    }

    #[test]
    fn a_brand_joined_with_a_word_of_phishers_is_blocked() {
        for host in [
            "paypal-login.example",
            "login-paypal.example",
            "secure.my-paypal-account.example",
            "paypallogin.example",
            "wwwpaypal.example",
            "paypal-com.example",
            "p\u{430}ypal-login.example",
            "coca-cola-verify.example",
            "ing-verify.example",
        ] {
            assert!(!passes(BRANDS, host), "{host}");
        }
        for host in [
            "paypal-integration.example",
            "paypal.shop.example",
            "paypalette-login.example",
            "accounting.example",
            "shipping-login.example",
            "mypaypaltips.example",
        ] {
            assert!(passes(BRANDS, host), "{host}");
        }
    }

    #[test]
    fn a_brands_domain_below_another_is_blocked() {
        for host in [
            "paypal.com.evil.example",
            "www.paypal.com.id-123.evil.example",
            "example.co.uk.evil.example",
            "p\u{430}ypal.com.evil.example",
        ] {
            assert!(!passes(BRANDS, host), "{host}");
        }
        for host in ["paypal.company.example", "notpaypal.com.evil.example"] {
            assert!(passes(BRANDS, host), "{host}");
        }
    }

    #[test]
    fn a_brand_itself_and_its_name_below_another_suffix_pass() {
        for host in [
            "paypal.com",
            "www.paypal.com",
            "paypal.com.paypal.com",
            "paypal.net",
            "www.paypal.co.uk",
            "paypal",
            "10.0.0.1",
            "::1",
            "com",
            "news.example",
        ] {
            assert!(passes(BRANDS, host), "{host}");
        }
    }

    #[test]
    fn exceptions_pass() {
        let config = r#"{"brands": ["paypal.com"], "allow": ["paypay.ne.jp"]}"#;
        assert!(passes(config, "www.paypay.ne.jp"));
        assert!(!passes(config, "paypay.test"));
    }

    #[test]
    fn how_near_is_too_near_is_the_operators() {
        let with = |setting: &str| format!(r#"{{"brands": ["paypal.com"], {setting}}}"#);
        assert!(passes(&with(r#""characters_per_edit": 0"#), "paypol.com"));
        assert!(!passes(&with(r#""characters_per_edit": 0"#), "paypa1.com"));
        assert!(!passes(&with(r#""characters_per_edit": 3"#), "pypol.com"));
        assert!(passes(&with(r#""words": []"#), "paypal-login.test"));
        assert!(!passes(&with(r#""words": ["shop"]"#), "paypal-shop.test"));
        assert_eq!(
            judge(&with(r#""reason": "{host}? {brand}!""#), "paypol.com"),
            Verdict::block("paypol.com? paypal.com!").keep(KEPT)
        );
    }

    #[test]
    fn a_brand_may_be_written_in_another_script() {
        let config = r#"{"brands": ["xn--bcher-kva.example"]}"#;
        assert!(passes(config, "bücher.example"));
        // Without the dots, and with two letters from elsewhere.
        assert!(!passes(config, "bucher.example"));
        assert!(!passes(config, "büсhеr.example"));
    }

    #[test]
    fn settings_that_cannot_be_meant_are_refused_with_a_hint() {
        for (config, message) in [
            ("", "missing field `brands`"),
            (
                r#"{"brands": []}"#,
                "brands: there is none; list the domains to protect, such as [\"example.com\"]",
            ),
            (
                r#"{"brands": ["a.example", "www.paypal.com"]}"#,
                "brands[1]: www.paypal.com lies below a registrable domain; list that: paypal.com",
            ),
            (
                r#"{"brands": ["co.uk"]}"#,
                "brands[0]: co.uk is not a domain that can be registered",
            ),
            (
                r#"{"brands": ["PayPal"]}"#,
                "brands[0]: paypal is not a domain that can be registered; list a domain such as example.com",
            ),
            (
                r#"{"brands": ["a.example"], "words": ["log-in"]}"#,
                "words[0]: `log-in` is not a word of the letters a-z and digits",
            ),
            (
                r#"{"brands": ["a.example"], "reason": "{domain}"}"#,
                "reason: nothing is known as {domain}, only {host}, {brand}",
            ),
        ] {
            let refusal = refusal(config);
            assert!(refusal.starts_with(message), "{refusal}");
        }
    }
}
