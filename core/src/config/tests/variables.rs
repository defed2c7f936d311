//! Settings as variables of the environment.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use toml::de::DeTable;

use super::super::declaration::{Declaration, schema_of};
use super::super::environment::Setting;
use super::super::{AccessLogFormat, AccessLogTo, Config, FeedFormat, LogFormat, PrivateAddresses};
use super::{load, url, variable_refusal};

/// Settings of most tables, each with another value than it has by itself.
const EVERY_VARIABLE: &[(&str, &str)] = &[
    ("PORTCULLIS_PROXY_LISTEN", "[::1]:8080"),
    ("PORTCULLIS_PROXY_WORKERS", "3"),
    ("PORTCULLIS_LIMITS_CONNECTIONS", "9"),
    ("PORTCULLIS_LIMITS_REQUEST_HEAD", "1s"),
    ("PORTCULLIS_LIMITS_KEEP_ALIVE", "9s"),
    ("PORTCULLIS_LIMITS_HALF_CLOSED", "10s"),
    ("PORTCULLIS_LIMITS_BODY_RATE", "200B"),
    ("PORTCULLIS_LIMITS_BODY_TIME", "11s"),
    ("PORTCULLIS_LIMITS_RESOLVE", "2s"),
    ("PORTCULLIS_LIMITS_CONNECT", "3s"),
    ("PORTCULLIS_LIMITS_RESPONSE_HEAD", "4s"),
    ("PORTCULLIS_LIMITS_IDLE", "5s"),
    ("PORTCULLIS_LIMITS_SHUTDOWN", "6s"),
    ("PORTCULLIS_PLUGINS_DIR", "filters"),
    ("PORTCULLIS_PLUGINS_ORDER", "allow, blocklist"),
    ("PORTCULLIS_PLUGINS_DELETION_GRACE", "7s"),
    ("PORTCULLIS_PLUGINS_STACK", "64KiB"),
    ("PORTCULLIS_COMPILER_TIME", "8s"),
    ("PORTCULLIS_COMPILER_MEMORY", "64MiB"),
    ("PORTCULLIS_COMPILER_CACHE", "65MiB"),
    ("PORTCULLIS_FEEDS_MALWARE_URL", "file:///list"),
    ("PORTCULLIS_FEEDS_MALWARE_FORMAT", "domains"),
    ("PORTCULLIS_FEEDS_MALWARE_REFRESH", "1h"),
    ("PORTCULLIS_FEEDS_MALWARE_MAX_SIZE", "1MiB"),
    ("PORTCULLIS_CACHE_DIR", "copies"),
    ("PORTCULLIS_CLIENTS_ALLOW", "192.0.2.7, 2001:db8::/32"),
    ("PORTCULLIS_EGRESS_RESOLVERS", "tls://9.9.9.9,::1"),
    ("PORTCULLIS_EGRESS_RESOLVER_CA", "ca.pem"),
    ("PORTCULLIS_EGRESS_CASE_RANDOMIZATION", "false"),
    ("PORTCULLIS_EGRESS_DNS_CACHE_ENTRIES", "7"),
    ("PORTCULLIS_EGRESS_DNS_CACHE_MIN_TTL", "12s"),
    ("PORTCULLIS_EGRESS_DNS_CACHE_MAX_TTL", "13s"),
    ("PORTCULLIS_EGRESS_PRIVATE", "allow"),
    ("PORTCULLIS_EGRESS_ALLOW", "10.0.0.0/8"),
    ("PORTCULLIS_EGRESS_DENY", ".a.example,*:25"),
    ("PORTCULLIS_EGRESS_CONNECT_PORTS", "443,8000-8999"),
    ("PORTCULLIS_LOG_FORMAT", "json"),
    ("PORTCULLIS_LOG_FILTER", "debug"),
    ("PORTCULLIS_LOG_ACCESS_TO", "off"),
    ("PORTCULLIS_LOG_ACCESS_FORMAT", "json"),
];

#[test]
fn variables_are_read_as_keys_of_the_file_are() {
    let config = load("", EVERY_VARIABLE).unwrap();
    let text = format!("{config:?}");
    let default = Config::default();
    assert_ne!(config.proxy.listen, default.proxy.listen);
    assert_eq!(config.proxy.workers.get(), 3);
    assert_eq!(config.limits.connections, 9);
    assert_eq!(config.limits.body_rate, 200);
    assert_eq!(config.limits.body_time, Some(Duration::from_secs(11)));
    for seconds in (1..=10).chain([12, 13]) {
        assert!(
            text.contains(&format!(": {seconds}s")),
            "{seconds} in {text}"
        );
    }
    assert_eq!(config.plugins.dir, Path::new("filters"));
    assert_eq!(config.plugins.order, ["allow", "blocklist"]);
    assert_eq!(config.plugins.stack, 64 << 10);
    assert_eq!(config.compiler.memory, 64 << 20);
    assert_eq!(config.compiler.cache, 65 << 20);
    let feed = &config.feeds["malware"];
    assert_eq!(
        (url(feed), feed.format),
        ("file:///list", FeedFormat::Domains)
    );
    assert_eq!((feed.refresh.as_secs(), feed.max_size), (3600, 1 << 20));
    assert_eq!(config.cache.dir, Path::new("copies"));
    assert_eq!(config.clients.allow.map(|networks| networks.len()), Some(2));
    let egress = &config.egress;
    assert_eq!(egress.private, PrivateAddresses::Allow);
    assert_eq!(egress.resolver_ca.as_deref(), Some(Path::new("ca.pem")));
    assert!(!egress.case_randomization);
    assert_eq!(egress.dns_cache.entries, 7);
    assert_eq!(
        [
            egress.resolvers.len(),
            egress.allow.len(),
            egress.deny.len()
        ],
        [2, 1, 2]
    );
    assert_eq!(egress.connect_ports.as_ref().map(Vec::len), Some(2));
    assert_eq!(
        (config.log.format, &*config.log.filter),
        (LogFormat::Json, "debug")
    );
    assert_eq!(config.log.access.to, AccessLogTo::Off);
    assert_eq!(config.log.access.format, AccessLogFormat::Json);
}

#[test]
fn every_setting_has_a_variable_of_its_own() {
    let schema = schema_of::<Config>();
    let table = DeTable::new();
    let all = Setting::all(Declaration(&schema), &table);
    let mut names = BTreeMap::new();
    for setting in &all {
        let name = setting.name.replace('*', "X");
        let found = Setting::of_variable(&name, &all).expect("a setting");
        let keys = setting.keys.join(".").replace('*', "x");
        assert_eq!(found.keys.join("."), keys, "{name}");
        assert_eq!(names.insert(name, keys), None);
    }
    for name in ["AUTH_REALM", "UPSTREAM_X_CA", "PLUGINS_CEILINGS_CPU"] {
        assert!(names.contains_key(name), "{name} is not in {names:?}");
    }
}

#[test]
fn a_misspelt_variable_below_a_name_of_the_operator_is_told() {
    for (name, meant) in [
        ("UPSTREAM_OFFICE_PROXI", "UPSTREAM_OFFICE_PROXY"),
        ("LISTENERS_MY_LAN_ALOW", "LISTENERS_MY_LAN_ALLOW"),
        ("GROUPS_STAFF_NETWORK", "GROUPS_STAFF_NETWORKS"),
    ] {
        let refusal = variable_refusal(&format!("PORTCULLIS_{name}"), "a.example");
        let expected = format!("did you mean PORTCULLIS_{meant}?");
        assert!(refusal.ends_with(&expected), "{name}: {refusal}");
    }
    for table in ["EGRESS_HOSTS", "UPSTREAM", "FEEDS"] {
        let refusal = variable_refusal(&format!("PORTCULLIS_{table}"), "a.example=10.0.0.1");
        assert!(refusal.contains("not all of it"), "{table}: {refusal}");
    }
}

#[test]
fn a_variable_that_is_longer_than_any_word_is_compared_with_none() {
    let loaded = |name: &str| {
        let name = format!("PORTCULLIS_UPSTREAM_{name}_PROXI");
        load("", &[(&name, "a.example")]).is_ok()
    };
    assert!(!loaded("OFFICE"));
    assert!(loaded(&"OFFICE_".repeat(20)));
}
