//! Connections that are kept.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use super::connection::Keeper as _;
use super::*;
use crate::config::PrivateAddresses;
use crate::target::Target;

/// How much the system holds on each side of a connection, in bytes.
const NARROW: u32 = 4096;

fn upstream(private: PrivateAddresses) -> Upstream {
    let egress = Egress {
        private,
        ..Egress::default()
    };
    let bounds = Bounds {
        idle: 9,
        lookups: 9,
    };
    Upstream::new(
        &egress,
        &Limits::default(),
        bounds,
        &OwnListeners::at(&[SocketAddr::from(([127, 0, 0, 1], 1))]),
        Parents::default(),
        Reloads::default(),
        Reclaimer::default(),
    )
}

fn asker(upstream: &Upstream) -> Asker {
    Asker {
        client: ClientKey::test(1),
        logins: RefCell::new(Rc::new(upstream.logins())),
        spellings: Rc::default(),
    }
}

/// Has the pool keep a connection to this address.
async fn keep(upstream: &Upstream, address: SocketAddr, connected: Connected) -> Rc<Route> {
    let target = Target::parse(&address.to_string(), None).unwrap();
    let route = Rc::new(Route::direct(Rc::new(target), Scheme::Http));
    let connection = UpstreamConnection::open(route.clone(), connected, 1 << 16)
        .await
        .unwrap();
    upstream.pool.put(connection);
    route
}

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
    let upstream = upstream(private);
    let route = keep(&upstream, address, connected).await;
    let asker = asker(&upstream);
    let deadlines = Deadlines::new(Rc::default());
    let request = Request::new(RequestBody::empty());
    let sent = upstream
        .send(&route, request, &|_| (), &asker, &deadlines)
        .await;
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

/// An origin may answer before it has read the head of a request.
#[tokio::test]
async fn a_connection_that_holds_a_part_of_a_head_is_not_kept() {
    const NEXT: &str = "GET /next HTTP/1.1\r\nX-Own: 1\r\n\r\n";
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(NARROW).unwrap();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(any).unwrap();
    let origin = socket.listen(2).unwrap();
    let address = origin.local_addr().unwrap();
    let dialled = dial::connect(address).await.unwrap();
    let narrowed = SockRef::from(&dialled.stream).set_send_buffer_size(NARROW as usize);
    narrowed.unwrap();
    let upstream = upstream(PrivateAddresses::Auto);
    let route = keep(&upstream, address, dialled.into()).await;

    let serving = async {
        let (mut first, _) = origin.accept().await.unwrap();
        first.readable().await.unwrap();
        first
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .await
            .unwrap();
        let (mut second, _) = origin.accept().await.unwrap();
        let mut head = [0; NEXT.len()];
        second.read_exact(&mut head).await.unwrap();
        second
            .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
            .await
            .unwrap();
        // What is not read of the first is held until now.
        drop(first);
        String::from_utf8_lossy(&head).into_owned()
    };
    let asking = async {
        let (asker, deadlines) = (asker(&upstream), Deadlines::new(Rc::default()));
        let ask = async |head: &str, request: Request<RequestBody>| {
            asker.spellings.request.add(head.as_bytes());
            let sent = upstream
                .send(&route, request, &|_| (), &asker, &deadlines)
                .await;
            let (response, connection) = sent.unwrap();
            connection.release(&*upstream.pool);
            response.status().as_u16()
        };
        let long = "x".repeat(1 << 18);
        let head = format!("GET / HTTP/1.1\r\nX-Long: {long}\r\n\r\n");
        let request = Request::builder().header("x-long", &long);
        let request = request.body(RequestBody::empty()).unwrap();
        assert_eq!(ask(&head, request).await, 200);
        assert!(upstream.pool.take(&route).is_none(), "it was kept");
        let request = Request::builder().uri("/next").header("x-own", "1");
        let request = request.body(RequestBody::empty()).unwrap();
        assert_eq!(ask(NEXT, request).await, 204);
    };
    let (head, ()) = tokio::join!(serving, asking);
    assert_eq!(head, NEXT);
}
