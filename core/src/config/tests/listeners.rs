//! Where clients connect, as it is written.

use super::*;
use crate::config::{ListenAddress, Listener, OwnListeners};

fn addresses(config: &Config) -> Vec<String> {
    let listeners = config.listeners();
    listeners.iter().map(ToString::to_string).collect()
}

#[test]
fn listen_is_one_address_or_a_list_of_them() {
    let default = load("", &[]).unwrap();
    assert_eq!(addresses(&default), ["127.0.0.1:3000"]);
    let list = "[proxy]\nlisten = [\"127.0.0.1:1\", \"[::1]:2\"]";
    let both = ["127.0.0.1:1", "[::1]:2"];
    assert_eq!(addresses(&load(list, &[]).unwrap()), both);
    let variable = ("PORTCULLIS_PROXY_LISTEN", "127.0.0.1:1, [::1]:2");
    assert_eq!(addresses(&load("", &[variable]).unwrap()), both);

    let dir = folder(list);
    let mut flags = sources(&dir, &[]);
    flags.flags.listen = vec![
        "127.0.0.1:3".parse().unwrap(),
        "127.0.0.1:4".parse().unwrap(),
    ];
    let config = Config::load(&flags).unwrap();
    assert_eq!(addresses(&config), ["127.0.0.1:3", "127.0.0.1:4"]);
}

#[test]
fn listeners_take_the_place_of_the_default_one_and_stand_beside_others() {
    let lan = "[listeners.lan]\naddress = \"0.0.0.0:3128\"\nallow = [\"192.0.2.0/24\"]\n";
    let config = load(lan, &[]).unwrap();
    assert_eq!(addresses(&config), ["lan 0.0.0.0:3128"]);
    let Listener { allow, .. } = &config.listeners["lan"];
    assert_eq!(allow.as_ref().map(Vec::len), Some(1));
    let both = load(&format!("[proxy]\nlisten = \"127.0.0.1:1\"\n{lan}"), &[]).unwrap();
    assert_eq!(addresses(&both), ["127.0.0.1:1", "lan 0.0.0.0:3128"]);
    assert_eq!(
        both.main_address(),
        "127.0.0.1:1".parse::<ListenAddress>().unwrap()
    );
    let variables = [
        ("PORTCULLIS_LISTENERS_LAN_ADDRESS", "127.0.0.1:5"),
        ("PORTCULLIS_LISTENERS_LAN_ALLOW", "192.0.2.1,192.0.2.2"),
    ];
    let config = load(lan, &variables).unwrap();
    assert_eq!(addresses(&config), ["lan 127.0.0.1:5"]);
    assert_eq!(
        config.listeners["lan"].allow.as_ref().map(Vec::len),
        Some(2)
    );
}

#[cfg(unix)]
#[test]
fn a_unix_socket_has_permissions() {
    let text =
        "[listeners.local]\naddress = \"unix:/run/a.sock\"\nmode = \"0660\"\ngroup = \"web\"";
    let config = load(text, &[]).unwrap();
    assert_eq!(addresses(&config), ["local unix:/run/a.sock"]);
    let Listener { mode, group, .. } = &config.listeners["local"];
    assert_eq!((*mode, group.as_deref()), (Some(0o660), Some("web")));
}

/// Settings, and why they are refused.
const REFUSED: &[(&str, &str)] = &[
    (
        "[proxy]\nlisten = []",
        "2:1: proxy.listen: no client could connect anywhere; name an address, or remove the line",
    ),
    (
        "[proxy]\nlisten = [\"127.0.0.1:1\", \"x\"]",
        "2:26: proxy.listen: `x` is not an IP address and a port, or the path of a Unix socket, such as \"127.0.0.1:3000\" or \"unix:/run/portcullis.sock\"",
    ),
    (
        "[proxy]\nlisten = [\"127.0.0.1:1\", \"127.0.0.1:1\"]",
        "2:1: proxy.listen: there are two listeners at 127.0.0.1:1; remove one of them",
    ),
    (
        "[proxy]\nlisten = 3000",
        "2:10: proxy.listen: invalid type: integer `3000`, expected an IP address and a port, or the path of a Unix socket, such as \"127.0.0.1:3000\" or \"unix:/run/portcullis.sock\", or a list of them",
    ),
    (
        "[listeners.a]\naddress = \"127.0.0.1:1\"\n[listeners.b]\naddress = \"127.0.0.1:1\"",
        "4:1: listeners.b.address: there are two listeners at 127.0.0.1:1; remove one of them",
    ),
    (
        "[listeners.a]\nmode = \"0600\"",
        "1:12: listeners.a: `address` is missing; add address = \"0.0.0.0:3128\"",
    ),
    (
        "[listeners.a]\naddress = \"127.0.0.1:1\"\nmode = \"0600\"",
        "3:1: listeners.a.mode: only a Unix socket has permissions; remove it, or name the clients in `allow`",
    ),
    (
        "[listeners.a]\naddress = \"127.0.0.1:1\"\nproxy_protocol = [\"unix\"]",
        "3:1: listeners.a.proxy_protocol: this listener is not a Unix socket; name the addresses or networks of load balancers",
    ),
    (
        "[listeners.a]\naddress = \"127.0.0.1:1\"\nproxy_protocol = []",
        "3:18: listeners.a.proxy_protocol: invalid length 0, expected at least one address or network of load balancers, such as \"192.168.1.20\"",
    ),
    (
        "[listeners.a]\naddress = \"127.0.0.1:1\"\nproxy_protocol = [\"10.0.0.1/8\"]",
        "3:19: listeners.a.proxy_protocol: `10.0.0.1/8` has bits behind its prefix; the whole network is `10.0.0.0/8`",
    ),
    (
        "[listeners.A]\naddress = \"127.0.0.1:1\"",
        "1:12: listeners.A: `A` is not a name of a listener: a-z, 0-9, `_` and `-`, at most 64 of them",
    ),
];

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    for &(text, expected) in REFUSED {
        assert_eq!(refusal(text), expected, "{text}");
    }
}

#[cfg(unix)]
#[test]
fn what_makes_no_sense_for_a_unix_socket_is_refused_with_its_place() {
    let socket = "[listeners.a]\naddress = \"unix:/run/a.sock\"\n";
    for (line, expected) in [
        (
            "allow = [\"192.0.2.1\"]",
            "3:1: listeners.a.allow: clients of a Unix socket have no address",
        ),
        (
            "mode = 660",
            "3:8: listeners.a.mode: `660` is not the permissions of a file",
        ),
        (
            "mode = 0o660",
            "3:8: listeners.a.mode: `432` is not the permissions of a file",
        ),
    ] {
        let said = refusal(&format!("{socket}{line}"));
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn the_proxy_is_local_while_every_listener_is() {
    let own = |text: &str| OwnListeners::of(&load(text, &[]).unwrap().listeners());
    assert!(own("").are_local);
    let text = "[proxy]\nlisten = [\"127.0.0.1:1\", \"[::1]:1\"]";
    assert!(own(text).are_local);
    assert_eq!(own(text).addresses.len(), 2);
    assert!(!own("[proxy]\nlisten = [\"127.0.0.1:1\", \"192.0.2.1:1\"]").are_local);
    if cfg!(unix) {
        let socket = own("[proxy]\nlisten = \"unix:/run/a.sock\"");
        assert!(socket.are_local && socket.addresses.is_empty());
    }
}

#[test]
fn behind_a_balancer_a_listener_is_never_local() {
    let text = "[listeners.a]\naddress = \"127.0.0.1:1\"\nproxy_protocol = [\"127.0.0.1\", \"10.0.0.0/8\"]";
    let config = load(text, &[]).unwrap();
    assert!(!OwnListeners::of(&config.listeners()).are_local);
    let listener = &config.listeners["a"];
    for (peer, trusted) in [
        ("127.0.0.1", true),
        ("::ffff:10.9.9.9", true),
        ("127.0.0.2", false),
        ("::1", false),
    ] {
        assert_eq!(listener.trusts(peer.parse().ok()), trusted, "{peer}");
    }
    assert!(!listener.trusts(None));
    assert!(config.clients.check(&config.listeners()).is_err());
}

#[test]
fn no_server_of_the_settings_is_a_listener_of_the_proxy() {
    let everywhere = "[proxy]\nlisten = \"0.0.0.0:3128\"\n";
    let named = "[listeners.lan]\naddress = \"[::1]:3128\"\n";
    let all = "[proxy]\nlisten = \"[::]:3128\"\n";
    let resolvers = |server: &str| format!("[egress]\nresolvers = [\"{server}\"]");
    let split = |server: &str| format!("[egress.name_servers]\n\"a.example\" = [\"{server}\"]");
    let parent = |url: &str| format!("[upstream.a]\nproxy = \"{url}\"");
    let parents = |url: &str| format!("[upstream.a]\nproxy = [\"http://b.example\", \"{url}\"]");
    for (listeners, server, place) in [
        (
            everywhere,
            resolvers("127.0.0.7:3128"),
            "4:14: egress.resolvers: ",
        ),
        (
            everywhere,
            resolvers("tls://[::1]:3128"),
            "4:14: egress.resolvers: ",
        ),
        (
            named,
            resolvers("https://[::]:3128/#a.example"),
            "4:14: egress.resolvers: ",
        ),
        (
            all,
            split("[::ffff:127.0.0.1]:3128"),
            "4:16: egress.name_servers.a.example: ",
        ),
        (
            named,
            parent("socks5://[::1]:3128"),
            "4:9: upstream.a.proxy: ",
        ),
        (
            all,
            parents("http://2130706433:3128"),
            "4:30: upstream.a.proxy: ",
        ),
    ] {
        let said = refusal(&format!("{listeners}{server}"));
        assert!(said.starts_with(place), "{server}: {said}");
        assert!(said.contains("the proxy itself listens there"), "{said}");
    }
    for (listeners, server) in [
        (everywhere, resolvers("127.0.0.1:3129")),
        (everywhere, resolvers("192.0.2.1:3128")),
        (named, resolvers("127.0.0.1:3128")),
        (named, parent("http://b.example:3128")),
    ] {
        load(&format!("{listeners}{server}"), &[]).unwrap();
    }
}
