//! Connections that are kept.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use super::connection::Keeper as _;
use super::*;
use crate::config::PrivateAddresses;
use crate::target::Target;

/// Sends a request over a connection that is there already.
async fn reuse(private: PrivateAddresses) -> Result<(), Error> {
    let origin = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = origin.local_addr().unwrap();
    let connected = dial::connect(address).await.unwrap().into();
    let served = std::thread::spawn(move || {
        let (mut client, _) = origin.accept().unwrap();
        let head = BufReader::new(&mut client).lines();
        let is_asked = head.map_while(Result::ok).any(|line| line.is_empty());
        is_asked.then(|| client.write_all(b"HTTP/1.1 204 No Content\r\n\r\n"))
    });
    let egress = Egress {
        private,
        ..Egress::default()
    };
    let (limits, bounds) = (
        Limits::default(),
        Bounds {
            idle: 9,
            lookups: 9,
        },
    );
    let own = OwnListeners::at(&[SocketAddr::from(([127, 0, 0, 1], 1))]);
    let upstream = Upstream::new(
        &egress,
        &limits,
        bounds,
        &own,
        Parents::default(),
        Reloads::default(),
        Reclaimer::default(),
    );
    let target = Target::parse(&address.to_string(), None).unwrap();
    let route = Rc::new(Route::direct(Rc::new(target), Scheme::Http));
    let connection = UpstreamConnection::open(route.clone(), connected, 1 << 16)
        .await
        .unwrap();
    upstream.pool.put(connection);
    let asker = Asker {
        client: ClientKey::test(1),
        logins: RefCell::new(Rc::new(upstream.logins())),
        spellings: Rc::default(),
    };
    let deadlines = Deadlines::new(Rc::new(limits));
    let request = Request::new(RequestBody::empty());
    let sent = upstream.send(&route, request, &asker, &deadlines).await;
    let sent = sent.map(|(response, _)| assert_eq!(response.status(), 204));
    drop((upstream, asker));
    assert_eq!(served.join().unwrap().is_some(), sent.is_ok());
    sent
}

#[tokio::test]
async fn a_kept_connection_is_under_the_policy_too() {
    let served = reuse(PrivateAddresses::Auto).await;
    assert!(served.is_ok(), "{served:?}");
    let refused = reuse(PrivateAddresses::Deny).await;
    assert!(
        matches!(refused, Err(Error::AddressProhibited(_))),
        "{refused:?}"
    );
}
