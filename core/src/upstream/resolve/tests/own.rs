//! The proxy is not its own DNS server, however that is written.

use std::net::TcpListener;

use super::*;
use crate::config::OwnListeners;

/// What becomes of a name if the proxy listens at `own`.
async fn ask(egress: &Egress, own: SocketAddr) -> Result<Vec<IpAddr>, Error> {
    let policy = Policy::new(egress, &OwnListeners::at(&[own]));
    let (policy, limit) = (Arc::new(policy), Duration::from_secs(5));
    let resolver = Resolver::new(egress, policy, limit, LOOKUPS, Reloads::default());
    look_up(&resolver, "name.example").await
}

fn assert_is_not_asked(found: Result<Vec<IpAddr>, Error>, written: &str) {
    let error = found.unwrap_err();
    let said = std::error::Error::source(&error).unwrap().to_string();
    assert!(said.starts_with("the DNS server "), "{written}: {said}");
    assert!(
        said.contains("the proxy itself listens there"),
        "{written}: {said}"
    );
}

#[tokio::test]
async fn a_server_that_is_the_proxy_itself_is_not_connected_to() {
    let own = TcpListener::bind("127.0.0.1:0").unwrap();
    own.set_nonblocking(true).unwrap();
    let address = own.local_addr().unwrap();
    let port = address.port();
    for written in [
        format!("{address}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("0.0.0.0:{port}"),
        format!("tls://{address}"),
        format!("https://{address}/dns-query"),
        format!("tls://dns.example:{port}"),
        format!("https://dns.example:{port}/dns-query"),
    ] {
        let mut egress = Egress {
            resolvers: vec![written.parse().unwrap()],
            hosts: [("dns.example".to_owned(), vec![address.ip()])].into(),
            ..Egress::default()
        };
        assert_is_not_asked(ask(&egress, address).await, &written);
        let servers = std::mem::take(&mut egress.resolvers);
        egress.name_servers = [("example".to_owned(), servers)].into();
        assert_is_not_asked(ask(&egress, address).await, &written);
        assert!(own.accept().is_err(), "{written}");
    }
}

#[tokio::test]
async fn of_several_servers_the_others_are_asked() {
    let (own, other) = (Dns::start(GOOD), Dns::start(GOOD));
    let egress = Egress {
        resolvers: vec![own.address.into(), other.address.into()],
        ..Egress::default()
    };
    assert_eq!(ask(&egress, own.address).await.unwrap(), [FOUND]);
    assert!(!own.was_asked_for("name.example.") && other.was_asked_for("name.example."));
}
