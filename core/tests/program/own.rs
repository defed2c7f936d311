//! A proxy that listens on all addresses of its machine connects to none of them at its own port,
//! whatever it is asked for and by whom. The machine is a network namespace of the test's own.

use std::fs;

use tempfile::TempDir;

use super::network::{in_background, in_network};
use super::{stderr, stdout, there_is};

/// The second one of a network is reached from the first.
const ADDRESSES: [&str; 3] = ["192.0.2.1/24", "192.0.2.2/24", "198.51.100.1/32"];

const EVERYWHERE: &str = "[proxy]\nlisten = '0.0.0.0:3128'\n\
                          [clients]\nopen = true\n\
                          [log.access]\nto = 'access.log'\n\
                          [egress]\nprivate = 'allow'\n";

/// What the script writes in a machine whose proxy has these settings too, and the access log.
fn within(settings: &str, before: &str, script: &str) -> (String, Vec<String>) {
    let dir = TempDir::new().unwrap();
    let config = format!("{EVERYWHERE}{settings}");
    fs::write(dir.path().join("portcullis.toml"), config).unwrap();
    let parts = [
        "trap 'kill $proxy $server 2> /dev/null' EXIT",
        before,
        &in_background("proxy", "portcullis"),
        "ask() { curl -s -o /dev/null -w '%{http_code}\\n' -x http://127.0.0.1:3128 \"$1\"; }",
        script,
        // It writes what is left of its log.
        "kill $proxy; wait $proxy || true",
    ];
    let output = in_network(dir.path(), &ADDRESSES, &parts.join("\n"));
    let said = format!("{}{}", stdout(&output), stderr(&output));
    let log = fs::read_to_string(dir.path().join("access.log"));
    let log = log.unwrap_or_else(|_| panic!("{said}"));
    (said, log.lines().map(str::to_owned).collect())
}

#[test]
fn a_client_reaches_the_proxy_itself_at_no_address_of_the_machine() {
    if !there_is("ip") {
        return;
    }
    let script = "for ip in 127.0.0.7 192.0.2.1 192.0.2.2 198.51.100.1; do ask http://$ip:3128/; done\n\
                  ask http://192.0.2.2:9/";
    let (said, log) = within("", "", script);
    // No program listens at the other port, and that is found out by connecting.
    assert_eq!(said, "508\n508\n508\n508\n502\n");
    assert_eq!(log.len(), 5, "{log:?}");
    assert!(log.iter().all(|line| !line.contains(" peer=")), "{log:?}");
}

#[test]
fn explain_says_what_the_proxy_would_do_at_each_address_of_the_machine() {
    if !there_is("ip") {
        return;
    }
    let script = "explained() { portcullis explain http://$1:3128/ | grep '  egress:'; }\n\
                  explained 192.0.2.2; explained 203.0.113.9\n\
                  echo 1 > /proc/sys/net/ipv4/ip_nonlocal_bind\n\
                  explained 192.0.2.1; explained 203.0.113.9";
    let (said, log) = within("", "", script);
    let comes_back = |line: &str| line.contains("refused: the request would come back");
    let refused: Vec<bool> = said.lines().map(comes_back).collect();
    assert_eq!(refused, [true, false, true, false], "{said}");
    assert!(log.is_empty(), "{log:?}");
}

#[test]
fn no_list_comes_from_the_proxy_itself_nor_by_a_redirect() {
    if !there_is("ip") {
        return;
    }
    let lists = "[feeds.own]\nurl = 'http://192.0.2.2:3128/list'\n\
                 [feeds.moved]\nurl = 'http://192.0.2.1:8000/list'\n";
    let server = "import http.server as s\n\
                  class H(s.BaseHTTPRequestHandler):\n  \
                    def do_GET(self):\n    \
                      self.send_response(302)\n    \
                      self.send_header('Location', 'http://198.51.100.1:3128/list')\n    \
                      self.end_headers()\n\
                  s = s.HTTPServer(('192.0.2.1', 8000), H)\n\
                  import sys; print('listening', file=sys.stderr, flush=True)\n\
                  s.serve_forever()\n";
    let server = in_background("server", &format!("python3 -c \"{server}\""));
    let (said, log) = within(lists, &server, "portcullis feed refresh || true");
    for (feed, address) in [("own", "192.0.2.2"), ("moved", "198.51.100.1")] {
        let is_told = |line: &str| {
            line.contains(feed) && line.contains(address) && line.contains("listens there")
        };
        assert!(said.lines().any(is_told), "{feed}: {said}");
    }
    assert!(log.is_empty(), "{log:?}");
}

#[test]
fn the_proxy_asks_itself_for_no_name() {
    if !there_is("ip") {
        return;
    }
    for server in ["192.0.2.2:3128", "tls://198.51.100.1:3128"] {
        let settings = format!("resolvers = ['{server}']\n");
        let script = "ask http://a.example/; portcullis check || true";
        let (said, log) = within(&settings, "", script);
        assert!(said.starts_with("502\n"), "{said}");
        assert!(said.contains("the proxy itself listens there"), "{said}");
        let [line] = &log[..] else { panic!("{log:?}") };
        assert!(line.contains("the proxy itself listens there"), "{line}");
    }
}
