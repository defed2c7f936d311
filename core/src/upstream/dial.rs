//! Connects to the first of some addresses that answers (RFC 8305). The only place that dials
//! for traffic and for the health check.

use std::io;
use std::net::{IpAddr, SocketAddr};
#[cfg(unix)]
use std::path::Path;
use std::time::Duration;
use std::vec;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::time::sleep;

use super::policy::effective_ip;
use super::socket::OriginSocket;
use super::turns::{Turn, Turns};
use crate::error::Error;
use crate::flow::ClientKey;

/// How long one address may keep the next from being tried (RFC 8305, section 5).
const CONNECTION_ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// The most addresses of a name that are tried for one connection, and remembered of one answer.
/// A client that has a name server could have thousands of them tried, as fast as they refuse.
pub(super) const MOST_ADDRESSES: usize = 32;

/// A TCP connection, and the address that answered.
#[derive(Debug)]
pub(super) struct Dialled {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
}

/// A connection that leads to an origin, or to a proxy that takes requests for it.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) stream: OriginSocket,
    /// The address that was dialled.
    pub(crate) peer: SocketAddr,
    /// What the origin has already sent.
    pub(crate) early: Bytes,
    /// The parent proxy that was dialled, by its place among those of the route.
    pub(super) member: Option<usize>,
}

impl From<Dialled> for Connected {
    fn from(Dialled { stream, peer }: Dialled) -> Self {
        Self {
            stream: OriginSocket::Direct(stream),
            peer,
            early: Bytes::new(),
            member: None,
        }
    }
}

/// Connects to the proxy's own listener, to see whether that works.
pub(crate) async fn dial_self(own: SocketAddr) -> io::Result<TcpStream> {
    let address = SocketAddr::new(effective_ip(own.ip()), own.port());
    connect(address).await.map(|dialled| dialled.stream)
}

/// The same for one that is a Unix socket.
#[cfg(unix)]
pub(crate) async fn dial_own_socket(own: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(own).await
}

/// The families in turn, beginning with that of the first address (RFC 8305, section 4).
pub(super) fn interleave(addresses: Vec<IpAddr>) -> impl Iterator<Item = IpAddr> {
    let first_is_v6 = addresses.first().is_some_and(IpAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let mut turns = [first.into_iter(), second.into_iter()];
    let mut turn = 1;
    std::iter::from_fn(move || {
        turn = 1 - turn;
        turns[turn].next().or_else(|| turns[1 - turn].next())
    })
}

/// Addresses that are not known yet.
type Others<'a> = LocalBoxFuture<'a, Vec<SocketAddr>>;

/// The first connection that succeeds, or the failure of the last address, unless this machine has
/// lacked something for one before. An address that is tried beside another takes a descriptor
/// more, so it waits for one of the client's turns. `others` are asked for when it would be the
/// turn of an address behind the last one.
pub(super) async fn race(
    addresses: Vec<SocketAddr>,
    mut others: Option<Others<'_>>,
    turns: &Turns,
    client: ClientKey,
) -> io::Result<Dialled> {
    // Most names have one address, which needs no race.
    if let ([address], None) = (&addresses[..], &others) {
        return connect(*address).await;
    }
    let mut addresses = first(addresses);
    let mut attempts = FuturesUnordered::new();
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let mut head_start = CONNECTION_ATTEMPT_DELAY;
    loop {
        if attempts.is_empty() {
            if addresses.as_slice().is_empty()
                && let Some(others) = others.take()
            {
                addresses = first(others.await);
            }
            let Some(address) = addresses.next() else {
                return Err(failure);
            };
            attempts.push(attempt(address, None));
            head_start = CONNECTION_ATTEMPT_DELAY;
        }
        let is_waiting = !addresses.as_slice().is_empty();
        tokio::select! {
            Some(finished) = attempts.next() => match finished {
                Ok(connected) => return Ok(connected),
                // The next address need not wait for those that are still tried.
                Err(error) => (failure, head_start) = (foremost(failure, error), Duration::ZERO),
            },
            turn = next_turn(head_start, turns, client), if is_waiting => {
                if let Some(address) = addresses.next() {
                    attempts.push(attempt(address, Some(turn)));
                }
                head_start = CONNECTION_ATTEMPT_DELAY;
            }
            joining = join(head_start, &mut others), if !is_waiting && others.is_some() => {
                others = None;
                (addresses, head_start) = (first(joining), Duration::ZERO);
            }
        }
    }
}

/// Which of two failures is told. That the machine lacks something for one address says more than
/// that it has no route to the next.
fn foremost(before: io::Error, after: io::Error) -> io::Error {
    if shortage(&before).is_some() {
        before
    } else {
        after
    }
}

/// Those that are tried of very many.
fn first(mut addresses: Vec<SocketAddr>) -> vec::IntoIter<SocketAddr> {
    addresses.truncate(MOST_ADDRESSES);
    addresses.into_iter()
}

/// The other addresses, after the same wait.
async fn join(head_start: Duration, others: &mut Option<Others<'_>>) -> Vec<SocketAddr> {
    if !head_start.is_zero() {
        sleep(head_start).await;
    }
    match others {
        Some(others) => others.await,
        None => Vec::new(),
    }
}

/// Waits until the addresses that are tried have had their head start, and it is the client's turn.
async fn next_turn(head_start: Duration, turns: &Turns, client: ClientKey) -> Turn {
    if !head_start.is_zero() {
        sleep(head_start).await;
    }
    turns.take(client).await
}

/// Has the turn until it is known whether the address answers.
async fn attempt(address: SocketAddr, _turn: Option<Turn>) -> io::Result<Dialled> {
    connect(address).await
}

/// What is told where this machine lacks memory.
const NO_MEMORY: &str = "the machine has no memory for another connection";

/// What this machine lacks just now, which is why there is no connection although the other side
/// may be well; none if it is for another reason.
pub(super) fn shortage(error: &io::Error) -> Option<&'static str> {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        match Errno::from_io_error(error) {
            Some(Errno::MFILE | Errno::NFILE) => {
                return Some("the proxy has as many files and connections open as it may");
            }
            Some(Errno::NOBUFS) => return Some(NO_MEMORY),
            Some(_) | None => {}
        }
    }
    (error.kind() == io::ErrorKind::OutOfMemory).then_some(NO_MEMORY)
}

/// What a client is told where there is no connection to `target`.
pub(super) fn failure(target: String, source: io::Error) -> Error {
    match shortage(&source) {
        Some(what) => Error::NoRoom(what),
        None => Error::Connect { target, source },
    }
}

/// Connects to one address.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub(super) async fn connect(peer: SocketAddr) -> io::Result<Dialled> {
    let stream = TcpStream::connect(peer).await?;
    // Requests are written in one piece; what follows must not wait for an acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot switch off Nagle's algorithm");
    }
    Ok(Dialled { stream, peer })
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use futures_util::FutureExt;

    use super::*;

    const ALICE: ClientKey = ClientKey::test(1);
    #[cfg(target_os = "linux")]
    const EVE: ClientKey = ClientKey::test(666);

    fn turns(addresses: &[&str]) -> Vec<String> {
        interleave(addresses.iter().map(|ip| ip.parse().unwrap()).collect())
            .map(|ip| ip.to_string())
            .collect()
    }

    #[test]
    fn families_take_turns() {
        assert_eq!(
            turns(&["::1", "::2", "::3", "1.1.1.1"]),
            ["::1", "1.1.1.1", "::2", "::3"]
        );
        assert_eq!(turns(&["1.1.1.1", "::1"]), ["1.1.1.1", "::1"]);
        assert!(turns(&[]).is_empty());
    }

    /// An address that refuses connections. Its port stays taken until the process ends.
    fn refusing() -> SocketAddr {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        std::mem::forget(socket);
        address
    }

    /// A listener, its address, and an address that refuses.
    async fn open_and_refusing() -> (tokio::net::TcpListener, SocketAddr, SocketAddr) {
        let origin = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = origin.local_addr().unwrap();
        (origin, open, refusing())
    }

    #[tokio::test]
    async fn an_address_that_refuses_makes_way_for_the_next() {
        let (_origin, open, refusing) = open_and_refusing().await;
        let turns = Turns::new(1);
        let connected = race(vec![refusing, open], None, &turns, ALICE)
            .await
            .unwrap();
        assert_eq!(connected.stream.peer_addr().unwrap(), open);
        assert_eq!(connected.peer, open);
        for refusing in [vec![refusing], vec![refusing; 2]] {
            let failure = race(refusing, None, &turns, ALICE).await.unwrap_err();
            assert_eq!(failure.kind(), io::ErrorKind::ConnectionRefused);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_shortage_of_this_machine_is_told_whatever_other_addresses_answer() {
        use rustix::io::Errno;
        for (before, after, told) in [
            (Errno::NOBUFS, Errno::NETUNREACH, Errno::NOBUFS),
            (Errno::NETUNREACH, Errno::NOBUFS, Errno::NOBUFS),
            (Errno::CONNREFUSED, Errno::NETUNREACH, Errno::NETUNREACH),
        ] {
            let failure = foremost(before.into(), after.into());
            assert_eq!(Errno::from_io_error(&failure), Some(told));
        }
    }

    #[tokio::test]
    async fn of_very_many_addresses_the_first_are_tried() {
        let (_origin, open, refusing) = open_and_refusing().await;
        let turns = Turns::new(1);
        for (before, is_tried) in [(MOST_ADDRESSES - 1, true), (MOST_ADDRESSES, false)] {
            let mut addresses = vec![refusing; before];
            addresses.push(open);
            let raced = race(addresses, None, &turns, ALICE).await;
            assert_eq!(raced.is_ok(), is_tried, "{before}: {raced:?}");
        }
    }

    #[tokio::test]
    async fn addresses_that_come_late_are_dialled_where_the_others_refuse() {
        let (_origin, open, refusing) = open_and_refusing().await;
        let turns = Turns::new(1);
        let others = |addresses: Vec<SocketAddr>| Some(ready(addresses).boxed_local());
        for refusing in [vec![refusing], vec![refusing; 2]] {
            let raced = race(refusing.clone(), others(vec![open]), &turns, ALICE);
            assert_eq!(raced.await.unwrap().peer, open);
            let raced = race(refusing, others(Vec::new()), &turns, ALICE);
            let failure = raced.await.unwrap_err();
            assert_eq!(failure.kind(), io::ErrorKind::ConnectionRefused);
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn addresses_that_come_late_are_dialled_beside_one_that_is_silent() {
        let (silent, _kept) = silent("127.0.0.1:0").await;
        let origin = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = origin.local_addr().unwrap();
        let turns = Turns::new(1);
        let others = Some(ready(vec![open]).boxed_local());
        let raced = race(vec![silent], others, &turns, ALICE);
        // Without them the first would be waited for, which takes minutes.
        let raced = tokio::time::timeout(Duration::from_secs(30), raced).await;
        assert_eq!(raced.expect("they join").unwrap().peer, open);
    }

    /// A listener whose queue is full, so that it answers no further connection, and the connection
    /// that fills it.
    #[cfg(target_os = "linux")]
    async fn silent(address: &str) -> (SocketAddr, (tokio::net::TcpListener, TcpStream)) {
        let address: SocketAddr = address.parse().unwrap();
        let socket = match address {
            SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4(),
            SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6(),
        };
        let socket = socket.unwrap();
        socket.bind(address).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let first = connect(address).await.unwrap().stream;
        (address, (listener, first))
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_address_that_is_silent_keeps_the_next_waiting_for_a_moment_alone() {
        let (v4, v6) = ("127.0.0.1:0", "[::1]:0");
        // There are machines without IPv6.
        let is_there = |address: &str| std::net::TcpListener::bind(address).is_ok();
        let v6 = if is_there(v6) { v6 } else { v4 };
        for (first, second) in [(v4, v4), (v6, v4), (v4, v6)] {
            let (silent, _kept) = silent(first).await;
            let origin = tokio::net::TcpListener::bind(second).await.unwrap();
            let open = origin.local_addr().unwrap();
            let begun = tokio::time::Instant::now();
            // Without its turn the second would wait for minutes.
            let limit = Duration::from_secs(30);
            let turns = Turns::new(1);
            let raced = race(vec![silent, open], None, &turns, ALICE);
            let raced = tokio::time::timeout(limit, raced).await;
            assert_eq!(raced.expect("it has a turn").unwrap().peer, open);
            assert!(
                begun.elapsed() >= CONNECTION_ATTEMPT_DELAY,
                "{first} {second}"
            );
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test(start_paused = true)]
    async fn an_address_beside_another_is_tried_when_it_is_the_clients_turn() {
        let (first, _kept) = silent("127.0.0.1:0").await;
        let origin = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = origin.local_addr().unwrap();
        let turns = Turns::new(1);
        let others = turns.take(EVE).await;
        let mut racing = std::pin::pin!(race(vec![first, open], None, &turns, ALICE));
        let limit = Duration::from_secs(3600);
        let raced = tokio::time::timeout(limit, racing.as_mut()).await;
        assert!(raced.is_err(), "another client has the only turn");
        drop(others);
        assert_eq!(racing.await.unwrap().peer, open);
        // It is given back.
        turns.take(EVE).await;
    }
}
