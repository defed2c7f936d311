//! Configuration from files, the environment and flags, and the words in which it is refused.

mod feeds;
mod listeners;
mod messages;
mod paths;
mod published;
mod variables;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use tempfile::TempDir;

use super::{
    AccessLogFormat, AccessLogTo, Clients, Config, ConfigError, Feed, FeedFormat, ListenAddress,
    LogFormat, Ports, PrivateAddresses, Sources,
};

/// A folder with this `portcullis.toml` as the working directory.
fn folder(text: &str) -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("portcullis.toml"), text).unwrap();
    dir
}

fn sources(dir: &TempDir, variables: &[(&str, &str)]) -> Sources {
    Sources {
        dir: dir.path().to_owned(),
        variables: variables
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .collect(),
        ..Sources::default()
    }
}

/// What the file and the variables say, without the folder that the file is in.
fn load(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let dir = folder(text);
    let mut config = Config::load(&sources(&dir, variables))?;
    config.followed = None;
    config.file = None;
    // As if the file were in the working folder.
    if let Ok(plugins) = config.plugins.dir.strip_prefix(dir.path()) {
        config.plugins.dir = plugins.to_owned();
    }
    Ok(config)
}

/// What is said about a wrong file, without the folder that it is in.
fn refusal(text: &str) -> String {
    let dir = folder(text);
    let error = Config::load(&sources(&dir, &[])).unwrap_err().to_string();
    let file = dir.path().join("portcullis.toml").display().to_string();
    error.strip_prefix(&format!("{file}:")).unwrap().to_owned()
}

fn url(feed: &Feed) -> &str {
    feed.url.as_ref().unwrap().as_str()
}

fn variable_refusal(name: &str, value: &str) -> String {
    load("", &[(name, value)]).unwrap_err().to_string()
}

#[test]
fn without_any_source_the_defaults_hold() {
    let empty = TempDir::new().unwrap();
    let mut without_file = Config::load(&sources(&empty, &[])).unwrap();
    without_file.followed = None;
    assert_eq!(without_file, Config::default());
    assert_eq!(load("", &[]).unwrap(), Config::default());

    let config = Config::default();
    assert_eq!(config.proxy.listen, "127.0.0.1:3000".parse().unwrap());
    assert_eq!(config.plugins.dir, Path::new("plugins"));
    assert!(
        config.cache.dir.ends_with("portcullis"),
        "{:?}",
        config.cache.dir
    );
    let feed = &config.feeds["malware"];
    assert_eq!(url(feed), "https://urlhaus.abuse.ch/downloads/hostfile/");
    assert_eq!(
        (feed.format, feed.refresh),
        (FeedFormat::Hosts, Duration::from_secs(900))
    );
}

/// Keys of all tables, each with another value than it has by itself.
const EVERY_KEY: &str = r#"
        [proxy]
        listen = "[::1]:8080"
        workers = 3
        [clients]
        allow = ["192.0.2.7", "2001:db8::/32"]
        [auth]
        users = "who/users"
        realm = "Example Ltd"
        failures = 5
        [groups.staff]
        users = ["ada", "bob ünal"]
        [limits]
        connections = 20
        request_head = "1s"
        head_size = "16KiB"
        keep_alive = "5s"
        resolve = "2s"
        connect = "3s"
        response_head = "1m 4s"
        idle = "1h"
        body_rate = "1KiB"
        body_time = "2h"
        half_closed = "6s"
        shutdown = "1500ms"
        [plugins]
        dir = "filters"
        order = ["allow", "blocklist"]
        deletion_grace = "2s"
        stack = "1MiB"
        [compiler]
        time = "3s"
        memory = "1GiB"
        cache = "64MiB"
        [feeds.my-list]
        url = "http://127.0.0.1:9/list"
        format = "json"
        refresh = "10s"
        max_size = "2MiB"
        [cache]
        dir = "/var/cache/portcullis"
        [egress]
        resolvers = ["9.9.9.9", "[::1]:5353", "tls://9.9.9.9#dns.quad9.net"]
        resolver_ca = "ca.pem"
        case_randomization = false
        private = "deny"
        allow = ["*.corp.example:8443", "10.0.0.0/8"]
        deny = ["*:25"]
        connect_ports = [443, "8000-8999"]
        [egress.hosts]
        "Wiki.Example." = ["10.0.0.5", "fd00::5"]
        "*.corp.example" = ["10.0.0.6"]
        [egress.name_servers]
        "corp.example" = ["10.0.0.53", "https://dns.corp.example"]
        [egress.dns_cache]
        entries = 100
        min_ttl = "30s"
        max_ttl = "1h"
        [log]
        format = "json"
        filter = "warn,portcullis=debug"
        [log.access]
        to = "logs/access"
        format = "json"
    "#;

#[test]
fn every_key_of_the_file_is_read() {
    let dir = folder(EVERY_KEY);
    let config = Config::load(&sources(&dir, &[])).unwrap();
    assert_eq!(config.proxy.listen, "[::1]:8080".parse().unwrap());
    assert_eq!(config.proxy.workers.get(), 3);
    assert_eq!(config.auth.users, Some(dir.path().join("who/users")));
    assert_eq!(
        (&*config.auth.realm, config.auth.failures),
        ("Example Ltd", 5)
    );
    assert_eq!(config.groups["staff"].users, ["ada", "bob ünal"]);
    assert_eq!(config.plugins.dir, dir.path().join("filters"));
    assert_eq!(config.plugins.order, ["allow", "blocklist"]);
    assert_eq!(config.plugins.deletion_grace, Duration::from_secs(2));
    assert_eq!(config.plugins.stack, 1 << 20);
    let compiler = super::Compiler {
        program: None,
        time: Duration::from_secs(3),
        memory: 1 << 30,
        cache: 64 << 20,
        cache_dir: "/var/cache/portcullis/compiled".into(),
    };
    assert_eq!(config.compiler, compiler);
    assert_eq!(
        config.feeds.keys().collect::<Vec<_>>(),
        ["malware", "my-list"]
    );
    let feed = &config.feeds["my-list"];
    assert_eq!(url(feed), "http://127.0.0.1:9/list");
    assert_eq!(
        (feed.format, feed.refresh, feed.max_size),
        (FeedFormat::Json, Duration::from_secs(10), 2 << 20)
    );
    assert_eq!(config.cache.dir, Path::new("/var/cache/portcullis"));
    assert_eq!(
        (config.log.format, &*config.log.filter),
        (LogFormat::Json, "warn,portcullis=debug")
    );
    let access_file = dir.path().join("logs/access");
    assert_eq!(config.log.access.to, AccessLogTo::File(access_file));
    assert_eq!(config.log.access.format, AccessLogFormat::Json);
}

#[test]
fn every_limit_of_the_file_is_read() {
    let config = load(EVERY_KEY, &[]).unwrap();
    let limits = &config.limits;
    let millis = [
        limits.request_head,
        limits.keep_alive,
        limits.resolve,
        limits.connect,
        limits.response_head,
        limits.idle,
        limits.half_closed,
        limits.shutdown,
    ]
    .map(|time| time.as_millis());
    let expected = [1000, 5000, 2000, 3000, 64_000, 3_600_000, 6000, 1500];
    assert_eq!(millis, expected);
    assert_eq!((limits.connections, limits.head_size), (20, 16 << 10));
    assert_eq!(limits.body_rate, 1024);
    assert_eq!(limits.body_time, Some(Duration::from_hours(2)));
}

#[test]
fn what_the_file_says_of_clients_and_destinations_is_read() {
    let config = load(EVERY_KEY, &[]).unwrap();
    let servers = ["9.9.9.9:53", "[::1]:5353", "tls://9.9.9.9#dns.quad9.net"];
    let servers = servers.map(|server| server.parse().unwrap());
    assert_eq!(config.egress.resolvers, servers);
    assert!(!config.egress.case_randomization);
    assert!(config.egress.resolver_ca.unwrap().is_absolute());
    let cache = super::DnsCache {
        entries: 100,
        min_ttl: Duration::from_secs(30),
        max_ttl: Duration::from_hours(1),
    };
    assert_eq!(config.egress.dns_cache, cache);
    let networks = ["192.0.2.7/32", "2001:db8::/32"].map(|network| network.parse().unwrap());
    assert_eq!(config.clients, Clients::new(networks));
    assert_eq!(config.egress.private, PrivateAddresses::Deny);
    let allow = ["*.corp.example:8443", "10.0.0.0/8"].map(|entry| entry.parse().unwrap());
    assert_eq!(config.egress.allow, allow);
    assert_eq!(config.egress.deny, ["*:25".parse().unwrap()]);
    let ports = [Ports::one(443), Ports::new(8000, 8999)];
    assert_eq!(config.egress.connect_ports.as_deref(), Some(&ports[..]));
    let address = |text: &str| text.parse().unwrap();
    let hosts = [
        ("*.corp.example", vec![address("10.0.0.6")]),
        (
            "wiki.example",
            vec![address("10.0.0.5"), address("fd00::5")],
        ),
    ];
    let hosts = hosts.map(|(name, addresses)| (name.to_owned(), addresses));
    assert_eq!(config.egress.hosts, hosts.into());
    let servers = ["10.0.0.53:53", "https://dns.corp.example/dns-query"];
    let servers = servers.map(|server| server.parse().unwrap()).into();
    let servers = [("corp.example".to_owned(), servers)];
    assert_eq!(config.egress.name_servers, servers.into());
}

#[test]
fn a_flag_beats_a_variable_and_that_beats_the_file() {
    let dir = folder("[proxy]\nlisten = \"127.0.0.1:1\"\nworkers = 1\n[plugins]\ndir = \"one\"");
    let variables = [
        ("PORTCULLIS_PROXY_LISTEN", "127.0.0.1:2"),
        ("PORTCULLIS_PLUGINS_DIR", "two"),
        ("PORTCULLIS_PROXY_WORKERS", ""),
    ];
    let mut sources = sources(&dir, &variables);
    sources.flags.listen = vec!["127.0.0.1:3".parse().unwrap()];
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.proxy.listen, "127.0.0.1:3".parse().unwrap());
    assert_eq!(config.plugins.dir, Path::new("two"));
    assert_eq!(config.proxy.workers.get(), 1);
    sources.flags.plugins_dir = Some(PathBuf::from("three"));
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.plugins.dir, Path::new("three"));
}

#[test]
fn what_a_flag_says_takes_the_place_of_what_is_written() {
    // An address that a flag has replaced is not read.
    let dir = folder("[proxy]\nlisten = 5\n[clients]\nopen = true\n");
    let mut sources = sources(&dir, &[]);
    sources.flags.listen = vec!["127.0.0.1:3".parse().unwrap()];
    let networks: Vec<IpNet> = vec!["192.0.2.0/24".parse().unwrap()];
    sources.flags.clients = networks.clone();
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.proxy.listen, "127.0.0.1:3".parse().unwrap());
    assert_eq!(config.clients, Clients::new(networks));
}

#[test]
fn what_is_wrong_with_a_flag_names_the_flag() {
    let dir = folder("[proxy]\nworkers = 1\n");
    let mut twice = sources(&dir, &[]);
    twice.flags.listen = vec!["127.0.0.1:3".parse().unwrap(); 2];
    let error = Config::load(&twice).unwrap_err().to_string();
    let right = "--listen: there are two listeners at 127.0.0.1:3; remove one of them";
    assert_eq!(error, right);
}

#[cfg(unix)]
#[test]
fn a_flag_whose_path_is_not_utf_8_is_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let dir = folder("");
    let path = PathBuf::from(OsStr::from_bytes(b"/run/\xff"));
    let mut plugins = sources(&dir, &[]);
    plugins.flags.plugins_dir = Some(path.clone());
    let mut listen = sources(&dir, &[]);
    listen.flags.listen = vec![ListenAddress::Unix(path)];
    for (sources, flag) in [(plugins, "--plugins"), (listen, "--listen")] {
        let error = Config::load(&sources).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{flag}: the path is not UTF-8")),
            "{error}"
        );
    }
}

#[test]
fn a_file_that_is_named_must_exist() {
    let dir = folder("[proxy]\nworkers = 1");
    let other = dir.path().join("other.toml");
    let mut named = sources(&dir, &[]);
    named.file = Some(other.clone());
    let variables = sources(&dir, &[("PORTCULLIS_CONFIG", other.to_str().unwrap())]);
    for sources in [&named, &variables] {
        let error = Config::load(sources).unwrap_err();
        assert!(error.to_string().contains("other.toml"), "{error}");
    }
    fs::write(&other, "\u{feff}[proxy]\nworkers = 7\r\n").unwrap();
    for sources in [&named, &variables] {
        assert_eq!(Config::load(sources).unwrap().proxy.workers.get(), 7);
    }
    fs::write(&other, b"\xff\xfe").unwrap();
    assert!(matches!(
        Config::load(&named),
        Err(ConfigError::Read { .. })
    ));
}

#[test]
fn a_file_that_is_followed_is_read_again_below_the_variables_and_flags_of_the_start() {
    let dir = folder("[plugins]\norder = [\"a\"]\n[feeds.a]\nentries = [\"a.example\"]\n");
    let file = dir.path().join("portcullis.toml");
    let variables = [
        ("PORTCULLIS_PLUGINS_ORDER", "b"),
        ("PORTCULLIS_FEEDS_A_REFRESH", "1h"),
        ("OTHER", "x"),
    ];
    let config = Config::load(&sources(&dir, &variables)).unwrap();
    let followed = config.followed.clone().unwrap();
    assert_eq!(followed.file(), file);
    assert_eq!(followed.said().feeds, config.feeds);
    assert!(!format!("{followed:?}").contains("1h"));

    fs::write(
        &file,
        "[plugins]\norder = [\"c\"]\n[feeds.a]\nentries = [\"b.example\"]\n",
    )
    .unwrap();
    let again = followed.read().unwrap();
    assert_eq!(again.plugins.order, ["b"]);
    let feed = &again.feeds["a"];
    assert_eq!(
        (&*feed.entries, feed.refresh.as_secs()),
        (&["b.example".to_owned()][..], 3600)
    );
    // One that goes does not bring the defaults back.
    fs::remove_file(&file).unwrap();
    assert!(matches!(followed.read(), Err(ConfigError::Read { .. })));
}

#[test]
fn a_file_that_is_not_there_at_the_start_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("portcullis.toml");
    let order = ("PORTCULLIS_PLUGINS_ORDER", "b");
    let config = Config::load(&sources(&dir, &[order])).unwrap();
    let followed = config.followed.clone().unwrap();
    assert_eq!((followed.file(), &config.file), (&*file, &None));
    assert!(matches!(followed.read(), Err(ConfigError::Read { .. })));
    fs::write(&file, "[feeds.a]\nentries = [\"a.example\"]\n").unwrap();
    let read = followed.read().unwrap();
    assert_eq!(read.feeds["a"].entries, ["a.example"]);
    assert_eq!(
        (read.plugins.order, read.file),
        (vec!["b".into()], Some(file))
    );
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    let dir = folder("");
    let path = dir.path().join("portcullis.toml");
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len((16 << 20) + 1).unwrap();
    let Err(ConfigError::Read { source, .. }) = Config::load(&sources(&dir, &[])) else {
        panic!("it was read");
    };
    let problem = source.to_string();
    assert_eq!(problem, "it is larger than 16 MiB; make it smaller");
}

#[cfg(unix)]
#[test]
fn a_pipe_that_takes_the_place_of_the_file_is_not_opened() {
    let dir = folder("");
    let file = dir.path().join("portcullis.toml");
    let followed = Config::load(&sources(&dir, &[])).unwrap().followed.unwrap();
    assert!(!followed.is_stream());
    fs::remove_file(&file).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&file).status();
    assert!(made.unwrap().success());
    // Opened, it would wait for a writer.
    let Err(ConfigError::Read { source, .. }) = followed.read() else {
        panic!("it was read");
    };
    assert_eq!(source.to_string(), "it is not a regular file");
}
