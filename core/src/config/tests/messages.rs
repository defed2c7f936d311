//! What is wrong with a setting is said with its place and with what would be right.

use super::*;

#[test]
fn unknown_keys_are_refused_with_the_nearest_one() {
    assert_eq!(
        refusal("# first\n[proxy]\nlisen = \"127.0.0.1:1\""),
        "3:1: unknown key `lisen` in [proxy]; did you mean `listen`?"
    );
    assert_eq!(
        refusal("[prox]\nlisten = \"127.0.0.1:1\""),
        "1:2: unknown key `prox` at the top of the file; did you mean `proxy`?"
    );
    assert_eq!(
        refusal("[feeds.x]\nformat = \"hosts\"\n  [feeds.x.url]\n"),
        "3:3: feeds.x.url: invalid type: map, expected an http:, https: or file: URL, such as \
         \"https://lists.example/hosts\" or \"file:///etc/list\""
    );
    assert_eq!(
        refusal("[feeds]\nx = { uri = \"http://a.example\" }"),
        "2:7: unknown key `uri` in [feeds.x]; did you mean `url`?"
    );
    assert_eq!(
        refusal("[cache]\nbananas = 1"),
        "2:1: unknown key `bananas` in [cache]; there are: dir"
    );
}

/// Settings, and why they are refused.
const WRONG_VALUES: &[(&str, &str)] = &[
    (
        "[proxy]\nlisten = \"localhost\"",
        "2:10: proxy.listen: `localhost` is not an IP address and a port, or the path of a Unix socket, such as \"127.0.0.1:3000\" or \"unix:/run/portcullis.sock\"",
    ),
    (
        "[proxy]\nworkers = 0",
        "2:11: proxy.workers: `0` is not a number from 1 to 1024",
    ),
    (
        "[proxy]\nworkers = true",
        "2:11: proxy.workers: invalid type: boolean `true`, expected a number from 1 to 1024",
    ),
    (
        "[limits]\nidle = 30",
        "2:8: limits.idle: `30` is not a time of up to a year, such as \"30s\", \"1m 30s\" or \"50ms\"",
    ),
    (
        "[egress]\nresolvers = [\"9.9.9.9\", \"quad9\"]",
        "2:25: egress.resolvers: `quad9` is not a DNS server, such as \"9.9.9.9\", \"[2620:fe::fe]:53\", \"tls://9.9.9.9#dns.quad9.net\" or \"https://dns.quad9.net/dns-query\"",
    ),
    (
        "[egress.name_servers]\n\"a.example\" = [\"https://[::1]/\"]",
        "2:16: egress.name_servers.a.example: `https://[::1]/` names no host for its requests; write the name of the server behind the address, as in https://[2620:fe::fe]/dns-query#dns.quad9.net",
    ),
    (
        "[egress]\nresolvers = [\"9.9.9.9\", \"127.0.0.1:3000\"]",
        "2:25: egress.resolvers: the proxy itself listens there, and would wait for its own answer; write another address, or have the proxy listen elsewhere",
    ),
    (
        "[egress]\nresolvers = [\"9.9.9.9\"]\nresolver_ca = \"ca.pem\"",
        "3:1: egress.resolver_ca: no DNS server is asked over TLS or HTTPS, so that all names would be asked for in clear text; write a server as in \"tls://9.9.9.9#dns.quad9.net\", or remove the line",
    ),
    (
        "[egress.dns_cache]\nmin_ttl = \"1h\"\nmax_ttl = \"1m\"",
        "2:1: egress.dns_cache.min_ttl: it is longer than max_ttl; make it shorter, or max_ttl longer",
    ),
    (
        "[egress.dns_cache]\nentries = 0",
        "2:11: egress.dns_cache.entries: `0` is not a number from 1 to 1000000",
    ),
    (
        "[egress.hosts]\n\"10.0.0.1\" = [\"10.0.0.2\"]",
        "2:1: egress.hosts.10.0.0.1: `10.0.0.1` is not a host, or the names below a domain, such as \"wiki.example\" or \"*.corp.example\"",
    ),
    (
        "[egress.hosts]\n\"wiki.example\" = []",
        "2:18: egress.hosts.wiki.example: invalid length 0, expected an IP address, such as \"10.0.0.5\" or \"fd00::5\"",
    ),
    (
        "proxy = 3",
        "1:9: proxy: invalid type: integer `3`, expected a table",
    ),
    (
        "[feeds.Malware]\nurl = \"http://a.example\"",
        "1:8: feeds.Malware: `Malware` is not a name of a feed: a-z, 0-9, `_` and `-`, at most 64 of them, and not \
         `test-names`, which is built in",
    ),
    (
        "\n[feeds.x]\nformat = \"hosts\"",
        "2:8: feeds.x: the feed has no url and no entries; add url = \"https://lists.example/hosts\", entries = [\"ads.example\"] or preset = \"ads\"",
    ),
    (
        "[log]\nfilter = \"warn,access=off\"",
        "2:10: log.filter: the access log has settings of its own; instead of `access=off`, \
         write [log.access] to = \"off\"",
    ),
    (
        "[log]\nfilter = \"warn,access=info\"",
        "2:10: log.filter: the access log has settings of its own; remove `access=info`, since \
         access lines are written unless [log.access] says to = \"off\"",
    ),
    (
        "[log.access]\nto = \"sdterr\"",
        "2:6: log.access.to: `sdterr` is not \"stderr\", \"stdout\", \"off\" or the path of a \
         file, such as \"logs/access.log\"",
    ),
    (
        "[limits]\nconnections = 0",
        "2:15: limits.connections: `0` is not a number from 1 to 1000000",
    ),
    ("[proxy]\nworkers = 1\nworkers = 2", "3:1: duplicate key"),
    ("[proxy\n", "1:7: unclosed table, expected `]`"),
    (
        "é = é",
        "1:1: invalid unquoted key, expected letters, numbers, `-`, `_`",
    ),
];

#[test]
fn wrong_values_are_refused_with_their_place_and_an_example() {
    for &(text, expected) in WRONG_VALUES {
        assert_eq!(refusal(text), expected, "{text}");
    }
}

#[test]
fn a_destination_that_is_none_is_refused_with_its_place() {
    for (text, expected) in [
        (
            "[egress]\ndeny = [\"a.example\", \"10.0.0.1/8\"]",
            "2:22: egress.deny: `10.0.0.1/8` has bits behind its prefix; the whole network is `10.0.0.0/8`",
        ),
        (
            "[egress]\nallow = [\"a b\"]",
            "2:10: egress.allow: `a b` is not a host, an address or a network, with or without ports, such as \
             \"wiki.example\", \"*.corp.example:443\", \"10.0.0.0/8\", \"[fd00::/8]:8000-8999\" or \"*:25\"",
        ),
        (
            "[egress]\nconnect_ports = [443, 70000]",
            "2:23: egress.connect_ports: `70000` is not a port or a range of ports, such as 443 or \"8000-8999\"",
        ),
    ] {
        assert_eq!(refusal(text), expected);
    }
}

#[test]
fn clients_are_all_or_some_and_never_none() {
    for (text, expected) in [
        (
            "[clients]\nopen = true\nallow = [\"10.0.0.0/8\"]",
            "2:1: clients.open: it opens the proxy to all clients, and `allow` names some; remove one of them",
        ),
        (
            "[clients]\nallow = []",
            "2:9: clients.allow: invalid length 0, expected at least one address or network, such as \"192.168.1.20\"",
        ),
    ] {
        assert_eq!(refusal(text), expected);
    }
}

#[test]
fn logins_need_users_and_users_of_groups_need_logins() {
    let missing = "auth: `users` is missing; add users = \"FILE\", or remove the table if no client is to log in";
    for (text, expected) in [
        ("[auth]", format!("1:2: {missing}")),
        ("[auth]\nrealm = \"a\"", format!("1:2: {missing}")),
        (
            "[auth]\nusers = \"a\"\nfailures = 0",
            "3:12: auth.failures: `0` is not a number from 1 to 1000".into(),
        ),
        (
            "[auth]\nusers = \"a\"\nrealm = 'a \"b\"'",
            "3:9: auth.realm: `a \"b\"` is not a name of 1 to 64 printable ASCII characters without `\"` and `\\`, such as \"Example Ltd\"".into(),
        ),
        (
            "[groups.a]\nusers = [\"ada\"]",
            "1:9: groups.a: it names users, and no client logs in; name the file of users with `users` in [auth]".into(),
        ),
        (
            "[auth]\nusers = \"a\"\n[groups.a]\nusers = [\"a:b\"]",
            "4:10: groups.a.users: `a:b` is not a name of a user: 1 to 255 bytes without a colon, control characters and white space around it".into(),
        ),
    ] {
        assert_eq!(refusal(text), expected);
    }
    let variables = [("PORTCULLIS_AUTH_USERS", "/etc/users")];
    let config = load("[groups.a]\nusers = [\"ada\"]", &variables).unwrap();
    assert_eq!(config.auth.users, Some("/etc/users".into()));
    let said = variable_refusal("PORTCULLIS_AUTH_REALM", "a");
    assert_eq!(
        said,
        format!(
            "environment variable PORTCULLIS_AUTH_REALM: {}",
            &missing[6..]
        )
    );
}

#[test]
fn wrong_variables_are_refused_by_name() {
    assert_eq!(
        variable_refusal("PORTCULLIS_PROXY_LISTEN", "3000"),
        "environment variable PORTCULLIS_PROXY_LISTEN: `3000` is not an IP address and a port, or the path of a Unix socket, such as \"127.0.0.1:3000\" or \"unix:/run/portcullis.sock\""
    );
    assert_eq!(
        variable_refusal("PORTCULLIS_LOG_FILTER", "info,access=off"),
        "environment variable PORTCULLIS_LOG_FILTER: the access log has settings of its own; \
         instead of `access=off`, write [log.access] to = \"off\""
    );
    assert_eq!(
        variable_refusal("PORTCULLIS_FEEDS_MALWARE_REFRESH", "1s"),
        "environment variable PORTCULLIS_FEEDS_MALWARE_REFRESH: `1s` is not a time from 10s to a year, such as \"15m\" or \"1h\""
    );
    assert_eq!(
        variable_refusal("PORTCULLIS_PROXY_LISEN", "127.0.0.1:1"),
        "environment variable PORTCULLIS_PROXY_LISEN: there is no such setting; did you mean PORTCULLIS_PROXY_LISTEN?"
    );
    assert_eq!(
        variable_refusal("PORTCULLIS_FEEDS_MALWARE_URI", "http://a.example"),
        "environment variable PORTCULLIS_FEEDS_MALWARE_URI: there is no such setting; did you mean PORTCULLIS_FEEDS_MALWARE_URL?"
    );
    assert!(
        variable_refusal("PORTCULLIS_FEEDS_TEST-NAMES_URL", "http://a.example")
            .contains("built in")
    );
    assert_eq!(
        variable_refusal("PORTCULLIS_FEEDS_X_FORMAT", "json"),
        "environment variable PORTCULLIS_FEEDS_X_FORMAT: the feed has no url and no entries; add url = \"https://lists.example/hosts\", entries = [\"ads.example\"] or preset = \"ads\""
    );
}

#[test]
fn variables_of_others_are_left_alone() {
    let variables = [
        ("PORTCULLIS_SERVICE_HOST", "10.0.0.1"),
        ("PORTCULLIS_PORT", "tcp://10.0.0.1:3000"),
        ("PORTCULLIS_PROXY_PORT_3000_TCP", "x"),
        ("PROXY_LISTEN", "x"),
    ];
    assert_eq!(load("", &variables).unwrap(), Config::default());
}

#[test]
fn what_may_be_secret_is_not_shown() {
    for text in [
        "[feeds.x]\nurl = 'ftp://ada:secret@lists.example/x?key=secret'",
        "[feeds.x]\nurl = 'ada:secret@lists.example/x'",
        "[feeds.x]\nurls = ['lists.example/x?key=secret']",
        "[feeds.x]\nurl = 'http://a.example/'\nchecksum = 'ftp://ada:secret@a.example/'",
        "[feeds.x]\nurl = 'http://a.example/'\nheaders = 'Auth-Key: secret'",
        "[feeds.x]\nurl = 'http://a.example/'\nheaders = ['Host: secret']",
        "[feeds.x]\nurl = 'http://a.example/'\nheaders = ['secret']",
        "[feeds.x]\nurl = 'http://a.example/'\nheaders = [['secret']]",
        "[feeds.x]\nurl = 'http://a.example/'\npost = ['secret']",
    ] {
        let refused = refusal(text);
        assert!(refused.contains("feeds.x."), "{refused}");
        assert!(!refused.contains("secret"), "{refused}");
    }
    assert_eq!(
        refusal("[feeds.x]\nurl = 'http://a.example/'\nheaders = 'A: b'"),
        "3:11: feeds.x.headers: expected a list of header fields, in brackets"
    );
}
